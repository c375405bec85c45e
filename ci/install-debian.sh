#!/usr/bin/env bash
# Installs what the tests need beyond Node, Rust and gcc. Safe to run again: what is there stays untouched.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v openssl > /dev/null || missing+=(openssl)
command -v setpriv > /dev/null || missing+=(util-linux)
command -v readelf > /dev/null || missing+=(binutils)
command -v pkg-config > /dev/null || missing+=(pkg-config)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
sh ci/boot/install-debian.sh
sh ci/boot/install-arm64.sh
sh ci/install-libclang.sh
sh ci/install-bindgen.sh
sh ci/install-cross.sh
sh ci/install-workflow-lint.sh
sh ci/install-runtimes.sh
