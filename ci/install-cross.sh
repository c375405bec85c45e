#!/bin/sh
# Installs what builds linux-arm64 and darwin-arm64 on Debian 12 x64: Debian's cross gcc, clang, lld and llvm; zig and
# cargo-zigbuild from PyPI; rcodesign, which signs Mach-O files, from the crates registry; and, in the folder only, Debian's own
# Rust with the standard library of both targets, for machines where `rustup target add` reaches no server.
# Safe to run again: what is there stays untouched. Needs root for the packages, and cargo.
#
#   ci/install-cross.sh [folder]     default: $A3S_CROSS, else <tmp>/a3s-cross
#
# Afterwards: PATH=<folder>/bin:$PATH CARGO=<folder>/bin/cargo RUSTC=<folder>/bin/rustc
set -eu

. "$(dirname "$0")/apt-arm64.sh"

folder=${1:-${A3S_CROSS:-${TMPDIR:-/tmp}/a3s-cross}}
mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)
partial=$folder/partial.$$
trap 'rm -rf "$partial"' EXIT
mkdir "$partial"

zig=0.15.2
zigbuild=0.24.1
rcodesign=0.29.0

install_packages() {
  missing=
  command -v aarch64-linux-gnu-gcc >/dev/null || missing="$missing gcc-aarch64-linux-gnu"
  [ -e /usr/aarch64-linux-gnu/lib/libc.a ] || missing="$missing libc6-dev-arm64-cross"
  command -v clang >/dev/null || missing="$missing clang"
  command -v ld.lld >/dev/null || missing="$missing lld"
  command -v llvm-objcopy >/dev/null || missing="$missing llvm"
  python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
  [ -n "$missing" ] || return 0
  apt-get update -qq
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}

# Debian gives some of llvm's programs names with the version only.
link_llvm() {
  objcopy=$(readlink -f "$(command -v llvm-objcopy)")
  for program in llvm-install-name-tool llvm-strip; do
    ln -sf "$(dirname "$objcopy")/$program" "$folder/bin/$program"
  done
}

install_zig() {
  [ "$("$folder/bin/zig" version 2>/dev/null || true)" != "$zig" ] ||
    [ "$("$folder/bin/cargo-zigbuild" --version 2>/dev/null || true)" != "cargo-zigbuild $zigbuild" ] || return 0
  cat >"$partial/requirements.txt" <<REQUIREMENTS
ziglang==$zig --hash=sha256:806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130
cargo-zigbuild==$zigbuild --hash=sha256:238a1ab54a95053a4eadc34775c81f795a8ad75f80bfed63f3f445f518102375
REQUIREMENTS
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install -q --disable-pip-version-check --no-deps --require-hashes \
    --only-binary :all: --no-compile --target "$partial/python" -r "$partial/requirements.txt"
  rm -rf "$folder/python"
  mv "$partial/python" "$folder/python"
  ln -sf ../python/ziglang/zig "$folder/bin/zig"
  ln -sf ../python/bin/cargo-zigbuild "$folder/bin/cargo-zigbuild"
}

# Without optimisation, which would double the time; but the digests that it makes of every page.
install_rcodesign() {
  [ "$("$folder/bin/rcodesign" --version 2>/dev/null || true)" != "apple-codesign $rcodesign" ] || return 0
  CARGO_PROFILE_DEV_DEBUG=0 cargo install apple-codesign --version "=$rcodesign" --locked --quiet --no-default-features \
    --debug --config 'profile.dev.package.sha2.opt-level=3' --root "$partial/rcodesign" --target-dir "$partial/target"
  strip -o "$folder/bin/rcodesign" "$partial/rcodesign/bin/rcodesign"
}

