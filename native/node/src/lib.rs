//! Runtime of the Node addon: what the generated functions call, so that they stay declarations of types and names.
//!
//! The addon links nothing of libkrun. It opens the library when the first function is called, and looks each function
//! of the raw bindings up on its own, so that one missing from a build fails alone, when called, with `ENOSYS`.
//!
//! Every failure is a JavaScript exception with a `code`:
//!
//! | what happened | class | `code` |
//! |---|---|---|
//! | libkrun returned a negative errno | `Error` | its name (`ENOENT`), with `errno` and `syscall` |
//! | this libkrun lacks the function | `Error` | `ENOSYS`, with `errno` and `syscall` |
//! | the library cannot be opened | `Error` | `ERR_LIBKRUN_LOAD` |
//! | `loadLibrary` after another folder's library was opened | `Error` | `ERR_LIBKRUN_LOADED` |
//! | a call that must not return did, without an error | `Error` | `ERR_LIBKRUN_RETURNED` |
//! | argument of the wrong type | `TypeError` | `ERR_INVALID_ARG_TYPE` |
//! | string with a null character, bytes of the wrong length | `TypeError`, `RangeError` | `ERR_INVALID_ARG_VALUE` |
//! | number that is not an integer in range | `RangeError` | `ERR_OUT_OF_RANGE` |
//!
//! `errno` is negative, as in Node's own system errors, so `util.getSystemErrorName(error.errno)` works on it.

mod argument;
mod elements;
mod errno;
mod failure;
mod function;
mod integer;
mod library;
mod object;

pub use argument::{Argument, Bytes, Strings, Text};
pub use elements::{Element, Elements};
pub use function::{copy_bytes, Call, Table};
pub use library::load_library;
/// The attribute that registers a generated function or constant with Node.
pub use napi_derive::napi;
pub use object::Object;
