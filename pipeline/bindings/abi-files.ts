/** Version of the lock's form. */
export const LOCK_FORM = 2;

/** The lock, in a project. */
export const LOCK_PATH = 'generated/abi.json';

/** Every file of `generated/` but the lock itself, in the order in which the lock names them. */
export const LOCKED_FILES = [
  'sys.rs',
  'stub.rs',
  'missing.rs',
  'napi/Cargo.lock',
  'napi/Cargo.toml',
  'napi/build.rs',
  'napi/src/constants.rs',
  'napi/src/functions.rs',
  'napi/src/lib.rs',
  'libkrun.d.ts',
] as const;