unpack_rust() {
  mkdir -p "$partial/debs" "$partial/rust"
  apt_arm64 apt-get -qq update
  # What an installation would add to this machine: rustc and cargo with just those libraries that are missing.
  packages=$(apt_arm64 apt-get -s --reinstall --no-install-recommends install rustc-web cargo-web rust-web-src |
    sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*/\1=\3/p')
  # shellcheck disable=SC2086 # one word per package
  (cd "$partial/debs" && apt_arm64 apt-get -qq download $packages libstd-rust-web-dev:arm64)
  for package in "$partial"/debs/*.deb; do
    case $package in
      # The standard library only; the compiler's own source is large and of no use here.
      */rust-web-src_*) dpkg-deb --fsys-tarfile "$package" | tar -x -C "$partial/rust" --wildcards './usr/lib' './usr/src/*/library' ;;
      *) dpkg-deb -x "$package" "$partial/rust" ;;
    esac
  done
  mkdir -p "$partial/rust/usr/lib/rustlib/x86_64-unknown-linux-gnu/bin"
  ln -sf "$objcopy" "$partial/rust/usr/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-objcopy"
  rm -rf "$folder/rust"
  mv "$partial/rust" "$folder/rust"
}

wrap_rust() {
  for program in cargo rustc rustdoc; do
    cat >"$folder/bin/$program" <<WRAPPER
#!/bin/sh
export RUSTC="\${RUSTC:-$folder/bin/rustc}" LD_LIBRARY_PATH="$folder/rust/usr/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$folder/rust/usr/bin/$program" "\$@"
WRAPPER
    chmod 755 "$folder/bin/$program"
  done
}

# Debian has no package of this standard library. Made once and put beside the others, it is found as rustup's would be.
# With bitcode, as rustup's: libkrun is optimised as a whole when it is linked. And, as that, without a path of this machine.
build_darwin_std() {
  flags=$(printf '%s\037%s\037%s' -Cembed-bitcode=yes "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" "--remap-path-prefix=$folder=/rust")
  libraries=$folder/rust/usr/lib/rustlib/aarch64-apple-darwin/lib
  # A folder that an older version of this script filled keeps no library that was made with other flags.
  recipe="$flags $("$folder/bin/rustc" --version)"
  [ "$(cat "$libraries/recipe" 2>/dev/null || true)" != "$recipe" ] || return 0
  mkdir -p "$partial/std/src"
  : >"$partial/std/src/lib.rs"
  printf '[package]\nname = "std-only"\nversion = "0.0.0"\n' >"$partial/std/Cargo.toml"
  MACOSX_DEPLOYMENT_TARGET=11.0 RUSTC_BOOTSTRAP=1 RUSTC=$folder/bin/rustc CARGO_ENCODED_RUSTFLAGS="$flags" RUSTC_WRAPPER= "$folder/bin/cargo" build \
    --quiet --release -Z build-std=std,panic_abort --target aarch64-apple-darwin \
    --manifest-path "$partial/std/Cargo.toml" --target-dir "$partial/std/target"
  rm "$partial"/std/target/aarch64-apple-darwin/release/deps/libstd_only-*
  mkdir -p "$(dirname "$libraries")" "$partial/std/lib"
  cp "$partial"/std/target/aarch64-apple-darwin/release/deps/lib*.rlib "$partial/std/lib/"
  printf '%s\n' "$recipe" >"$partial/std/lib/recipe"
  rm -rf "$libraries"
  mv "$partial/std/lib" "$libraries"
}

install_rust() {
  [ -e "$folder/rust/usr/lib/rustlib/aarch64-unknown-linux-gnu/lib" ] && "$folder/bin/rustc" --version >/dev/null 2>&1 || {
    unpack_rust
    wrap_rust
  }
  build_darwin_std
}

install_packages
link_llvm
install_zig
install_rcodesign
install_rust
echo "cross gcc: $(command -v aarch64-linux-gnu-gcc); clang: $(command -v clang); lld: $(command -v ld.lld); llvm: $objcopy"
echo "zig $("$folder/bin/zig" version), $("$folder/bin/cargo-zigbuild" --version), $("$folder/bin/rcodesign" --version): $folder/bin"
echo "$("$folder/bin/rustc" --version), $("$folder/bin/cargo" --version): standard libraries $(cd "$folder/rust/usr/lib/rustlib" && echo *-*-*)"
