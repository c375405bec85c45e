//! Signals and the terminal of the supervising process.

use std::mem::MaybeUninit;
use std::ptr;

/// What a user or a parent program sends to end a program; the VM's process decides what it means.
const FORWARDED: [libc::c_int; 6] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// The signals that this process waits for instead of being interrupted by them.
pub struct Signals {
    waited: libc::sigset_t,
    before: libc::sigset_t,
}

impl Signals {
    /// Blocks them; the child must `restore`.
    pub fn block() -> Self {
        let (mut waited, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // Each set is filled in by the call before it is read.
        unsafe {
            // A parent that ignores SIGCHLD would leave no status to wait for.
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            libc::sigemptyset(waited.as_mut_ptr());
            for signal in FORWARDED.into_iter().chain([libc::SIGCHLD, libc::SIGTTOU]) {
                libc::sigaddset(waited.as_mut_ptr(), signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, waited.as_ptr(), before.as_mut_ptr());
            Self {
                waited: waited.assume_init(),
                before: before.assume_init(),
            }
        }
    }

    /// Puts back what was there before `block`.
    pub fn restore(&self) {
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }

    /// Passes signals on to `child` until it has ended; its wait status.
    pub fn forward_until_end(&self, child: libc::pid_t) -> libc::c_int {
        loop {
            let mut status = 0;
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                return status;
            }
            let (signal, from_terminal) = self.wait();
            // What a key on the terminal sends reaches the child directly: it is in the same group.
            if FORWARDED.contains(&signal) && !from_terminal {
                // The child has not been waited for, so its number is still its own.
                unsafe { libc::kill(child, signal) };
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn wait(&self) -> (libc::c_int, bool) {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let signal = unsafe { libc::sigwaitinfo(&raw const self.waited, info.as_mut_ptr()) };
        let code = unsafe { info.assume_init() }.si_code;
        (signal, code == libc::SI_KERNEL)
    }

    #[cfg(not(target_os = "linux"))]
    fn wait(&self) -> (libc::c_int, bool) {
        let mut signal = 0;
        unsafe { libc::sigwait(&raw const self.waited, &raw mut signal) };
        (signal, false)
    }
}

/// The terminal's settings. libkrun puts the terminal into raw mode, and puts it back only when it ends by itself.
pub struct Terminal(Option<(libc::c_int, libc::termios)>);

impl Terminal {
    /// The settings of the first standard stream that is a terminal.
    pub fn remember() -> Self {
        Self((0..=2).find_map(|stream| {
            let mut settings = MaybeUninit::uninit();
            // Filled in when the call succeeds.
            (unsafe { libc::tcgetattr(stream, settings.as_mut_ptr()) } == 0)
                .then(|| (stream, unsafe { settings.assume_init() }))
        }))
    }

    pub fn restore(&self) {
        if let Some((stream, settings)) = &self.0 {
            unsafe { libc::tcsetattr(*stream, libc::TCSANOW, settings) };
        }
    }
}
