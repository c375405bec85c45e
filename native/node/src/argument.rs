//! Arguments as JavaScript passed them, and their conversion to what C takes: checked, copied, named in errors.

use std::ffi::{c_char, CString};
use std::ptr;

use napi::bindgen_prelude::FromNapiValue;
use napi::{sys, Error, Result};

use crate::elements::{Element, Elements};
use crate::failure::{check, throw, Class};
use crate::integer::Integer;

const WRONG_TYPE: &str = "ERR_INVALID_ARG_TYPE";
const WRONG_VALUE: &str = "ERR_INVALID_ARG_VALUE";
const OUT_OF_RANGE: &str = "ERR_OUT_OF_RANGE";

/// An argument not yet looked at. Each method converts it and takes the parameter's JavaScript name for its errors:
/// `TypeError` for another type, `RangeError` for a number that is no integer in range.
#[derive(Clone, Copy)]
pub struct Argument {
    env: sys::napi_env,
    value: sys::napi_value,
}

impl FromNapiValue for Argument {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        Ok(Self { env, value })
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        #[doc = concat!("A number that is a `", stringify!($type), "`.")]
        pub fn $type(self, name: &str) -> Result<$type> {
            self.integer(name)
        }
    )*};
}

impl Argument {
    numbers! { u8 u16 u32 i8 i16 i32 }

    /// A number or bigint that is a `u64`; numbers only as far as they are exact.
    pub fn u64(self, name: &str) -> Result<u64> {
        if self.kind()? != sys::ValueType::napi_bigint {
            return self.wide(name);
        }
        let (mut value, mut exact) = (0, false);
        check(unsafe { sys::napi_get_value_bigint_uint64(self.env, self.value, &mut value, &mut exact) })?;
        if exact {
            Ok(value)
        } else {
            Err(self.out_of_range::<u64>(name))
        }
    }

    /// A number or bigint that is an `i64`; numbers only as far as they are exact.
    pub fn i64(self, name: &str) -> Result<i64> {
        if self.kind()? != sys::ValueType::napi_bigint {
            return self.wide(name);
        }
        let (mut value, mut exact) = (0, false);
        check(unsafe { sys::napi_get_value_bigint_int64(self.env, self.value, &mut value, &mut exact) })?;
        if exact {
            Ok(value)
        } else {
            Err(self.out_of_range::<i64>(name))
        }
    }

    /// A number or bigint that is a `size_t`.
    pub fn usize(self, name: &str) -> Result<usize> {
        let value = self.u64(name)?;
        usize::try_from(value).map_err(|_| self.out_of_range::<u64>(name))
    }

    /// A number or bigint that is an `ssize_t`.
    pub fn isize(self, name: &str) -> Result<isize> {
        let value = self.i64(name)?;
        isize::try_from(value).map_err(|_| self.out_of_range::<i64>(name))
    }

    /// A number as it is.
    pub fn f64(self, name: &str) -> Result<f64> {
        self.number(name, "a number")
    }

    /// A number, rounded to the nearest `float`.
    pub fn f32(self, name: &str) -> Result<f32> {
        Ok(self.f64(name)? as f32)
    }

    /// `true` or `false`; nothing else is taken for either.
    pub fn bool(self, name: &str) -> Result<bool> {
        if self.kind()? != sys::ValueType::napi_boolean {
            return Err(self.wrong_type(name, "a boolean"));
        }
        let mut value = false;
        check(unsafe { sys::napi_get_value_bool(self.env, self.value, &mut value) })?;
        Ok(value)
    }

    /// A string without null characters, as UTF-8.
    pub fn string(self, name: &str) -> Result<CString> {
        if self.kind()? != sys::ValueType::napi_string {
            return Err(self.wrong_type(name, "a string"));
        }
        let mut length = 0;
        check(unsafe { sys::napi_get_value_string_utf8(self.env, self.value, ptr::null_mut(), 0, &mut length) })?;
        // Node-API writes a NUL of its own after the text.
        let mut bytes = vec![0u8; length + 1];
        let start = bytes.as_mut_ptr().cast();
        check(unsafe { sys::napi_get_value_string_utf8(self.env, self.value, start, length + 1, &mut length) })?;
        bytes.truncate(length);
        CString::new(bytes).map_err(|_| {
            let message = format!("The \"{name}\" argument must be a string without null characters");
            throw(self.env, Class::Type, WRONG_VALUE, &message)
        })
    }

