//! The command line.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{FromRawFd, RawFd};
use std::path::PathBuf;

use crate::description::bad;
use crate::error::LauncherError;

pub const HELP: &str = "\
Starts one microVM and ends with its command's exit code.

  krun-launcher --fd <n>               reads the VM's description from an open descriptor
  krun-launcher --description <file>   reads it from a file
  krun-launcher --check                only tells whether this host can run a VM

Options
  --library <folder>   holds libkrun and libkrunfw (default: ../lib beside the executable's folder)
  --error-fd <n>       receives one JSON object {code, message, function?, errno?} when the launcher itself fails
  --version, --help

The description is a JSON object of at most 1 MiB:
  root         host folder that becomes the guest's / (required); the guest's init leaves /init.trace.log in it
  command      program to run in the guest (required)
  arguments    list of strings, without the command's own name
  environment  object of strings; nothing else is passed on (the guest's kernel adds HOME=/ and TERM=linux)
  workdir      folder in the guest (\"/\")
  vcpus        1 to what the host offers (1)
  memoryMib    memory in MiB, 64 at least (512)
  mounts       list of {tag, path}; in the guest: mount -t virtiofs <tag> <folder>
  ports        list of {host, guest}, TCP
  logLevel     off, error, warn, info, debug, trace, or 0 to 5 (\"error\"), on stderr
Strings for the guest are printable ASCII without double quotes; 31 arguments, 26 variables, 1.6 KB in all at most.

Exit codes
  125       the launcher could not start the VM, or the guest was lost
  126, 127  command not executable, not found
  128+n     ended by signal n
  others    the command's own
";

/// Where the description comes from.
#[derive(Debug)]
pub enum Source {
    Descriptor(File),
    File(PathBuf),
}

/// What the launcher was asked to do.
#[derive(Debug)]
pub enum Action {
    Run { source: Source, library: Option<PathBuf> },
    Check,
    Version,
    Help,
}

/// Reads the command line; the descriptor for errors comes along even when the rest is wrong.
pub fn parse(words: impl Iterator<Item = OsString>) -> (Result<Action, LauncherError>, Option<RawFd>) {
    let mut error_fd = None;
    let action = read(words, &mut error_fd);
    (action, error_fd)
}

fn read(mut words: impl Iterator<Item = OsString>, error_fd: &mut Option<RawFd>) -> Result<Action, LauncherError> {
    let (mut source, mut library, mut other) = (None, None, None);
    while let Some(word) = words.next() {
        let option = word.to_string_lossy().into_owned();
        let mut value = || words.next().ok_or_else(|| bad(format!("{option} needs a value")));
        match option.as_str() {
            "--fd" => {
                // Open, and taken over from here on: nothing else in this process uses it.
                let file = unsafe { File::from_raw_fd(descriptor(&option, &value()?)?) };
                source = Some(Source::Descriptor(file));
            }
            "--description" => source = Some(Source::File(value()?.into())),
            "--library" => library = Some(PathBuf::from(value()?)),
            "--error-fd" => *error_fd = Some(descriptor(&option, &value()?)?),
            "--check" => other = Some(Action::Check),
            "--version" => other = Some(Action::Version),
            "--help" | "-h" => other = Some(Action::Help),
            _ => return Err(bad(format!("unknown option {option:?}"))),
        }
    }
    match (other, source) {
        (Some(action), _) => Ok(action),
        (None, Some(source)) => Ok(Action::Run { source, library }),
        (None, None) => Err(bad("no description: give --fd or --description")),
    }
}

/// An open descriptor beyond the standard streams.
fn descriptor(option: &str, value: &OsString) -> Result<RawFd, LauncherError> {
    let number = value
        .to_str()
        .and_then(|text| text.parse::<RawFd>().ok())
        .filter(|number| *number > 2);
    number
        .filter(|number| unsafe { libc::fcntl(*number, libc::F_GETFD) } >= 0)
        .ok_or_else(|| {
            bad(format!(
                "{option} must be the number of an open descriptor from 3 up, not {value:?}"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn action(words: &[&str]) -> Result<Action, LauncherError> {
        parse(words.iter().map(OsString::from)).0
    }

    #[test]
    fn a_description_is_required() {
        assert_eq!(action(&[]).unwrap_err().code, Code::BadDescription);
        assert!(action(&["--description"])
            .unwrap_err()
            .message
            .contains("--description needs a value"));
    }

    #[test]
    fn standard_streams_and_closed_descriptors_are_refused() {
        for number in ["0", "2", "-1", "x", "987654"] {
            assert!(
                action(&["--fd", number]).unwrap_err().message.contains("--fd"),
                "{number}"
            );
        }
    }

    #[test]
    fn the_folder_of_the_library_is_taken_as_given() {
        let run = action(&["--description", "/x", "--library", "/y"]).unwrap();
        let Action::Run {
            source: Source::File(file),
            library,
        } = run
        else {
            panic!("not a run")
        };
        assert_eq!((file, library), (PathBuf::from("/x"), Some(PathBuf::from("/y"))));
    }

    #[test]
    fn unknown_options_are_named() {
        assert!(action(&["--libary", "/y"]).unwrap_err().message.contains("--libary"));
    }
}
