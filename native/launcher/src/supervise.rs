//! Runs the VM in a child process and tells the truth about its end.
//!
//! libkrun takes over the process that enters a VM and ends it with the guest's exit code, or with a code of its own
//! that looks like one. So the VM gets a process of its own; the parent keeps the standard streams out of it, passes
//! signals on, reads libkrun's log from a pipe, and tells the two kinds of exit codes apart.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use crate::description::Description;
use crate::error::{Code, LauncherError, EXIT_NOT_STARTED};
use crate::log::{filter, Findings};
use crate::signals::{Signals, Terminal};
use crate::vm::Vm;

/// Signals that end a process by a fault of its own and not by somebody's wish.
const FAULTS: [libc::c_int; 7] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

/// Runs the VM to its end and returns the exit code for the launcher. Must be called before any thread is started.
///
/// # Errors
/// Any `LauncherError` that the child has not reported itself, with the exit code to end with.
pub fn run(folder: &Path, description: &Description, error_fd: Option<RawFd>) -> Result<i32, (LauncherError, i32)> {
    let failed = |what: &str, error: &Error| {
        let message = format!("{what}: {error}");
        (
            LauncherError::new(Code::Call, message).with_errno(error.raw_os_error()),
            EXIT_NOT_STARTED,
        )
    };
    let (log_reader, log_writer) = pipe().map_err(|error| failed("cannot create a pipe", &error))?;
    let (mut ours, theirs) = UnixStream::pair().map_err(|error| failed("cannot create a socket pair", &error))?;
    let signals = Signals::block();
    let terminal = Terminal::remember();
    // Safe: no other thread exists, so nothing is left locked in the child.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err(failed("cannot start a process", &Error::last_os_error()));
    }
    if child == 0 {
        signals.restore();
        drop((ours, log_reader));
        run_vm(folder, description, error_fd, log_writer, theirs);
    }
    drop((theirs, log_writer));
    let level = description.log_level;
    let log = thread::spawn(move || read_log(log_reader, level));
    let status = signals.forward_until_end(child);
    terminal.restore();
    let findings = log.join().unwrap_or_default();
    let entered = matches!(ours.read(&mut [0]), Ok(1));
    judge(status, entered, &findings)
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let mut ends = [0; 2];
    if unsafe { libc::pipe(ends.as_mut_ptr()) } < 0 {
        return Err(Error::last_os_error());
    }
    // Both were opened by the call above and belong to nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// The child: never returns.
fn run_vm(
    folder: &Path,
    description: &Description,
    error_fd: Option<RawFd>,
    log: OwnedFd,
    mut supervisor: UnixStream,
) -> ! {
    for (name, _) in std::env::vars_os() {
        std::env::remove_var(name);
    }
    std::env::set_var("RUST_LOG", filter(description.log_level));
    end_with_supervisor(&supervisor);
    let error = match Vm::prepare(folder, description, log) {
        Ok(vm) => {
            // From here on a crash is libkrun's, not that of opening it.
            let _ = supervisor.write_all(b"e");
            vm.enter()
        }
        Err(error) => error,
    };
    error.report(error_fd);
    // Without the exit handlers of what was loaded: they belong to a VM that never ran.
    unsafe { libc::_exit(EXIT_NOT_STARTED) }
}

/// A VM must not outlive its supervisor, however that ends: the other end of the socket closes with it.
fn end_with_supervisor(supervisor: &UnixStream) {
    let socket = supervisor.as_raw_fd();
    thread::spawn(move || {
        let mut byte = 0_u8;
        loop {
            let read = unsafe { libc::read(socket, (&raw mut byte).cast(), 1) };
            if read == 0 || (read < 0 && Error::last_os_error().raw_os_error() != Some(libc::EINTR)) {
                unsafe { libc::_exit(EXIT_NOT_STARTED) };
            }
        }
    });
}

fn read_log(pipe: OwnedFd, level: u32) -> Findings {
    let mut findings = Findings::default();
    let mut lines = BufReader::new(File::from(pipe));
    let mut line = Vec::new();
    let mut shown = false;
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return findings,
            Ok(_) => {}
        }
        shown = findings.observe(String::from_utf8_lossy(&line).trim_end(), level, shown);
        if shown {
            // A closed stderr is no reason to stop reading: the VM would stall on a full pipe.
            let _ = std::io::stderr().write_all(&line);
        }
    }
}

fn judge(status: libc::c_int, entered: bool, findings: &Findings) -> Result<i32, (LauncherError, i32)> {
    let launcher = |code, message: String| Err((LauncherError::new(code, message), EXIT_NOT_STARTED));
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        let code = 128 + signal;
        if !FAULTS.contains(&signal) {
            return Ok(code);
        }
        let (kind, doing) = if entered {
            (Code::Crashed, "running the VM")
        } else {
            (Code::Library, "opening libkrun")
        };
        return Err((LauncherError::new(kind, format!("signal {signal} while {doing}")), code));
    }
    if let Some(line) = &findings.kvm_stopped {
        return launcher(Code::KvmUnusable, format!("KVM stopped running the guest: {line}"));
    }
    if let Some(line) = &findings.crashed {
        return launcher(Code::Crashed, line.clone());
    }
    if findings.no_exit_code {
        let why = findings
            .panic
            .as_deref()
            .unwrap_or("kernel stopped, reset or powered off");
        return launcher(
            Code::GuestLost,
            format!("the guest ended before its command reported an exit code: {why}"),
        );
    }
    Ok(libc::WEXITSTATUS(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(code: i32) -> i32 {
        code << 8
    }

    #[test]
    fn the_guests_own_exit_code_is_passed_on() {
        assert_eq!(judge(exited(7), true, &Findings::default()).unwrap(), 7);
    }

    #[test]
    fn a_kvm_that_cannot_run_guests_is_not_a_guest_that_exits_with_1() {
        let findings = Findings {
            kvm_stopped: Some("Received x".into()),
            no_exit_code: true,
            ..Findings::default()
        };
        let (error, code) = judge(exited(1), true, &findings).unwrap_err();
        assert_eq!((error.code, code), (Code::KvmUnusable, 125));
    }

    #[test]
    fn a_guest_that_panics_is_not_a_success() {
        let findings = Findings {
            no_exit_code: true,
            panic: Some("Kernel panic".into()),
            ..Findings::default()
        };
        let (error, code) = judge(exited(0), true, &findings).unwrap_err();
        assert_eq!((error.code, code), (Code::GuestLost, 125));
        assert!(error.message.ends_with("Kernel panic"));
    }

    #[test]
    fn signals_add_128_and_faults_are_named() {
        assert_eq!(judge(libc::SIGTERM, true, &Findings::default()).unwrap(), 143);
        let (error, code) = judge(libc::SIGSEGV, true, &Findings::default()).unwrap_err();
        assert_eq!((error.code, code), (Code::Crashed, 139));
        let (error, _) = judge(libc::SIGBUS, false, &Findings::default()).unwrap_err();
        assert_eq!(error.code, Code::Library);
    }
}
