#!/bin/sh
# What only a Mac can show of the package for darwin-arm64: see docs/macos.md of a3s-build.
# Written by `a3s-build ci` where it is not a3s-build's own.
#
#   sh ci/check-on-mac.sh <folder of tarballs>
set -eu

packages=${1:?usage: check-on-mac.sh <folder of tarballs>}
[ "$(uname -sm)" = "Darwin arm64" ] || { echo "check-on-mac.sh: this is $(uname -sm), not Darwin arm64" >&2; exit 1; }
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
tar -xzf "$packages"/*-darwin-arm64-[0-9]*.tgz -C "$temporary"
folder=$temporary/package
addon=$folder/libkrun.darwin-arm64.node
launcher=$folder/bin/krun-launcher

for file in "$addon" "$launcher" "$folder/lib/libkrun.1.dylib" "$folder/lib/libkrunfw.5.dylib"; do
  codesign --verify --strict "$file"
  echo "signature accepted: $file"
done

"$launcher" --version
codesign --display --entitlements - --xml "$launcher" | grep -q '<key>com.apple.security.hypervisor</key><true/>' ||
  { echo "check-on-mac.sh: the launcher is not entitled" >&2; exit 1; }
echo "entitled: $launcher"

node -e '
  const addon = require(process.argv[1]);
  const context = addon.krunCreateCtx();
  if (!(context >= 0)) throw new Error(`krunCreateCtx: ${context}`);
  addon.krunFreeCtx(context);
' "$addon"
echo "loaded by $(node --version): $addon"

if [ "$(sysctl -n kern.hv_support)" = 1 ]; then
  "$launcher" --check
  echo "this Mac can run VMs"
else
  echo "kern.hv_support is 0: this Mac is itself a virtual machine, and starts none"
fi
