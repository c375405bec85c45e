#!/bin/sh
# Installs what the install tests load the packages with: five versions of Node, pnpm, Yarn, Bun and Deno, exactly those
# of ci/runtimes/package-lock.json, into a folder of their own. Safe to run again: what is there stays untouched.
#
#   ci/install-runtimes.sh [folder]     default: $A3S_RUNTIMES, else <tmp>/a3s-runtimes; then in its node_modules/
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${A3S_RUNTIMES:-${TMPDIR:-/tmp}/a3s-runtimes}}

if ! cmp -s "$here/runtimes/package-lock.json" "$folder/complete.json"; then
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$here/runtimes/package.json" "$here/runtimes/package-lock.json" "$folder/"
  npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
  cp "$here/runtimes/package-lock.json" "$folder/complete.json"
fi
"$folder/node_modules/node-26/bin/node" --version
