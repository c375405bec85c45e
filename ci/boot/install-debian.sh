#!/bin/sh
# Installs what a real boot in software emulation needs on Debian, and downloads (without installing) the kernel that
# plays the host there. Safe to run again: what is there stays untouched. Needs root for the packages.
#
#   ci/boot/install-debian.sh [folder for the kernel]     default: $A3S_BOOT_CACHE, else <tmp>/a3s-boot
set -eu

folder=${1:-${A3S_BOOT_CACHE:-${TMPDIR:-/tmp}/a3s-boot}}

missing=
command -v qemu-system-x86_64 >/dev/null 2>&1 || missing="$missing qemu-system-x86"
command -v cpio >/dev/null 2>&1 || missing="$missing cpio"
[ -x /bin/busybox ] || [ -x /usr/bin/busybox ] || missing="$missing busybox-static"

updated=
update_once() {
  [ -n "$updated" ] && return 0
  updated=yes
  apt-get update -qq
}

if [ -n "$missing" ]; then
  update_once
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

if ! ls "$folder"/kernel/*/boot/vmlinuz-* >/dev/null 2>&1; then
  apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 || update_once
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
  [ -n "$package" ] || { echo "install-debian.sh: no kernel package behind linux-image-cloud-amd64" >&2; exit 1; }
  partial=$folder/kernel/.partial.$$
  trap 'rm -rf "$partial"' EXIT
  mkdir -p "$partial/tree"
  # apt's own sandbox user may not be able to write into the folder; root downloads, apt still checks the digest.
  (cd "$partial" && { apt-get download -o APT::Sandbox::User=root "$package" || { update_once; apt-get download -o APT::Sandbox::User=root "$package"; }; })
  dpkg-deb -x "$partial"/*.deb "$partial/tree"
  mv "$partial/tree" "$folder/kernel/$package"
fi

echo "boot tools: $(command -v qemu-system-x86_64), $(command -v cpio), $(command -v busybox)"
echo "emulated host's kernel: $(ls "$folder"/kernel/*/boot/vmlinuz-*)"
