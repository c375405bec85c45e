#!/bin/sh
# Installs rust-bindgen, with which the tests compare our bindings and the benchmark our speed, into a folder of its
# own. Safe to run again: the version that is there stays untouched. Needs cargo; nothing of the product uses it.
#
#   ci/install-bindgen.sh [folder]     default: $A3S_BINDGEN, else <tmp>/a3s-bindgen; the program is <folder>/bin/bindgen
set -eu

version=0.73.2
folder=${1:-${A3S_BINDGEN:-${TMPDIR:-/tmp}/a3s-bindgen}}

if [ "$("$folder/bin/bindgen" --version 2>/dev/null || true)" != "bindgen $version" ]; then
  # The release profile, which cargo takes by itself: the benchmark must not measure a slow peer.
  cargo install bindgen-cli --version "=$version" --locked --quiet --root "$folder" --target-dir "$folder/target"
  rm -rf "$folder/target"
fi
"$folder/bin/bindgen" --version
