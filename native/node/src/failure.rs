//! JavaScript exceptions with the properties that Node's own errors have.

use std::ffi::CStr;
use std::ptr;

use napi::{sys, Env, Error, Result, Status};

use crate::errno;

/// The JavaScript class of an exception.
#[derive(Clone, Copy)]
pub(crate) enum Class {
    Error,
    Type,
    Range,
}

/// Throws an exception and returns the value that tells the caller so.
///
/// The exception is pending in `env` afterwards; the returned error only carries that fact back through the generated
/// code, which adds nothing to it.
pub(crate) fn throw(env: sys::napi_env, class: Class, code: &str, message: &str) -> Error {
    throw_object(env, class, code, message, None).unwrap_or_else(|error| error)
}

/// Throws what libkrun's `number` (a negative errno) means for `function`.
pub(crate) fn throw_errno(env: Env, function: &CStr, number: i64) -> Error {
    let function = function.to_string_lossy();
    let (code, words) = errno::describe(number);
    let message = format!("{function}: {code}: {words}");
    throw_object(env.raw(), Class::Error, &code, &message, Some((&function, number))).unwrap_or_else(|error| error)
}

/// Throws the error of a function that this build of libkrun does not have.
pub(crate) fn throw_missing(env: Env, function: &CStr) -> Error {
    let function = function.to_string_lossy();
    let message = format!("{function}: ENOSYS: this libkrun does not export the function");
    let system = Some((function.as_ref(), -i64::from(errno::ENOSYS)));
    throw_object(env.raw(), Class::Error, "ENOSYS", &message, system).unwrap_or_else(|error| error)
}

/// Turns a failed Node-API call into an error; the status `napi_pending_exception` keeps the exception that is there.
pub(crate) fn check(status: sys::napi_status) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        other => Err(Error::new(other, format!("Node-API call failed: {other}"))),
    }
}

fn throw_object(
    env: sys::napi_env,
    class: Class,
    code: &str,
    message: &str,
    system: Option<(&str, i64)>,
) -> Result<Error> {
    let (code, message) = (string(env, code)?, string(env, message)?);
    let mut error = ptr::null_mut();
    let create = match class {
        Class::Error => sys::napi_create_error,
        Class::Type => sys::napi_create_type_error,
        Class::Range => sys::napi_create_range_error,
    };
    check(unsafe { create(env, code, message, &mut error) })?;
    if let Some((function, number)) = system {
        let mut errno = ptr::null_mut();
        check(unsafe { sys::napi_create_int64(env, number, &mut errno) })?;
        set(env, error, c"errno", errno)?;
        set(env, error, c"syscall", string(env, function)?)?;
    }
    check(unsafe { sys::napi_throw(env, error) })?;
    Ok(Error::new(Status::PendingException, String::new()))
}

fn string(env: sys::napi_env, text: &str) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    check(unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut value) })?;
    Ok(value)
}

/// Adds a property to an object.
pub(crate) fn set(env: sys::napi_env, object: sys::napi_value, name: &CStr, value: sys::napi_value) -> Result<()> {
    check(unsafe { sys::napi_set_named_property(env, object, name.as_ptr(), value) })
}
