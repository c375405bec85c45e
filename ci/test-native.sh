#!/usr/bin/env bash
# Checks and tests of the Rust crates: the hand-written ones, and the emitted crate on its own.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}/native
cargo fmt --manifest-path native/Cargo.toml --all --check
cargo clippy --manifest-path native/Cargo.toml --locked --all-targets --target-dir "$target" -- -D warnings
cargo test --manifest-path native/Cargo.toml --locked --target-dir "$target"
for manifest in native/libkrun-sys/Cargo.toml test/cargo-workspace/Cargo.toml; do
  cargo fmt --manifest-path "$manifest" --all --check
  A3S_DEPS_STUB=1 cargo clippy --manifest-path "$manifest" --locked --all-targets --target-dir "$target" -- -D warnings
  A3S_DEPS_STUB=1 cargo test --manifest-path "$manifest" --locked --target-dir "$target"
done
cargo check --manifest-path generated/napi/Cargo.toml --locked --target-dir "$target"
rustc --edition 2021 --crate-type lib --emit metadata -D warnings -o "$target/sys.rmeta" generated/sys.rs
