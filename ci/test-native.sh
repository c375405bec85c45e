#!/usr/bin/env bash
# Checks and tests of the Rust crates: the hand-written ones, and the emitted crate on its own.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}/native
cargo fmt --manifest-path native/Cargo.toml --all --check
cargo clippy --manifest-path native/Cargo.toml --locked --all-targets --target-dir "$target" -- -D warnings
cargo test --manifest-path native/Cargo.toml --locked --target-dir "$target"
cargo check --manifest-path generated/napi/Cargo.toml --locked --target-dir "$target"
rustc --edition 2021 --crate-type lib --emit metadata -D warnings -o "$target/sys.rmeta" generated/sys.rs
