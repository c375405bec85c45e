//! What can go wrong before the guest's command runs, for people and for programs.

use std::fmt;
use std::io::Write;
use std::os::fd::RawFd;

use serde_json::{Map, Value};

/// Exit code of the launcher when it could not start the VM. The guest's own codes use the rest, by the convention of
/// `chroot`, `env` and container tools (126: not executable, 127: not found, both reported by the guest's init).
pub const EXIT_NOT_STARTED: i32 = 125;

/// The kinds of failure. The names are part of the launcher's interface and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The description, or the command line, is not what the launcher takes.
    BadDescription,
    /// The host has no `/dev/kvm` (on macOS: no Hypervisor.framework support).
    NoKvm,
    /// `/dev/kvm` is there, but this user may not open it.
    // Each system reports its own causes only; the list of codes is the same everywhere.
    #[cfg_attr(target_os = "macos", allow(dead_code))]
    KvmDenied,
    /// `/dev/kvm` opens, but cannot run a guest.
    KvmUnusable,
    /// On macOS: the launcher's signature does not let it start VMs.
    #[cfg_attr(not(target_os = "macos"), allow(dead_code))]
    NotEntitled,
    /// libkrun or its firmware is missing, damaged or lacks a function.
    Library,
    /// A function of libkrun reported an error.
    Call,
    /// The guest ended without telling how its command ended: kernel panic, reset, power off.
    GuestLost,
    /// libkrun itself crashed.
    Crashed,
}

impl Code {
    /// The code as programs see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadDescription => "LAUNCHER_BAD_DESCRIPTION",
            Self::NoKvm => "LAUNCHER_NO_KVM",
            Self::KvmDenied => "LAUNCHER_KVM_DENIED",
            Self::KvmUnusable => "LAUNCHER_KVM_UNUSABLE",
            Self::NotEntitled => "LAUNCHER_NOT_ENTITLED",
            Self::Library => "LAUNCHER_LIBRARY",
            Self::Call => "LAUNCHER_CALL",
            Self::GuestLost => "LAUNCHER_GUEST_LOST",
            Self::Crashed => "LAUNCHER_CRASHED",
        }
    }

    fn fix(self) -> &'static str {
        match self {
            Self::BadDescription => "correct the field or option named; `krun-launcher --help` lists them all",
            Self::NoKvm if cfg!(target_os = "macos") => "run on Apple silicon, not inside another virtual machine",
            Self::NoKvm => {
                "load the kvm_intel or kvm_amd module, enable virtualisation in the firmware setup, or, inside a \
                 virtual machine or container, have its host pass /dev/kvm on"
            }
            Self::KvmDenied => "add the user to the group that owns /dev/kvm (often `kvm`) and log in again",
            Self::KvmUnusable => {
                "use a host with hardware virtualisation; inside a virtual machine, have nested virtualisation \
                 enabled; stop other hypervisors"
            }
            Self::NotEntitled => {
                "install the package again, or sign krun-launcher: `codesign --force --sign - --entitlements \
                 entitlements.plist krun-launcher`"
            }
            Self::Library => "install the package again, or name the right folder with --library",
            Self::Call => "libkrun's own messages on stderr tell more; run with \"logLevel\": \"debug\" for more",
            Self::GuestLost => {
                "the guest kernel's messages on stderr tell more; run with \"logLevel\": \"debug\" for more"
            }
            Self::Crashed => "run with \"logLevel\": \"debug\" and report what libkrun prints",
        }
    }
}

/// A failure of the launcher itself.
#[derive(Debug)]
pub struct LauncherError {
    pub code: Code,
    pub message: String,
    /// The function of libkrun that failed.
    pub function: Option<&'static str>,
    /// The system's error number, positive.
    pub errno: Option<i32>,
}

impl LauncherError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            function: None,
            errno: None,
        }
    }

    pub fn with_errno(mut self, errno: Option<i32>) -> Self {
        self.errno = errno;
        self
    }

    pub fn in_function(mut self, function: &'static str) -> Self {
        self.function = Some(function);
        self
    }

    /// The one JSON object that `--error-fd` receives.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".into(), self.code.name().into());
        object.insert("message".into(), self.message.clone().into());
        if let Some(function) = self.function {
            object.insert("function".into(), function.into());
        }
        if let Some(errno) = self.errno {
            object.insert("errno".into(), errno.into());
        }
        Value::Object(object)
    }

    /// Tells people on stderr and, where asked for, programs on `error_fd`.
    pub fn report(&self, error_fd: Option<RawFd>) {
        // Nobody may be listening any more; there is nobody left to tell that.
        let _ = writeln!(std::io::stderr(), "{self}");
        if let Some(fd) = error_fd {
            let line = format!("{}\n", self.to_json());
            // One call: a pipe takes a short line whole or not at all.
            unsafe { libc::write(fd, line.as_ptr().cast(), line.len()) };
        }
    }
}

impl fmt::Display for LauncherError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "krun-launcher: {}: {}\n  fix: {}",
            self.code.name(),
            self.message,
            self.code.fix()
        )
    }
}

/// The system's own words for an error number.
pub fn errno_text(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_only_what_is_known() {
        let plain = LauncherError::new(Code::NoKvm, "no device");
        assert_eq!(
            plain.to_json().to_string(),
            r#"{"code":"LAUNCHER_NO_KVM","message":"no device"}"#
        );
        let call = LauncherError::new(Code::Call, "x")
            .in_function("krun_set_root")
            .with_errno(Some(22));
        assert_eq!(
            call.to_json().to_string(),
            r#"{"code":"LAUNCHER_CALL","errno":22,"function":"krun_set_root","message":"x"}"#
        );
    }

    #[test]
    fn the_text_for_people_ends_with_a_fix() {
        let text = LauncherError::new(Code::KvmDenied, "cannot open /dev/kvm").to_string();
        assert!(text.contains("LAUNCHER_KVM_DENIED: cannot open /dev/kvm"));
        assert!(text.contains("fix: add the user to the group"));
    }
}
