//! What the guest's kernel command line can carry.
//!
//! libkrun hands the command, its arguments, the environment and the working folder to the guest's init as words of
//! the kernel command line: printable ASCII, quoted with `"`, without an escape character. libkrun replaces what does
//! not fit by `_`, and the kernel cuts off what is too long. A command that runs with other words than those given is
//! worse than one that does not run, so everything that would not arrive as it is gets refused here.

use crate::description::{bad, Description};
use crate::error::LauncherError;

/// COMMAND_LINE_SIZE of Linux on x86-64 and arm64, in bytes, with the final NUL.
const KERNEL_LINE_BYTES: usize = 2048;
/// What libkrun itself puts on the line: measured 300 bytes for one share, no more than 40 for each further device.
const RESERVED_BYTES: usize = 400;
const BYTES_PER_MOUNT: usize = 40;
/// CONFIG_INIT_ENV_ARG_LIMIT of Linux: with more arguments, or more variables, the guest's kernel panics.
const KERNEL_LIST_LIMIT: usize = 32;
/// HOME, TERM, KRUN_INIT, KRUN_WORKDIR and the words of libkrun that the kernel takes for variables.
const RESERVED_VARIABLES: usize = 6;
/// Variables by which the guest's init is told what to run. Init also takes them from `/proc/cmdline`.
const INIT_PREFIX: &str = "KRUN_";
/// Init sets variables from words of the line that start so, whether they are meant as variables or as arguments.
const IMPORTED_PREFIXES: [&str; 4] = [INIT_PREFIX, "BOX_", "A3S_", "LD_"];
/// Parameters of the kernel itself: given as a variable they would reach the kernel and not the command.
const KERNEL_PARAMETERS: [&str; 20] = [
    "console",
    "debug",
    "init",
    "loglevel",
    "maxcpus",
    "mem",
    "nomodule",
    "nosmp",
    "nr_cpus",
    "panic",
    "panic_print",
    "quiet",
    "rdinit",
    "reboot",
    "ro",
    "root",
    "rootflags",
    "rootfstype",
    "rw",
    "single",
];

/// # Errors
/// `BadDescription`, naming the field and what the line cannot carry.
pub fn check(description: &Description) -> Result<(), LauncherError> {
    for (field, text) in [("command", &description.command), ("workdir", &description.workdir)] {
        words(field, text)?;
        if text.contains(' ') {
            return Err(bad(format!("{field} contains a space; libkrun cannot pass that on")));
        }
    }
    for (index, argument) in description.arguments.iter().enumerate() {
        words(&format!("arguments[{index}]"), argument)?;
        if argument == "--" {
            return Err(bad(format!(
                "arguments[{index}] is \"--\": the guest's kernel would drop it and all that follows"
            )));
        }
        if argument.contains('=') && IMPORTED_PREFIXES.iter().any(|prefix| argument.starts_with(prefix)) {
            return Err(bad(format!(
                "arguments[{index}] would set a variable in the guest: arguments must not start like one of {}",
                IMPORTED_PREFIXES.join(", ")
            )));
        }
    }
    for (name, value) in &description.environment {
        variable(name, value)?;
    }
    counts(description)?;
    length(description)
}

fn words(field: &str, text: &str) -> Result<(), LauncherError> {
    match text
        .chars()
        .find(|character| !matches!(character, ' '..='~') || *character == '"')
    {
        None => Ok(()),
        Some(character) => Err(bad(format!(
            "{field} contains {character:?}; libkrun can pass on printable ASCII without double quotes only (put the \
             rest into a file in the root folder)"
        ))),
    }
}

fn variable(name: &str, value: &str) -> Result<(), LauncherError> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain || name.as_bytes()[0].is_ascii_digit() {
        return Err(bad(format!(
            "environment: the name {name:?} is not made of letters, digits and _"
        )));
    }
    if name.starts_with(INIT_PREFIX) {
        return Err(bad(format!(
            "environment: {name} is refused; names with {INIT_PREFIX} are the guest init's own"
        )));
    }
    if KERNEL_PARAMETERS.contains(&name) {
        return Err(bad(format!(
            "environment: {name} is refused; the guest's kernel would take it for itself"
        )));
    }
    words(&format!("environment.{name}"), value)
}

fn counts(description: &Description) -> Result<(), LauncherError> {
    let Description {
        arguments, environment, ..
    } = description;
    // The kernel counts the init's own name as the first argument.
    for (field, count, limit) in [
        ("arguments", arguments.len(), KERNEL_LIST_LIMIT - 1),
        ("environment", environment.len(), KERNEL_LIST_LIMIT - RESERVED_VARIABLES),
    ] {
        if count > limit {
            return Err(bad(format!(
                "{field} has {count} entries; a guest takes at most {limit}"
            )));
        }
    }
    Ok(())
}

fn length(description: &Description) -> Result<(), LauncherError> {
    // Each word costs two quotes and a space more.
    let arguments = description.arguments.iter().map(|argument| argument.len() + 3);
    let variables = description
        .environment
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4);
    let fixed = description.command.len() + description.workdir.len() + description.mounts.len() * BYTES_PER_MOUNT;
    let used = fixed + arguments.sum::<usize>() + variables.sum::<usize>();
    let limit = KERNEL_LINE_BYTES - RESERVED_BYTES;
    if used > limit {
        return Err(bad(format!(
            "command, arguments, environment, workdir and mounts take {used} bytes together; a guest takes {limit} \
             (put long texts into a file in the root folder)"
        )));
    }
    Ok(())
}
