//! Elements of typed arrays on their way to C.

use std::ptr;

use napi::sys;

/// A number that a typed array of JavaScript holds.
pub trait Element: Copy + Default {
    /// Node-API's number for the array's class.
    const KIND: sys::napi_typedarray_type;
    /// The array's class, as an error message words it.
    const EXPECTED: &'static str;
}

macro_rules! elements {
    ($($type:ident: $kind:ident, $expected:literal;)*) => {$(
        impl Element for $type {
            const KIND: sys::napi_typedarray_type = sys::TypedarrayType::$kind;
            const EXPECTED: &'static str = $expected;
        }
    )*};
}

elements! {
    u8: uint8_array, "a Uint8Array";
    i8: int8_array, "an Int8Array";
    u16: uint16_array, "a Uint16Array";
    i16: int16_array, "an Int16Array";
    u32: uint32_array, "a Uint32Array";
    i32: int32_array, "an Int32Array";
    u64: biguint64_array, "a BigUint64Array";
    i64: bigint64_array, "a BigInt64Array";
    f32: float32_array, "a Float32Array";
    f64: float64_array, "a Float64Array";
}

/// A copy of a typed array with its count, or none.
pub struct Elements<T, C> {
    // One zero more than there are elements: some functions read on to a zero when the count is 0.
    values: Option<Vec<T>>,
    count: C,
}

impl<T: Element, C> Elements<T, C> {
    pub(crate) fn new(values: Option<Vec<T>>, count: C) -> Self {
        let ended = values.map(|mut values| {
            values.push(T::default());
            values
        });
        Self { values: ended, count }
    }

    /// The first element, or null for none.
    pub fn as_ptr(&self) -> *const T {
        self.values.as_ref().map_or(ptr::null(), |values| values.as_ptr())
    }

    /// Count of elements; 0 for none.
    pub fn count(&self) -> C
    where
        C: Copy,
    {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::Elements;

    #[test]
    fn ends_an_array_with_a_zero_that_does_not_count() {
        let elements = Elements::new(Some(vec![7_u16, 9]), 2_u8);
        assert_eq!(elements.count(), 2);
        assert_eq!(unsafe { std::slice::from_raw_parts(elements.as_ptr(), 3) }, [7, 9, 0]);
    }

    #[test]
    fn tells_no_array_from_an_empty_one() {
        assert!(Elements::<u8, usize>::new(None, 0).as_ptr().is_null());
        assert!(!Elements::<u8, usize>::new(Some(Vec::new()), 0).as_ptr().is_null());
    }
}
