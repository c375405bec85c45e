//! Without libkrun: whoever calls it is told, in a way that a test can expect.
#![cfg(stub)]

use std::panic::catch_unwind;

use libkrun_sys::{krun_create_ctx, krun_set_root, krun_set_tee_config_file, KRUN_LOG_LEVEL_TRACE};

#[test]
#[should_panic(expected = "krun_create_ctx was called")]
fn a_call_panics_and_names_the_function() {
    unsafe { krun_create_ctx() };
}

#[test]
fn the_panic_is_caught_and_names_the_variable() {
    let caught = catch_unwind(|| unsafe { krun_set_root(0, c"/".as_ptr()) }).unwrap_err();
    let message = caught.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("krun_set_root") && message.contains("A3S_DEPS_STUB"),
        "{message}"
    );
}

#[test]
fn a_function_that_the_real_library_lacks_panics_too() {
    assert!(catch_unwind(|| unsafe { krun_set_tee_config_file(0, c"file".as_ptr()) }).is_err());
}

#[test]
fn constants_are_there() {
    assert_eq!(KRUN_LOG_LEVEL_TRACE, 5);
}
