#!/bin/sh
# Installs the versions of libclang that the parity tests compare on Debian: 14, 15, 16 and 19 as packages, 18 from
# PyPI into a folder. Safe to run again: what is there stays untouched. Needs root for the packages.
#
#   ci/install-libclang.sh [folder for version 18]     default: $A3S_LIBCLANG_18, else <tmp>/a3s-libclang-18
set -eu

folder=${1:-${A3S_LIBCLANG_18:-${TMPDIR:-/tmp}/a3s-libclang-18}}

missing=
for version in 14 15 16 19; do
  ls "/usr/lib/llvm-$version/lib/"libclang*.so.1 >/dev/null 2>&1 || missing="$missing libclang1-$version"
done
if [ ! -e "$folder/libclang.so" ]; then
  python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
fi
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

if [ ! -e "$folder/libclang.so" ]; then
  partial=$folder.partial.$$
  trap 'rm -rf "$partial"' EXIT
  mkdir -p "$partial"
  echo "libclang==18.1.1 --hash=sha256:c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b" > "$partial/requirements.txt"
  python3 -m pip download -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --platform manylinux2010_x86_64 -d "$partial" -r "$partial/requirements.txt"
  python3 -m zipfile -e "$partial"/*.whl "$partial/tree"
  mkdir -p "$folder"
  mv "$partial"/tree/*.data/platlib/clang/native/libclang.so "$folder/libclang.so"
fi

echo "libclang: $(ls /usr/lib/llvm-*/lib/libclang*.so.1 "$folder/libclang.so" | tr '\n' ' ')"
