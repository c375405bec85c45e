//! Asks `a3s-build` for libkrun and passes on what it answers; knows nothing of libkrun itself.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{exit, Command, Stdio};

/// Everything that decides here, before the tool is asked.
const WATCHED: [&str; 3] = ["A3S_DEPS_STUB", "A3S_BUILD_BIN", "DOCS_RS"];

const STUB: &str = "cargo:rustc-cfg=a3s_stub
cargo:LIBKRUN_A3S_DEP=/nonexistent
cargo:LIBKRUNFW_A3S_DEP=/nonexistent";

fn main() {
    WATCHED
        .iter()
        .for_each(|name| println!("cargo:rerun-if-env-changed={name}"));
    if env::var_os("DOCS_RS").is_some() || stub_wanted() {
        return println!("{STUB}");
    }
    let out = PathBuf::from(required("OUT_DIR"));
    let (mut tool, project) = find_tool(&out);
    tool.arg("--cwd")
        .arg(project)
        .args(["link", "--format", "cargo", "--target"]);
    tool.arg(required("TARGET"))
        .arg("--layout")
        .arg(&out)
        .arg("-j")
        .arg(required("NUM_JOBS"));
    // Its standard output is ours: cargo reads the lines. What else it says is shown by cargo when it fails.
    match tool.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => {}
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => tool_missing(&format!("{:?} could not be started: {error}", tool.get_program())),
    }
}

/// `a3s-build`, and the folder to look for the project from: where the tool is installed for it, else where cargo builds.
fn find_tool(out: &Path) -> (Command, PathBuf) {
    if let Some(named) = env::var_os("A3S_BUILD_BIN").filter(|name| !name.is_empty()) {
        return (Command::new(named), out.to_path_buf());
    }
    let name = if cfg!(windows) { "a3s-build.cmd" } else { "a3s-build" };
    let manifest = PathBuf::from(required("CARGO_MANIFEST_DIR"));
    for folder in manifest.ancestors().chain(out.ancestors()) {
        let found = folder.join("node_modules/.bin").join(name);
        if found.is_file() {
            return (Command::new(found), folder.to_path_buf());
        }
    }
    let npx = |args: &[&str]| {
        let mut command = Command::new(if cfg!(windows) { "npx.cmd" } else { "npx" });
        command.args(["--no-install", "a3s-build"]).args(args).current_dir(out);
        command
    };
    let probe = npx(&["--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        tool_missing(&format!(
            "no node_modules/.bin/a3s-build above {} or {}",
            manifest.display(),
            out.display()
        ));
    }
    (npx(&[]), out.to_path_buf())
}

/// The words that `a3s-build` takes for on and off.
fn stub_wanted() -> bool {
    let value = env::var_os("A3S_DEPS_STUB").unwrap_or_default();
    match value.to_string_lossy().trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => true,
        "" | "0" | "false" | "no" | "off" => false,
        _ => fail(
            "A3S1103",
            &format!("A3S_DEPS_STUB={} is neither on nor off", value.to_string_lossy()),
            "Set A3S_DEPS_STUB to 1, true, yes or on, or to 0, false, no, off or nothing.",
        ),
    }
}

fn required(name: impl AsRef<OsStr>) -> OsString {
    let name = name.as_ref();
    env::var_os(name).unwrap_or_else(|| fail("A3S1401", &format!("{name:?} is not set"), "Build with cargo."))
}

fn tool_missing(message: &str) -> ! {
    fail(
        "A3S1401",
        &format!("a3s-build, which makes libkrun, was not found: {message}"),
        "npm install --save-dev a3s-build, or set A3S_BUILD_BIN to it; A3S_DEPS_STUB=1 builds without libkrun.",
    )
}

fn fail(code: &str, message: &str, fix: &str) -> ! {
    eprintln!("error {code}: {message}\n  Fix:  {fix}");
    exit(1)
}