    /// A string, or `null` or `undefined` for a null pointer.
    pub fn nullable_string(self, name: &str) -> Result<Text> {
        if self.is_nullish()? {
            return Ok(Text(None));
        }
        Ok(Text(Some(self.string(name)?)))
    }

    /// An array of strings.
    pub fn strings(self, name: &str) -> Result<Strings> {
        let mut is_array = false;
        check(unsafe { sys::napi_is_array(self.env, self.value, &mut is_array) })?;
        if !is_array {
            return Err(self.wrong_type(name, "an array of strings"));
        }
        let mut length = 0;
        check(unsafe { sys::napi_get_array_length(self.env, self.value, &mut length) })?;
        let mut texts = Vec::new();
        for index in 0..length {
            let mut value = ptr::null_mut();
            check(unsafe { sys::napi_get_element(self.env, self.value, index, &mut value) })?;
            let element = Self { env: self.env, value };
            texts.push(element.string(&format!("{name}[{index}]"))?);
        }
        Ok(Strings::new(texts))
    }

    /// An array of strings, or `null` or `undefined` for a null pointer.
    pub fn nullable_strings(self, name: &str) -> Result<Strings> {
        if self.is_nullish()? {
            return Ok(Strings::null());
        }
        self.strings(name)
    }

    /// A `Uint8Array` of exactly `N` bytes.
    pub fn fixed_bytes<const N: usize>(self, name: &str) -> Result<[u8; N]> {
        let bytes = self.copied::<u8>(name)?;
        let found = bytes.len();
        bytes.try_into().map_err(|_| {
            let message = format!("The \"{name}\" argument must hold exactly {N} bytes, not {found}");
            throw(self.env, Class::Range, WRONG_VALUE, &message)
        })
    }

    /// A `Uint8Array` of exactly `N` bytes, or `null` or `undefined` for a null pointer.
    pub fn nullable_fixed_bytes<const N: usize>(self, name: &str) -> Result<Bytes> {
        if self.is_nullish()? {
            return Ok(Bytes(None));
        }
        let bytes: [u8; N] = self.fixed_bytes(name)?;
        Ok(Bytes(Some(bytes.to_vec())))
    }

    /// A typed array of `T`, with no more elements than a `C` can count.
    pub fn elements<T: Element, C: TryFrom<usize>>(self, name: &str) -> Result<Elements<T, C>> {
        let elements = self.copied::<T>(name)?;
        let found = elements.len();
        let count = C::try_from(found).map_err(|_| {
            let message = format!("The \"{name}\" argument has more elements than C can count: {found}");
            throw(self.env, Class::Range, WRONG_VALUE, &message)
        })?;
        Ok(Elements::new(Some(elements), count))
    }

    /// A typed array of `T`, or `null` or `undefined` for a null pointer and a count of 0.
    pub fn nullable_elements<T: Element, C: TryFrom<usize> + Default>(self, name: &str) -> Result<Elements<T, C>> {
        if self.is_nullish()? {
            return Ok(Elements::new(None, C::default()));
        }
        self.elements(name)
    }

    fn integer<T: Integer>(self, name: &str) -> Result<T> {
        let number = self.number(name, "a number")?;
        T::from_number(number).ok_or_else(|| self.out_of_range::<T>(name))
    }

    fn wide<T: Integer>(self, name: &str) -> Result<T> {
        let number = self.number(name, "a number or a bigint")?;
        T::from_number(number).ok_or_else(|| {
            let (low, high) = T::RANGE;
            let message = format!(
                "The \"{name}\" argument must be an integer from {low} to {high}, a bigint beyond Number.MAX_SAFE_INTEGER"
            );
            throw(self.env, Class::Range, OUT_OF_RANGE, &message)
        })
    }

    fn number(self, name: &str, expected: &str) -> Result<f64> {
        if self.kind()? != sys::ValueType::napi_number {
            return Err(self.wrong_type(name, expected));
        }
        let mut value = 0.0;
        check(unsafe { sys::napi_get_value_double(self.env, self.value, &mut value) })?;
        Ok(value)
    }

