//! Starts one microVM in a process of its own. See `HELP`, and the modules for the why.

mod command_line;
mod description;
mod error;
mod folders;
mod host;
mod log;
mod options;
mod signals;
mod supervise;
// The types of libkrun's functions as its header gives them; most of the raw bindings is not used here.
#[allow(dead_code)]
#[path = "../../../generated/sys.rs"]
mod sys;
mod vm;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::exit;

use error::{Code, LauncherError, EXIT_NOT_STARTED};
use options::{Action, Source, HELP};

type Outcome = Result<i32, (LauncherError, i32)>;

fn main() {
    let (action, error_fd) = options::parse(std::env::args_os().skip(1));
    let outcome = match action {
        Err(error) => Err((error, EXIT_NOT_STARTED)),
        Ok(Action::Help) => say(HELP),
        Ok(Action::Version) => say(concat!("krun-launcher ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Action::Check) => not_started(host::check()).map(|()| 0),
        Ok(Action::Run { source, library }) => not_started(read(source).and_then(|text| prepare(&text, library)))
            .and_then(|(description, folder)| supervise::run(&folder, &description, error_fd)),
    };
    exit(outcome.unwrap_or_else(|(error, code)| {
        error.report(error_fd);
        code
    }))
}

fn say(text: &str) -> Outcome {
    print!("{text}");
    Ok(0)
}

fn not_started<T>(result: Result<T, LauncherError>) -> Result<T, (LauncherError, i32)> {
    result.map_err(|error| (error, EXIT_NOT_STARTED))
}

fn read(source: Source) -> Result<Vec<u8>, LauncherError> {
    let (name, file) = match source {
        Source::Descriptor(file) => ("the descriptor of --fd".to_owned(), Ok(file)),
        Source::File(path) => (path.display().to_string(), File::open(&path)),
    };
    let mut text = Vec::new();
    file.and_then(|file| file.take(description::MAX_BYTES + 1).read_to_end(&mut text))
        .map_err(|error| description::bad(format!("cannot read {name}: {error}")).with_errno(error.raw_os_error()))?;
    Ok(text)
}

/// Everything that can be found out before a process is started.
fn prepare(text: &[u8], library: Option<PathBuf>) -> Result<(description::Description, PathBuf), LauncherError> {
    let description = description::parse(text)?;
    folders::check(&description)?;
    let folder = library.map_or_else(own_library, Ok)?;
    host::check()?;
    Ok((description, folder))
}

/// `../lib`, seen from the executable itself and not from a link to it.
fn own_library() -> Result<PathBuf, LauncherError> {
    let unknown = |error: std::io::Error| {
        LauncherError::new(Code::Library, format!("cannot tell where krun-launcher lies: {error}"))
            .with_errno(error.raw_os_error())
    };
    let executable = std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(unknown)?;
    Ok(executable
        .ancestors()
        .nth(2)
        .map(|prefix| prefix.join("lib"))
        .unwrap_or_default())
}
