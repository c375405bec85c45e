#!/bin/sh
# What only a Mac can show of the package for darwin-arm64: see docs/macos.md.
#
#   sh ci/check-on-mac.sh <folder of the unpacked platform package>
set -eu

folder=${1:?usage: check-on-mac.sh <folder of the unpacked platform package>}
folder=$(cd "$folder" && pwd)
[ "$(uname -sm)" = "Darwin arm64" ] || { echo "check-on-mac.sh: this is $(uname -sm), not Darwin arm64" >&2; exit 1; }
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
