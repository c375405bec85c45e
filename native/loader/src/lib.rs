//! Opens libkrun and its guest kernel at run time.
//!
//! The library is opened from the folder that holds it, never from the system's search path, so that the pair of
//! libkrun and libkrunfw that was built and tested together is the pair that runs. Each function is looked up on its
//! own: the header declares more than every build exports, and one missing function must not take the rest away.

mod whole;

use std::ffi::{c_void, CStr};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use libloading::os::unix::{Library as RawLibrary, RTLD_LOCAL, RTLD_NOW};

#[cfg(target_os = "macos")]
const FILE_NAMES: (&str, &str) = ("libkrunfw.5.dylib", "libkrun.1.dylib");
#[cfg(not(target_os = "macos"))]
const FILE_NAMES: (&str, &str) = ("libkrunfw.so.5", "libkrun.so.1");

/// Why a library could not be opened.
#[derive(Debug)]
pub struct OpenError {
    /// The file that was asked for.
    pub file: PathBuf,
    /// The dynamic loader's own words, or what is wrong with the file.
    pub reason: String,
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot open {}: {}", self.file.display(), self.reason)
    }
}

impl std::error::Error for OpenError {}

/// libkrun, opened together with the guest kernel that lies beside it.
pub struct Library {
    krun: RawLibrary,
    // libkrun opens the firmware by its bare name; a copy that is already loaded under that name is the one it gets.
    _firmware: RawLibrary,
}

impl Library {
    /// Opens the firmware and then libkrun from `folder`, both by absolute path.
    ///
    /// # Errors
    /// `OpenError` when either file is missing, shorter than its headers say, or refused by the dynamic loader.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (firmware, krun) = FILE_NAMES;
        let firmware = open_file(&folder.join(firmware))?;
        let krun = open_file(&folder.join(krun))?;
        Ok(Self {
            krun,
            _firmware: firmware,
        })
    }

    /// The address of the exported function `name`; `None` when this build of libkrun does not export it. It is good
    /// for as long as `self` lives.
    pub fn symbol(&self, name: &CStr) -> Option<NonNull<c_void>> {
        // Any type of the size of an address does: nothing is read through it here.
        let symbol = unsafe { self.krun.get::<*mut c_void>(name.to_bytes_with_nul()) }.ok()?;
        NonNull::new(*symbol)
    }
}

fn open_file(file: &Path) -> Result<RawLibrary, OpenError> {
    let failed = |reason: String| OpenError {
        file: file.to_path_buf(),
        reason,
    };
    check_length(file).map_err(|error| failed(error.to_string()))?;
    // Loading runs the library's initialisers; both libraries come from the folder that the caller vouches for.
    unsafe { RawLibrary::open(Some(file), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| failed(error.to_string()))
}

fn check_length(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let actual = file.metadata()?.len();
    match whole::expected_bytes(&mut file)? {
        Some(expected) if expected > actual => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("the file is cut off: it has {actual} bytes and its headers speak of {expected}"),
        )),
        _ => Ok(()),
    }
}
