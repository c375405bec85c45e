/** Types that rust-bindgen adds to its output for itself. */
export const HELPERS_OF_BINDGEN = /^record (?:__Bindgen\w+|__va_list_tag): only bindgen$/;

const DROPPED =
  'bindgen evaluates no casts, no sizeof and no operators beyond the simplest, and drops the macro in silence';
const BY_VALUE =
  'a record with bit-fields has no exact counterpart in Rust, so passing it by value would be wrong calls';

/**
 * Where our bindings of the feature headers and rust-bindgen's differ on purpose: header → difference → reason. A
 * difference that is no longer there fails the test as much as a new one.
 */
export const REVIEWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'aligned.h': {
    'theirs.rs: index out of bounds: the length is 1 but the index is 1: ["Offset of field: aligned_and_packed::value"]':
      'bindgen takes aligned(4) for packed(4), and its own assertion fails; the C compiler agrees with ours',
  },
  'by-value.h': {
    'function value_bits_by_value: only bindgen': BY_VALUE,
    'function value_callback_use: only bindgen': BY_VALUE,
    'function value_holder_by_value: only bindgen': BY_VALUE,
  },
  'cast-macros.h': {
    'constant CAST_BOOL: only ours': DROPPED,
    'constant CAST_BYTE: only ours': DROPPED,
    'constant CAST_CHAR: only ours': DROPPED,
    'constant CAST_ENUM: only ours': DROPPED,
    'constant CAST_FROM_FLOAT: only ours': DROPPED,
    'constant CAST_LONG: only ours': DROPPED,
    'constant CAST_SHORT: only ours': DROPPED,
    'constant CAST_SIGNED: only ours': DROPPED,
    'constant CAST_SIZE: only ours': DROPPED,
  },
  'float-macros.h': {
    'constant FLOAT_CAST: only ours': DROPPED,
    'constant FLOAT_HEX: only ours': DROPPED,
    'constant FLOAT_LARGEST_SINGLE: only ours': DROPPED,
    'constant FLOAT_LONG: only bindgen': 'Rust has no long double, and f64 is another value: skipped with that reason',
    'constant FLOAT_NEGATIVE: only ours': DROPPED,
    'constant FLOAT_SMALL: only ours': DROPPED,
    'constant FLOAT_SMALL_SINGLE: only ours': DROPPED,
  },
  'function-pointers.h': {
    'type of pointer_plain differs':
      'a typedef of a function, not of a pointer to one: ours is the function, and pointers to it are optional',
  },
  'functions.h': {
    'ours.rs: `function_exit` redeclared with a different signature: pub fn function_exit(code: c_uint);':
      'bindgen takes noreturn into the type; ours tells it in the documentation and returns nothing',
  },
  'packed.h': {
    'theirs.rs: index out of bounds: the length is 1 but the index is 3: ["Offset of field: packed_member::value"]':
      'bindgen does not see that one member alone is packed, and its own assertion fails; the C compiler agrees with ours',
  },
  'string-macros.h': {
    'constant STRING_NUL: only bindgen': 'a C string ends at its first NUL: skipped with that reason',
    'constant STRING_WIDE: only bindgen':
      'bindgen reads a string of wide characters as one of bytes; skipped with that reason',
  },
  'unsupported-types.h': {
    'function unsupported_arguments: only bindgen': 'va_list has no stable layout in Rust: skipped with that reason',
    'function unsupported_complex: only bindgen':
      'complex numbers are passed otherwise than a struct: skipped with that reason',
  },
  'wide-values.h': {
    'constant WIDE_CHOICE: only ours': DROPPED,
    'constant WIDE_COMPARISON: only ours': DROPPED,
    'constant WIDE_LARGEST: only ours': DROPPED,
    'constant WIDE_SHIFT: only ours': DROPPED,
    'constant WIDE_SIZEOF: only ours': DROPPED,
    'constant WIDE_SMALLEST: only ours': DROPPED,
  },
};
