//! The one libkrun of the process: where it lies, and opening it once.

use std::ffi::{c_char, c_int, c_void, CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use krun_loader::Library;
use napi::{Env, Error, Result};

use crate::failure::{throw, Class};
use crate::Argument;

struct Opened {
    folder: PathBuf,
    // Never closed: functions found in it are kept, and libkrun's own threads may outlive every Node environment.
    library: &'static Library,
}

// One for the whole process, also when several worker threads load the addon: libkrun has one table of contexts.
static OPENED: Mutex<Option<Opened>> = Mutex::new(None);

/// Opens libkrun and its firmware from `folder`, in place of the `lib` folder beside the addon.
///
/// Has no effect when that very library is open already.
///
/// # Errors
/// Throws `ERR_LIBKRUN_LOAD` with the system's reason when a library cannot be opened, `ERR_LIBKRUN_LOADED` when one
/// of another folder is in use.
pub fn load_library(env: Env, folder: Argument) -> Result<()> {
    let folder = folder.string("folder")?;
    let asked = PathBuf::from(OsStr::from_bytes(folder.as_bytes()));
    let folder = std::fs::canonicalize(&asked).map_err(|error| refuse(env, &asked, &error.to_string()))?;
    let mut opened = lock();
    match opened.as_ref() {
        None => open(env, &mut opened, folder).map(|_| ()),
        Some(one) if std::fs::canonicalize(&one.folder).is_ok_and(|known| known == folder) => Ok(()),
        Some(one) => {
            let message = format!("libkrun is already loaded from {}", one.folder.display());
            Err(throw(env.raw(), Class::Error, "ERR_LIBKRUN_LOADED", &message))
        }
    }
}

/// The open library; opens the one of the addon's own package on first use.
pub(crate) fn library(env: Env) -> Result<&'static Library> {
    let mut opened = lock();
    if let Some(one) = opened.as_ref() {
        return Ok(one.library);
    }
    let addon = addon_file().ok_or_else(|| refuse(env, Path::new("lib"), "the addon's own folder is unknown"))?;
    open(env, &mut opened, addon.with_file_name("lib"))
}

fn open(env: Env, opened: &mut Option<Opened>, folder: PathBuf) -> Result<&'static Library> {
    let library = Library::open(&folder).map_err(|error| refuse(env, &error.file, &error.reason))?;
    let library: &'static Library = Box::leak(Box::new(library));
    *opened = Some(Opened { folder, library });
    Ok(library)
}

fn refuse(env: Env, file: &Path, reason: &str) -> Error {
    let message = format!("cannot load libkrun from {}: {reason}", file.display());
    throw(env.raw(), Class::Error, "ERR_LIBKRUN_LOAD", &message)
}

fn lock() -> MutexGuard<'static, Option<Opened>> {
    // A panic elsewhere leaves the state whole: it is written in one assignment.
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `Dl_info` of `dlfcn.h`, the same on Linux and macOS.
#[repr(C)]
struct DlInfo {
    file_name: *const c_char,
    base: *mut c_void,
    symbol_name: *const c_char,
    symbol: *mut c_void,
}

extern "C" {
    fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
}

/// The shared object that holds this code: the `.node` file, by the path that Node loaded it from.
fn addon_file() -> Option<PathBuf> {
    let mut info = DlInfo {
        file_name: std::ptr::null(),
        base: std::ptr::null_mut(),
        symbol_name: std::ptr::null(),
        symbol: std::ptr::null_mut(),
    };
    let here = (addon_file as fn() -> Option<PathBuf>) as *const c_void;
    if unsafe { dladdr(here, &mut info) } == 0 || info.file_name.is_null() {
        return None;
    }
    let name = unsafe { CStr::from_ptr(info.file_name) };
    let file = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    // A relative name means a working folder that may have changed since.
    file.is_absolute().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::addon_file;

    #[test]
    fn finds_the_file_that_holds_the_code() {
        let file = addon_file().map(std::fs::canonicalize);
        let program = std::env::current_exe().and_then(std::fs::canonicalize);
        assert_eq!(file.and_then(Result::ok), program.ok());
    }
}
