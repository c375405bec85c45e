//! With libkrun: its functions are called, and the one that it lacks says so.
#![cfg(not(stub))]

use libkrun_sys::{krun_create_ctx, krun_free_ctx, krun_set_tee_config_file};

#[test]
fn a_context_is_created_and_freed_once() {
    unsafe {
        let context = u32::try_from(krun_create_ctx()).unwrap();
        assert_eq!(krun_free_ctx(context), 0);
        assert!(krun_free_ctx(context) < 0);
    }
}

#[test]
fn a_function_that_this_build_lacks_is_not_implemented() {
    let enosys = if cfg!(target_os = "macos") { -78 } else { -38 };
    assert_eq!(unsafe { krun_set_tee_config_file(0, c"file".as_ptr()) }, enosys);
}
