//! Objects in which a function with several results returns them. The napi macro writes the same for newer versions of
//! the napi crate than the one used here.

use std::ffi::CStr;
use std::ptr;

use napi::bindgen_prelude::ToNapiValue;
use napi::{sys, Result};

use crate::failure::{check, set};

/// An object being filled.
pub struct Object {
    env: sys::napi_env,
    value: sys::napi_value,
}

impl Object {
    /// An object without properties.
    ///
    /// # Safety
    /// `env` must be the environment of the running call.
    pub unsafe fn new(env: sys::napi_env) -> Result<Self> {
        let mut value = ptr::null_mut();
        check(unsafe { sys::napi_create_object(env, &mut value) })?;
        Ok(Self { env, value })
    }

    /// Adds a property.
    pub fn set<T: ToNapiValue>(&self, name: &CStr, value: T) -> Result<()> {
        // The environment is the one that `new` was promised.
        let value = unsafe { T::to_napi_value(self.env, value) }?;
        set(self.env, self.value, name, value)
    }

    /// The object, for Node-API.
    pub fn value(&self) -> sys::napi_value {
        self.value
    }
}

/// Lets a struct be returned to JavaScript: field by field, under the names given.
#[macro_export]
macro_rules! result_object {
    ($name:ident { $($field:ident: $key:literal),* }) => {
        impl ::napi::bindgen_prelude::ToNapiValue for $name {
            unsafe fn to_napi_value(
                env: ::napi::sys::napi_env,
                value: Self,
            ) -> ::napi::Result<::napi::sys::napi_value> {
                let object = unsafe { $crate::Object::new(env) }?;
                $(object.set($key, value.$field)?;)*
                Ok(object.value())
            }
        }
    };
}
