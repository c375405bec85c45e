//! Reads libkrun's log: shows what was asked for, and notices how the VM ended.

use crate::description::LOG_LEVELS;

const DEBUG: usize = 4;
/// The target under which libkrun logs the guest's console when stdout is not a terminal.
const GUEST_CONSOLE: &str = "init_or_kernel";
/// The first words of the guest init's own progress lines, which say nothing as long as all goes well.
const INIT_PROGRESS: &str = "init.krun: ";
const PANIC: &str = "Kernel panic - not syncing";

/// What the log told about the end of the VM.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// KVM gave up running the guest; libkrun's line about it.
    pub kvm_stopped: Option<String>,
    /// libkrun caught a fatal signal of its own; its line about it.
    pub crashed: Option<String>,
    /// The guest ended and its init had not reported how the command ended.
    pub no_exit_code: bool,
    /// The guest kernel's last words.
    pub panic: Option<String>,
}

/// The filter for libkrun's logger: the level asked for, and the lines that `observe` needs whatever the level.
pub fn filter(level: u32) -> String {
    let name = LOG_LEVELS.get(level as usize).copied().unwrap_or("error");
    if level as usize >= DEBUG {
        return name.to_owned();
    }
    format!("{name},{GUEST_CONSOLE}=error,vmm=debug")
}

impl Findings {
    /// Takes one line in, and tells whether a log of `level` shows it. `shown_before` is the answer for the line
    /// before, which a line without a header of its own continues.
    pub fn observe(&mut self, line: &str, level: u32, shown_before: bool) -> bool {
        let Some((line_level, target, message)) = split(line) else {
            return shown_before;
        };
        // The header is libkrun's, the message may be the guest's: only the target tells who speaks.
        if target == GUEST_CONSOLE {
            if message.contains(PANIC) {
                self.panic = Some(message.to_owned());
            }
        } else if target.starts_with("vmm") {
            self.note(message);
        }
        let weight = if message.starts_with(INIT_PROGRESS) {
            DEBUG
        } else {
            line_level
        };
        weight <= level as usize
    }

    fn note(&mut self, message: &str) {
        const KVM_STOPPED: [&str; 3] = [
            "Received KVM_EXIT_INTERNAL_ERROR",
            "Received KVM_EXIT_FAIL_ENTRY",
            "Unexpected exit reason on vcpu run",
        ];
        if KVM_STOPPED.iter().any(|start| message.starts_with(start)) {
            self.kvm_stopped = Some(message.to_owned());
        } else if message.starts_with("Shutting down VM after intercepting") {
            self.crashed = Some(message.to_owned());
        } else if message.starts_with("using vcpu exit code") {
            self.no_exit_code = true;
        }
    }
}

/// `[time LEVEL target] message`
fn split(line: &str) -> Option<(usize, &str, &str)> {
    let (header, message) = line.strip_prefix('[')?.split_once("] ")?;
    let mut words = header.split_ascii_whitespace().skip(1);
    let level = words.next()?;
    let level = LOG_LEVELS.iter().position(|name| name.eq_ignore_ascii_case(level))?;
    Some((level, words.next()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str, level: u32) -> (Findings, bool) {
        let mut findings = Findings::default();
        let shown = findings.observe(line, level, false);
        (findings, shown)
    }

    #[test]
    fn a_kvm_that_gives_up_is_noticed_even_when_the_log_is_off() {
        let (findings, shown) = seen(
            "[2025-01-01T00:00:00Z ERROR vmm::linux::vstate] Received KVM_EXIT_INTERNAL_ERROR signal",
            0,
        );
        assert_eq!(
            findings.kvm_stopped.as_deref(),
            Some("Received KVM_EXIT_INTERNAL_ERROR signal")
        );
        assert!(!shown);
    }

    #[test]
    fn a_guest_cannot_speak_for_kvm() {
        let (findings, shown) = seen(
            "[2025-01-01T00:00:00Z ERROR init_or_kernel] Received KVM_EXIT_INTERNAL_ERROR signal",
            1,
        );
        assert_eq!(findings, Findings::default());
        assert!(shown);
    }

    #[test]
    fn progress_of_the_guest_init_is_for_debugging() {
        let line = "[2025-01-01T00:00:00Z ERROR init_or_kernel] init.krun: config parsed";
        assert!(!seen(line, 3).1);
        assert!(seen(line, 4).1);
    }

    #[test]
    fn lines_beyond_the_level_are_read_but_not_shown() {
        let (findings, shown) = seen("[2025-01-01T00:00:00Z DEBUG vmm] using vcpu exit code: 0", 1);
        assert!(findings.no_exit_code && !shown);
        assert!(seen("[2025-01-01T00:00:00Z WARN  devices::virtio] slow", 2).1);
    }

    #[test]
    fn the_last_words_of_the_guest_kernel_are_kept() {
        let (findings, _) = seen(
            "[x ERROR init_or_kernel] [  0.1] Kernel panic - not syncing: no init",
            1,
        );
        assert_eq!(
            findings.panic.as_deref(),
            Some("[  0.1] Kernel panic - not syncing: no init")
        );
    }

    #[test]
    fn a_line_without_a_header_belongs_to_the_one_before() {
        let mut findings = Findings::default();
        assert!(findings.observe("  more", 1, true));
        assert!(!findings.observe("  more", 1, false));
    }
}
