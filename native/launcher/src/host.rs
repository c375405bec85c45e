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

/// What a Mac says of itself, and what follows; the latter is tested everywhere.
#[cfg(any(target_os = "macos", test))]
mod macos {
    use crate::error::{Code, LauncherError};

    const ENTITLEMENT: &str = "com.apple.security.hypervisor";
    /// Before the property list: a magic number and the length of all, both big-endian.
    const BLOB_HEADER: usize = 8;

    /// Asks the kernel whether Hypervisor.framework can run guests here, and whether this process may use it. Without
    /// either libkrun fails with an error that says nothing (EINVAL).
    ///
    /// # Errors
    /// `NoKvm`, `NotEntitled`; `NoKvm` that names both where both are missing.
    #[cfg(target_os = "macos")]
    pub fn check() -> Result<(), LauncherError> {
        judge(system::hv_support(), system::entitlements().as_deref().map(is_entitled))
    }

    /// `hv_support` is the value of `kern.hv_support`, if there is one; `entitled` is `None` where the kernel does not
    /// tell, and then Hypervisor.framework has the last word.
    fn judge(hv_support: Option<libc::c_int>, entitled: Option<bool>) -> Result<(), LauncherError> {
        let unsupported = match hv_support {
            Some(1) => None,
            Some(value) => Some(format!("kern.hv_support is {value}, not 1")),
            None => Some("there is no kern.hv_support".to_owned()),
        };
        let unentitled = format!("the signature of krun-launcher lacks the entitlement {ENTITLEMENT}");
        match (unsupported, entitled != Some(false)) {
            (None, true) => Ok(()),
            (None, false) => Err(LauncherError::new(Code::NotEntitled, unentitled)),
            (Some(why), known) => {
                let more = if known {
                    String::new()
                } else {
                    format!("; also, {unentitled}")
                };
                let message = format!("this Mac does not offer Hypervisor.framework ({why}){more}");
                Err(LauncherError::new(Code::NoKvm, message))
            }
        }
    }

    /// Whether entitlements, as the kernel holds them of a process, allow to start VMs. The property list is the one
    /// that was signed; it is read no further than this one question asks for.
    fn is_entitled(blob: &[u8]) -> bool {
        let list = String::from_utf8_lossy(blob.get(BLOB_HEADER..).unwrap_or_default());
        let key = format!("<key>{ENTITLEMENT}</key>");
        list.split_once(&key)
            .is_some_and(|(_, value)| value.trim_start().starts_with("<true/>"))
    }

    #[cfg(target_os = "macos")]
    mod system {
        use std::ptr;

        /// `CS_OPS_ENTITLEMENTS_BLOB` of XNU's `bsd/sys/codesign.h`.
        const ENTITLEMENTS_BLOB: libc::c_uint = 7;
        /// Those of one process take some hundred bytes.
        const LARGEST_BLOB: usize = 1 << 16;

        extern "C" {
            fn csops(
                process: libc::pid_t,
                operation: libc::c_uint,
                buffer: *mut libc::c_void,
                size: libc::size_t,
            ) -> libc::c_int;
        }

        pub fn hv_support() -> Option<libc::c_int> {
            let mut supported: libc::c_int = 0;
            let mut size = std::mem::size_of_val(&supported);
            let answer = unsafe {
                libc::sysctlbyname(
                    c"kern.hv_support".as_ptr(),
                    (&raw mut supported).cast(),
                    &raw mut size,
                    ptr::null_mut(),
                    0,
                )
            };
            (answer == 0).then_some(supported)
        }

        /// The entitlements of this process; all zero bytes where it has none.
        pub fn entitlements() -> Option<Vec<u8>> {
            let mut blob = vec![0_u8; LARGEST_BLOB];
            let answer = unsafe { csops(libc::getpid(), ENTITLEMENTS_BLOB, blob.as_mut_ptr().cast(), blob.len()) };
            (answer == 0).then_some(blob)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn blob(list: &str) -> Vec<u8> {
            [b"\xfa\xde\x71\x71\0\0\0\0".as_slice(), list.as_bytes()].concat()
        }

        fn failure(hv_support: Option<libc::c_int>, entitled: Option<bool>) -> LauncherError {
            judge(hv_support, entitled).unwrap_err()
        }

        #[test]
        fn a_mac_that_has_both_runs_guests() {
            assert!(judge(Some(1), Some(true)).is_ok());
        }

        #[test]
        fn a_kernel_that_does_not_tell_the_entitlements_is_no_reason_to_give_up() {
            assert!(judge(Some(1), None).is_ok());
        }

        #[test]
        fn a_lost_entitlement_is_named() {
            let error = failure(Some(1), Some(false));
            assert_eq!(error.code, Code::NotEntitled);
            assert!(error.message.contains("com.apple.security.hypervisor"));
        }

        #[test]
        fn a_mac_inside_a_virtual_machine_is_named() {
            let error = failure(Some(0), Some(true));
            assert_eq!(error.code, Code::NoKvm);
            assert!(error.message.contains("kern.hv_support is 0"));
            assert!(!error.message.contains("entitlement"));
            assert_eq!(failure(None, None).code, Code::NoKvm);
        }

        #[test]
        fn both_are_named_where_both_are_missing() {
            let error = failure(Some(0), Some(false));
            assert_eq!(error.code, Code::NoKvm);
            assert!(error.message.contains("kern.hv_support is 0") && error.message.contains("entitlement"));
        }

        #[test]
        fn the_entitlements_that_are_shipped_are_enough() {
            assert!(is_entitled(&blob(include_str!("../entitlements.plist"))));
        }

        #[test]
        fn only_the_value_true_of_that_very_key_counts() {
            let other = "<key>com.apple.security.hypervisor.more</key><true/>";
            for list in ["", other, "<key>com.apple.security.hypervisor</key><false/><true/>"] {
                assert!(!is_entitled(&blob(list)), "{list}");
            }
            assert!(!is_entitled(&[0; 4096]));
            assert!(!is_entitled(b""));
        }
    }
}
