//! Boots a microVM with nothing but the raw bindings.

use std::env;
use std::ffi::{c_char, CString, NulError};
use std::process::ExitCode;
use std::ptr;

use libkrun_sys::{krun_create_ctx, krun_set_exec, krun_set_root, krun_set_vm_config, krun_start_enter};

/// Boots what the arguments name: the guest's root folder, the program in it, and the program's arguments. The process
/// ends with the guest, so this returns only when there is none.
pub fn run() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(root), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: boot <root folder> <program in it> [argument...]");
        return ExitCode::from(64);
    };
    let Err(reason) = boot(&root, &program, arguments);
    eprintln!("no guest: {reason}");
    ExitCode::FAILURE
}

enum Never {}

fn boot(root: &str, program: &str, arguments: impl Iterator<Item = String>) -> Result<Never, String> {
    let text = |value: String| CString::new(value).map_err(|error: NulError| error.to_string());
    let (root, program) = (text(root.to_owned())?, text(program.to_owned())?);
    let arguments: Vec<CString> = arguments.map(text).collect::<Result<_, _>>()?;
    let list: Vec<*const c_char> = arguments
        .iter()
        .map(|argument| argument.as_ptr())
        .chain([ptr::null()])
        .collect();
    let environment = [ptr::null()];
    // All texts and lists outlive the calls, which copy them.
    unsafe {
        let context = done("krun_create_ctx", krun_create_ctx())?;
        done("krun_set_vm_config", krun_set_vm_config(context, 1, 256))?;
        done("krun_set_root", krun_set_root(context, root.as_ptr()))?;
        done(
            "krun_set_exec",
            krun_set_exec(context, program.as_ptr(), list.as_ptr(), environment.as_ptr()),
        )?;
        Err(format!("krun_start_enter returned {}", krun_start_enter(context)))
    }
}

fn done(function: &str, result: i32) -> Result<u32, String> {
    u32::try_from(result).map_err(|_| format!("{function} returned {result}"))
}