    // Copied at once: JavaScript may change or detach the memory as soon as it runs again.
    fn copied<T: Element>(self, name: &str) -> Result<Vec<T>> {
        let mut is_typed = false;
        check(unsafe { sys::napi_is_typedarray(self.env, self.value, &mut is_typed) })?;
        let (mut kind, mut length, mut data) = (-1, 0, ptr::null_mut());
        if is_typed {
            let (buffer, offset) = (ptr::null_mut(), ptr::null_mut());
            check(unsafe {
                sys::napi_get_typedarray_info(self.env, self.value, &mut kind, &mut length, &mut data, buffer, offset)
            })?;
        }
        if kind != T::KIND {
            return Err(self.wrong_type(name, T::EXPECTED));
        }
        // An empty array may have no memory at all.
        if length == 0 || data.is_null() {
            return Ok(Vec::new());
        }
        Ok(unsafe { std::slice::from_raw_parts(data.cast::<T>(), length) }.to_vec())
    }

    fn kind(self) -> Result<sys::napi_valuetype> {
        let mut kind = 0;
        check(unsafe { sys::napi_typeof(self.env, self.value, &mut kind) })?;
        Ok(kind)
    }

    fn is_nullish(self) -> Result<bool> {
        let kind = self.kind()?;
        Ok(kind == sys::ValueType::napi_null || kind == sys::ValueType::napi_undefined)
    }

    fn wrong_type(self, name: &str, expected: &str) -> Error {
        let message = format!("The \"{name}\" argument must be {expected}");
        throw(self.env, Class::Type, WRONG_TYPE, &message)
    }

    fn out_of_range<T: Integer>(self, name: &str) -> Error {
        let (low, high) = T::RANGE;
        let message = format!("The \"{name}\" argument must be an integer from {low} to {high}");
        throw(self.env, Class::Range, OUT_OF_RANGE, &message)
    }
}

/// A string, or none.
pub struct Text(Option<CString>);

impl Text {
    /// The NUL-terminated text, or null.
    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }
}

/// Strings and the array of pointers to them, ended by a null pointer.
pub struct Strings {
    // Owns what the pointers point to.
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    fn new(texts: Vec<CString>) -> Self {
        let pointers = texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Self {
            _texts: texts,
            pointers,
        }
    }

    fn null() -> Self {
        Self {
            _texts: Vec::new(),
            pointers: Vec::new(),
        }
    }

    /// The first pointer, or null for no array.
    pub fn as_ptr(&self) -> *const *const c_char {
        if self.pointers.is_empty() {
            return ptr::null();
        }
        self.pointers.as_ptr()
    }
}

/// Bytes of a fixed length, or none.
pub struct Bytes(Option<Vec<u8>>);

impl Bytes {
    /// The first byte, or null for none.
    pub fn as_ptr(&self) -> *const u8 {
        self.0.as_ref().map_or(ptr::null(), |bytes| bytes.as_ptr())
    }

    /// The first byte of the copy that C may write to, or null for none.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut().map_or(ptr::null_mut(), |bytes| bytes.as_mut_ptr())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::{CStr, CString};

    use super::{Bytes, Strings, Text};

    #[test]
    fn ends_an_array_of_strings_with_a_null_pointer() {
        let strings = Strings::new(vec![CString::from(c"one"), CString::from(c"two")]);
        let pointers = unsafe { std::slice::from_raw_parts(strings.as_ptr(), 3) };
        assert_eq!(unsafe { CStr::from_ptr(pointers[1]) }, c"two");
        assert!(pointers[2].is_null());
    }

    #[test]
    fn tells_an_empty_array_from_no_array() {
        let empty = Strings::new(Vec::new());
        assert!(!empty.as_ptr().is_null());
        assert!(unsafe { *empty.as_ptr() }.is_null());
        assert!(Strings::null().as_ptr().is_null());
    }

    #[test]
    fn gives_null_for_no_text_and_no_bytes() {
        assert!(Text(None).as_ptr().is_null());
        assert!(Bytes(None).as_ptr().is_null());
        assert!(!Bytes(Some(vec![1])).as_ptr().is_null());
    }
}
