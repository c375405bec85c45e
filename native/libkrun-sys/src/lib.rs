//! Raw bindings of libkrun, the library that starts microVMs: its functions, constants and records as `libkrun.h`
//! declares them, and a table of the functions for whoever opens the library at run time.
//!
//! The build script lets `a3s-build` make libkrun, or takes it from where `a3s-build` made it before. With
//! `A3S_DEPS_STUB=1`, and on docs.rs, nothing native is needed: every function panics, naming itself, when it is called.
//!
//! # Safety
//!
//! Every function is C's: pointers must be valid for what the header says of them, and strings end with NUL.

#![no_std]
// What must hold for a call stands in the header and is the same for every function: see above.
#![allow(clippy::missing_safety_doc)]

// Of a function that is defined below, the declaration is not used.
#[allow(dead_code)]
mod bindings;

pub use bindings::*;

// Definitions go before what a glob import brings, so that callers see one function of each name in every mode.
#[cfg(a3s_stub)]
include!("stub.rs");
#[cfg(not(a3s_stub))]
include!("missing.rs");
