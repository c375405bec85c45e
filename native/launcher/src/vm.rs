//! Hands a description to libkrun, call by call, and enters the VM.

use std::ffi::{c_char, CString};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::path::Path;
use std::{iter, ptr};

use krun_loader::Library;

use crate::description::Description;
use crate::error::{errno_text, Code, LauncherError};
use crate::sys::{self, Functions};

/// libkrun reads lists up to the first NULL, but borrows this many entries at once.
const LIST_ENTRIES: usize = 4096;

/// Calls a function of libkrun by its name in the header, with the types that the raw bindings give it.
macro_rules! call {
    ($functions:ident.$name:ident($($argument:expr),* $(,)?)) => {
        match $functions.$name {
            Some(function) => outcome(stringify!($name), unsafe { function($($argument),*) }),
            None => Err(missing(stringify!($name))),
        }
    };
}

/// A VM that has everything it needs and only waits to be entered.
pub struct Vm {
    functions: Functions,
    context: u32,
    // Holds what the functions point to.
    _library: Library,
}

impl Vm {
    /// Opens libkrun in `folder`, sends its log to `log`, and configures one VM.
    ///
    /// # Errors
    /// `Library` when libkrun or a function of it is missing; `Call` when a function reports an error;
    /// `BadDescription` for more vCPUs than the host offers.
    pub fn prepare(folder: &Path, description: &Description, log: OwnedFd) -> Result<Self, LauncherError> {
        let library = Library::open(folder).map_err(|error| LauncherError::new(Code::Library, error.to_string()))?;
        // Used only while `library` lives: both go into the VM.
        let functions = unsafe { Functions::load(|name| library.symbol(name)) };
        // libkrun keeps the descriptor as its own. Options 0: the filter may come from the environment, which by now
        // holds nothing but what the supervisor put there.
        let log = log.into_raw_fd();
        let level = description.log_level;
        // No escape sequences in lines that the supervisor reads.
        call!(functions.krun_init_log(log, level, sys::KRUN_LOG_STYLE_NEVER as u32, 0))?;
        check_vcpus(&functions, description.vcpus)?;
        let context = call!(functions.krun_create_ctx())?;
        // Never negative: that is an error, and has been returned as one.
        let vm = Self {
            functions,
            context: context as u32,
            _library: library,
        };
        vm.configure(description)?;
        Ok(vm)
    }

    fn configure(&self, description: &Description) -> Result<(), LauncherError> {
        let (functions, context) = (&self.functions, self.context);
        let Description { vcpus, memory_mib, .. } = *description;
        call!(functions.krun_set_vm_config(context, vcpus, memory_mib))?;
        let root = text(&description.root);
        call!(functions.krun_set_root(context, root.as_ptr()))?;
        let workdir = text(&description.workdir);
        call!(functions.krun_set_workdir(context, workdir.as_ptr()))?;
        for mount in &description.mounts {
            let (tag, path) = (text(&mount.tag), text(&mount.path));
            call!(functions.krun_add_virtiofs(context, tag.as_ptr(), path.as_ptr()))?;
        }
        if !description.ports.is_empty() {
            let pairs = description
                .ports
                .iter()
                .map(|port| format!("{}:{}", port.host, port.guest));
            let ports = Texts::new(pairs);
            call!(functions.krun_set_port_map(context, ports.as_ptr()))?;
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
        call!(functions.krun_set_exec(context, command.as_ptr(), arguments.as_ptr(), environment.as_ptr()))?;
        Ok(())
    }

    /// Enters the VM. The process ends with the guest, so this returns only when the VM could not be started.
    pub fn enter(self) -> LauncherError {
        let context = self.context;
        let functions = &self.functions;
        match call!(functions.krun_start_enter(context)) {
            Err(error) => error,
            Ok(value) => LauncherError::new(
                Code::Call,
                format!("krun_start_enter returned {value} instead of running"),
            )
            .in_function("krun_start_enter"),
        }
    }
}

fn check_vcpus(functions: &Functions, vcpus: u8) -> Result<(), LauncherError> {
    let limit = call!(functions.krun_get_max_vcpus())?;
    if i32::from(vcpus) > limit {
        return Err(LauncherError::new(
            Code::BadDescription,
            format!("vcpus is {vcpus}; this host offers {limit}"),
        ));
    }
    Ok(())
}

/// The result of the function `name`: a negative one is an error number.
fn outcome(name: &'static str, result: i32) -> Result<i32, LauncherError> {
    if result >= 0 {
        return Ok(result);
    }
    let errno = result.wrapping_neg();
    let message = format!("{name} failed: {}{}", errno_text(errno), hint(name, errno));
    Err(LauncherError::new(Code::Call, message)
        .in_function(name)
        .with_errno(Some(errno)))
}

fn missing(name: &'static str) -> LauncherError {
    LauncherError::new(Code::Library, format!("this build of libkrun has no function {name}")).in_function(name)
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
