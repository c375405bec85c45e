//! Can this host run a guest, as far as that can be seen without starting one.

#[cfg(target_os = "linux")]
pub use linux::check;
#[cfg(target_os = "macos")]
pub use macos::check;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{File, OpenOptions};
    use std::io::{Error, ErrorKind};
    use std::os::fd::AsRawFd;
    use std::path::Path;

    use crate::error::{Code, LauncherError};

    /// The only version of the KVM interface there has been since 2007; its documentation tells callers to refuse others.
    const API_VERSION: libc::c_int = 12;
    // _IO(0xAE, n) of linux/kvm.h, which is n with the type byte above it on x86-64 and arm64 alike.
    const GET_API_VERSION: libc::c_ulong = 0xAE00;
    const CREATE_VM: libc::c_ulong = 0xAE01;

    /// Asks KVM for its version and for one empty VM, which is closed again at once.
    ///
    /// # Errors
    /// `NoKvm`, `KvmDenied` or `KvmUnusable`, with the system's error number.
    pub fn check() -> Result<(), LauncherError> {
        check_device(Path::new("/dev/kvm"))
    }

    fn check_device(device: &Path) -> Result<(), LauncherError> {
        let name = device.display();
        let kvm = OpenOptions::new()
            .read(true)
            .write(true)
            .open(device)
            .map_err(|error| open_error(device, &error))?;
        let version = ask(&kvm, GET_API_VERSION, 0)
            .map_err(|error| unusable(format!("{name} is not a KVM device: {error}"), &error))?;
        if version != API_VERSION {
            return Err(LauncherError::new(
                Code::KvmUnusable,
                format!("{name} speaks version {version} of the KVM interface, not {API_VERSION}"),
            ));
        }
        let vm = ask(&kvm, CREATE_VM, 0)
            .map_err(|error| unusable(format!("{name} refuses to create a VM: {error}"), &error))?;
        unsafe { libc::close(vm) };
        Ok(())
    }

    fn ask(device: &File, request: libc::c_ulong, argument: libc::c_ulong) -> Result<libc::c_int, Error> {
        loop {
            let answer = unsafe { libc::ioctl(device.as_raw_fd(), request as _, argument) };
            if answer >= 0 {
                return Ok(answer);
            }
            let error = Error::last_os_error();
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    fn open_error(device: &Path, error: &Error) -> LauncherError {
        let name = device.display();
        let (code, message) = match error.kind() {
            ErrorKind::NotFound => (Code::NoKvm, format!("this host has no {name}")),
            ErrorKind::PermissionDenied => (Code::KvmDenied, format!("no permission to open {name}: {error}")),
            // ENODEV, ENXIO: a device node without a driver behind it.
            _ => (Code::NoKvm, format!("cannot open {name}: {error}")),
        };
        LauncherError::new(code, message).with_errno(error.raw_os_error())
    }

    fn unusable(message: String, error: &Error) -> LauncherError {
        LauncherError::new(Code::KvmUnusable, message).with_errno(error.raw_os_error())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_missing_device_is_no_kvm() {
            let error = check_device(Path::new("/dev/no-such-device")).unwrap_err();
            assert_eq!((error.code, error.errno), (Code::NoKvm, Some(libc::ENOENT)));
        }

        #[test]
        fn a_device_that_does_not_know_the_question_cannot_run_guests() {
            let error = check_device(Path::new("/dev/null")).unwrap_err();
            assert_eq!((error.code, error.errno), (Code::KvmUnusable, Some(libc::ENOTTY)));
        }

        #[test]
        fn a_refused_device_is_named_so() {
            let error = open_error(Path::new("/dev/kvm"), &Error::from_raw_os_error(libc::EACCES));
            assert_eq!((error.code, error.errno), (Code::KvmDenied, Some(libc::EACCES)));
        }
    }
}

#[cfg(target_os = "macos")]
mod macos {
    use crate::error::{Code, LauncherError};

    /// Asks the kernel whether Hypervisor.framework can run guests here.
    ///
    /// # Errors
    /// `NoKvm` when it cannot, or when the question is not known (macOS before 10.10).
    pub fn check() -> Result<(), LauncherError> {
        let mut supported: libc::c_int = 0;
        let mut size = std::mem::size_of_val(&supported);
        let answer = unsafe {
            libc::sysctlbyname(
                c"kern.hv_support".as_ptr(),
                (&raw mut supported).cast(),
                &raw mut size,
                std::ptr::null_mut(),
                0,
            )
        };
        if answer == 0 && supported == 1 {
            return Ok(());
        }
        Err(LauncherError::new(
            Code::NoKvm,
            "this Mac does not offer Hypervisor.framework (kern.hv_support is not 1)",
        ))
    }
}
