//! Which JavaScript numbers are integers of a C type. Node-API's own conversions wrap silently (`NaN` becomes 0, which
//! is a valid context), so none of them is used.

/// Largest integer below which every integer is exactly one `f64` (`Number.MAX_SAFE_INTEGER`).
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// An integer type that a C parameter can have.
pub(crate) trait Integer: Sized {
    /// Smallest and largest value, as an error message words them.
    const RANGE: (&'static str, &'static str);
    /// The value of `number`, when it is an integer of this type and exactly known.
    fn from_number(number: f64) -> Option<Self>;
}

macro_rules! integers {
    ($($type:ident: $low:literal to $high:literal;)*) => {$(
        impl Integer for $type {
            const RANGE: (&'static str, &'static str) = ($low, $high);

            fn from_number(number: f64) -> Option<Self> {
                // Also refuses NaN and the infinities, which have no integer part or exceed the bound.
                if number.trunc() != number || number.abs() > MAX_SAFE {
                    return None;
                }
                // Exact: the checks above leave integers that an i64 holds.
                Self::try_from(number as i64).ok()
            }
        }
    )*};
}

integers! {
    u8: "0" to "255";
    u16: "0" to "65535";
    u32: "0" to "4294967295";
    u64: "0" to "18446744073709551615";
    i8: "-128" to "127";
    i16: "-32768" to "32767";
    i32: "-2147483648" to "2147483647";
    i64: "-9223372036854775808" to "9223372036854775807";
}

#[cfg(test)]
mod tests {
    use super::Integer;

    #[test]
    fn accepts_both_ends_of_each_range() {
        assert_eq!(u8::from_number(255.0), Some(255));
        assert_eq!(u16::from_number(65_535.0), Some(65_535));
        assert_eq!(u32::from_number(4_294_967_295.0), Some(u32::MAX));
        assert_eq!(i32::from_number(-2_147_483_648.0), Some(i32::MIN));
        assert_eq!(i8::from_number(-128.0), Some(-128));
        assert_eq!(u64::from_number(9_007_199_254_740_991.0), Some(9_007_199_254_740_991));
    }

    #[test]
    fn refuses_one_past_each_end() {
        assert_eq!(u8::from_number(256.0), None);
        assert_eq!(u16::from_number(-1.0), None);
        assert_eq!(u32::from_number(4_294_967_296.0), None);
        assert_eq!(u32::from_number(-1.0), None);
        assert_eq!(i32::from_number(2_147_483_648.0), None);
        assert_eq!(i16::from_number(-32_769.0), None);
    }

    #[test]
    fn refuses_what_is_no_integer() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.5, -0.1, f64::MIN_POSITIVE] {
            assert_eq!(u32::from_number(number), None, "{number}");
            assert_eq!(i64::from_number(number), None, "{number}");
        }
    }

    #[test]
    fn refuses_integers_that_a_number_cannot_tell_apart() {
        assert_eq!(u64::from_number(9_007_199_254_740_992.0), None);
        assert_eq!(i64::from_number(-9_007_199_254_740_992.0), None);
    }

    #[test]
    fn takes_negative_zero_for_zero() {
        assert_eq!(u32::from_number(-0.0), Some(0));
    }
}
