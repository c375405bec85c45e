//! Hands a description to libkrun, call by call, and enters the VM.

use std::ffi::{c_char, CStr, CString};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::path::Path;
use std::{iter, ptr};

use krun_loader::Library;

use crate::description::Description;
use crate::error::{errno_text, Code, LauncherError};

/// KRUN_LOG_STYLE_NEVER: no escape sequences in lines that the supervisor reads.
const LOG_STYLE_NEVER: u32 = 2;

/// libkrun reads lists up to the first NULL, but borrows this many entries at once.
const LIST_ENTRIES: usize = 4096;

type Call0 = unsafe extern "C" fn() -> i32;
type Call1 = unsafe extern "C" fn(u32) -> i32;
type CallConfig = unsafe extern "C" fn(u32, u8, u32) -> i32;
type CallText = unsafe extern "C" fn(u32, *const c_char) -> i32;
type CallTexts = unsafe extern "C" fn(u32, *const *const c_char) -> i32;
type CallTwoTexts = unsafe extern "C" fn(u32, *const c_char, *const c_char) -> i32;
type CallExec = unsafe extern "C" fn(u32, *const c_char, *const *const c_char, *const *const c_char) -> i32;
type CallLog = unsafe extern "C" fn(i32, u32, u32, u32) -> i32;

/// A VM that has everything it needs and only waits to be entered.
pub struct Vm {
    library: Library,
    context: u32,
}

impl Vm {
    /// Opens libkrun in `folder`, sends its log to `log`, and configures one VM.
    ///
    /// # Errors
    /// `Library` when libkrun or a function of it is missing; `Call` when a function reports an error;
    /// `BadDescription` for more vCPUs than the host offers.
    pub fn prepare(folder: &Path, description: &Description, log: OwnedFd) -> Result<Self, LauncherError> {
        let library = Library::open(folder).map_err(|error| LauncherError::new(Code::Library, error.to_string()))?;
        // libkrun keeps the descriptor as its own. Options 0: the filter may come from the environment, which by now
        // holds nothing but what the supervisor put there.
        let log = log.into_raw_fd();
        let level = description.log_level;
        call::<CallLog>(&library, c"krun_init_log", |call| unsafe {
            call(log, level, LOG_STYLE_NEVER, 0)
        })?;
        check_vcpus(&library, description.vcpus)?;
        let context = call::<Call0>(&library, c"krun_create_ctx", |call| unsafe { call() })?;
        // Never negative: that is an error, and has been returned as one.
        let vm = Self {
            library,
            context: context as u32,
        };
        vm.configure(description)?;
        Ok(vm)
    }

    fn configure(&self, description: &Description) -> Result<(), LauncherError> {
        let (library, context) = (&self.library, self.context);
        let Description { vcpus, memory_mib, .. } = *description;
        call::<CallConfig>(library, c"krun_set_vm_config", |call| unsafe {
            call(context, vcpus, memory_mib)
        })?;
        let root = text(&description.root);
        call::<CallText>(library, c"krun_set_root", |call| unsafe {
            call(context, root.as_ptr())
        })?;
        let workdir = text(&description.workdir);
        call::<CallText>(library, c"krun_set_workdir", |call| unsafe {
            call(context, workdir.as_ptr())
        })?;
        for mount in &description.mounts {
            let (tag, path) = (text(&mount.tag), text(&mount.path));
            call::<CallTwoTexts>(library, c"krun_add_virtiofs", |call| unsafe {
                call(context, tag.as_ptr(), path.as_ptr())
            })?;
        }
        if !description.ports.is_empty() {
            let pairs = description
                .ports
                .iter()
                .map(|port| format!("{}:{}", port.host, port.guest));
            let ports = Texts::new(pairs);
            call::<CallTexts>(library, c"krun_set_port_map", |call| unsafe {
                call(context, ports.as_ptr())
            })?;
        }
        let command = text(&description.command);
        let arguments = Texts::new(description.arguments.iter().cloned());
        // Given even when empty: without a list libkrun would pass on the launcher's own environment.
        let environment = Texts::new(
            description
                .environment
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        call::<CallExec>(library, c"krun_set_exec", |call| unsafe {
            call(context, command.as_ptr(), arguments.as_ptr(), environment.as_ptr())
        })?;
        Ok(())
    }

    /// Enters the VM. The process ends with the guest, so this returns only when the VM could not be started.
    pub fn enter(self) -> LauncherError {
        let context = self.context;
        match call::<Call1>(&self.library, c"krun_start_enter", |call| unsafe { call(context) }) {
            Err(error) => error,
            Ok(value) => LauncherError::new(
                Code::Call,
                format!("krun_start_enter returned {value} instead of running"),
            )
            .in_function("krun_start_enter"),
        }
    }
}

fn check_vcpus(library: &Library, vcpus: u8) -> Result<(), LauncherError> {
    let limit = call::<Call0>(library, c"krun_get_max_vcpus", |call| unsafe { call() })?;
    if i32::from(vcpus) > limit {
        return Err(LauncherError::new(
            Code::BadDescription,
            format!("vcpus is {vcpus}; this host offers {limit}"),
        ));
    }
    Ok(())
}

/// Calls the function `name`, which has the type `T`; a negative result is an error number.
fn call<T: Copy>(library: &Library, name: &'static CStr, invoke: impl FnOnce(T) -> i32) -> Result<i32, LauncherError> {
    let shown = name.to_str().unwrap_or("?");
    // The types above are those of libkrun.h; the functions are called only while `library` lives.
    let function = unsafe { library.function::<T>(name) }.ok_or_else(|| {
        LauncherError::new(Code::Library, format!("this build of libkrun has no function {shown}")).in_function(shown)
    })?;
    let result = invoke(function);
    if result >= 0 {
        return Ok(result);
    }
    let errno = result.wrapping_neg();
    let message = format!("{shown} failed: {}{}", errno_text(errno), hint(shown, errno));
    Err(LauncherError::new(Code::Call, message)
        .in_function(shown)
        .with_errno(Some(errno)))
}

/// On macOS a process without the entitlement, and a Mac that is itself virtual, get nothing but EINVAL.
fn hint(function: &str, errno: i32) -> &'static str {
    if cfg!(target_os = "macos") && function == "krun_start_enter" && errno == libc::EINVAL {
        " (is krun-launcher signed with com.apple.security.hypervisor, and is this Mac a real one?)"
    } else {
        ""
    }
}

fn text(value: &str) -> CString {
    // The description was refused if it held a NUL.
    CString::new(value).unwrap_or_default()
}

/// A NULL-terminated list of C strings.
struct Texts {
    pointers: Vec<*const c_char>,
    _texts: Vec<CString>,
}

impl Texts {
    fn new(values: impl Iterator<Item = String>) -> Self {
        let texts: Vec<CString> = values.map(|value| text(&value)).collect();
        let padding = LIST_ENTRIES.saturating_sub(texts.len()).max(1);
        let pointers = texts
            .iter()
            .map(|text| text.as_ptr())
            .chain(iter::repeat_n(ptr::null(), padding))
            .collect();
        Self {
            pointers,
            _texts: texts,
        }
    }

    fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}
