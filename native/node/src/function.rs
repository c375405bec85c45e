//! Functions of libkrun: found on first use, and what their results mean in JavaScript.

use std::ffi::CStr;
use std::sync::OnceLock;

use krun_loader::Library;
use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result};

use crate::failure::{throw, throw_errno, throw_missing, Class};
use crate::library::library;

/// All functions of the headers, of the type that the raw bindings emit: filled when libkrun is opened.
pub struct Table<T> {
    functions: OnceLock<T>,
    load: fn(&'static Library) -> T,
}

impl<T> Table<T> {
    /// Names what fills the table; nothing is opened or looked up yet.
    pub const fn new(load: fn(&'static Library) -> T) -> Self {
        Self {
            functions: OnceLock::new(),
            load,
        }
    }

    /// The function that `select` takes from the table; `name` is what errors call it.
    ///
    /// # Errors
    /// Throws `ERR_LIBKRUN_LOAD` when libkrun cannot be opened, `ENOSYS` when it does not export the function.
    pub fn find<F>(&self, env: Env, name: &'static CStr, select: fn(&T) -> Option<F>) -> Result<Call<F>> {
        let functions = match self.functions.get() {
            Some(functions) => functions,
            None => {
                let library = library(env)?;
                self.functions.get_or_init(|| (self.load)(library))
            }
        };
        let function = select(functions).ok_or_else(|| throw_missing(env, name))?;
        Ok(Call { env, name, function })
    }
}

/// A function about to be called, and what its result means.
pub struct Call<F> {
    env: Env,
    name: &'static CStr,
    /// The function itself; it is never unloaded.
    pub function: F,
}

impl<F> Call<F> {
    /// A result that is 0, or a negative errno that is thrown.
    pub fn status(&self, result: impl Into<i64>) -> Result<()> {
        self.value(result.into()).map(|_| ())
    }

    /// A result that is a value from 0 on, or a negative errno that is thrown.
    pub fn value<R: Into<i64> + Copy>(&self, result: R) -> Result<R> {
        if result.into() < 0 {
            return Err(throw_errno(self.env, self.name, result.into()));
        }
        Ok(result)
    }

    /// A result that is 0 or 1, or a negative errno that is thrown.
    pub fn boolean(&self, result: impl Into<i64>) -> Result<bool> {
        self.value(result.into()).map(|value| value != 0)
    }

    /// A result that only a failure gives: the function otherwise never returns, so this always throws.
    pub fn never(&self, result: impl Into<i64>) -> Result<()> {
        self.status(result)?;
        let message = format!("{} returned without an error", self.name.to_string_lossy());
        Err(throw(self.env.raw(), Class::Error, "ERR_LIBKRUN_RETURNED", &message))
    }
}

/// A copy of bytes that libkrun handed out; none for a null pointer.
///
/// # Safety
/// `data` must be null, or point to `length` bytes that can be read.
pub unsafe fn copy_bytes(data: *const u8, length: usize) -> Uint8Array {
    if data.is_null() {
        return Uint8Array::from(Vec::new());
    }
    Uint8Array::from(unsafe { std::slice::from_raw_parts(data, length) }.to_vec())
}
