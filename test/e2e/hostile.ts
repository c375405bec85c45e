/**
 * What people have in their environment, and what would change or break a build if it got through: none of it is part of
 * any digest.
 */
export const HOSTILE_VARIABLES: Readonly<Record<string, string>> = {
  CARGO_BUILD_TARGET: 'wasm32-unknown-unknown',
  CARGO_TARGET_DIR: '/nonexistent/target',
  RUSTFLAGS: '-C opt-level=0 --cfg hostile',
  RUSTC_WRAPPER: '/nonexistent/wrapper',
  MAKEFLAGS: '-j1 -- DESTDIR=/nonexistent',
  DESTDIR: '/nonexistent',
};
