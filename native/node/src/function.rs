//! One function of libkrun: its address, found on first use, and what its result means in JavaScript.

use std::ffi::CStr;
use std::sync::OnceLock;

use napi::{Env, Result};

use crate::failure::{throw, throw_errno, throw_missing, Class};
use crate::library::library;

/// A function of libkrun, of the C type `T`.
pub struct Function<T> {
    name: &'static CStr,
    // `None` once the library is known to lack it; empty until a library could be opened.
    address: OnceLock<Option<T>>,
}

impl<T: Copy> Function<T> {
    /// Names the function; nothing is opened or looked up yet.
    ///
    /// # Safety
    /// `T` must be the function-pointer type that agrees with the C declaration of `name`.
    pub const unsafe fn new(name: &'static CStr) -> Self {
        Self {
            name,
            address: OnceLock::new(),
        }
    }

    /// The function itself.
    ///
    /// # Errors
    /// Throws `ERR_LIBKRUN_LOAD` when libkrun cannot be opened, `ENOSYS` when it does not export the function.
    pub fn find(&self, env: Env) -> Result<T> {
        let library = library(env)?;
        // Sound by the promise made to `new`; the library is never closed.
        let address = self.address.get_or_init(|| unsafe { library.function(self.name) });
        address.ok_or_else(|| throw_missing(env, self.name))
    }

    /// A result that is 0, or a negative errno that is thrown.
    pub fn status(&self, env: Env, result: impl Into<i64>) -> Result<()> {
        self.checked(env, result.into()).map(|_| ())
    }

    /// A result that is a value from 0 on, or a negative errno that is thrown.
    pub fn value<R: Into<i64> + Copy>(&self, env: Env, result: R) -> Result<R> {
        self.checked(env, result.into()).map(|_| result)
    }

    /// A result that is 0 or 1, or a negative errno that is thrown.
    pub fn boolean(&self, env: Env, result: impl Into<i64>) -> Result<bool> {
        self.checked(env, result.into()).map(|value| value != 0)
    }

    /// A result that only a failure gives: the function otherwise never returns, so this always throws.
    pub fn never(&self, env: Env, result: impl Into<i64>) -> Result<()> {
        self.status(env, result)?;
        let message = format!("{} returned without an error", self.name.to_string_lossy());
        Err(throw(env.raw(), Class::Error, "ERR_LIBKRUN_RETURNED", &message))
    }

    fn checked(&self, env: Env, result: i64) -> Result<i64> {
        if result < 0 {
            return Err(throw_errno(env, self.name, result));
        }
        Ok(result)
    }
}
