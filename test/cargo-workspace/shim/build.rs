//! Puts the folders of libkrun and libkrunfw on the run-time search path; in stub mode there are none.

use std::env;

fn main() {
    for name in ["DEP_A3S_KRUN_LIBKRUN_A3S_DEP", "DEP_A3S_KRUN_LIBKRUNFW_A3S_DEP"] {
        let folder = env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        if folder == "/nonexistent" {
            println!("cargo:rustc-cfg=stub");
        } else {
            println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        }
    }
}
