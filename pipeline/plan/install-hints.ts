/** A program or library that the build needs from the system. */
export type Tool =
  | 'cargo'
  | 'rustc'
  | 'cc'
  | 'static-libc'
  | 'clang'
  | 'lld'
  | 'libclang'
  | 'cross-gcc-arm64'
  | 'cross-gcc-x64'
  | 'zig'
  | 'install-name-tool'
  | 'code-signer';

/** How a system names its packages and installs them. */
interface PackageManager {
  readonly command: string;
  readonly packages: Readonly<Record<Tool, string>>;
}

/** Rust comes from rustup on every system: distributions' own are often too old. */
const RUST = 'curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh';

/** zig with cargo-zigbuild, from the Python package index: most distributions have neither. */
const ZIG = 'python3 -m pip install ziglang cargo-zigbuild';

/** Signs files for macOS on other systems; few have a package of it. */
const RCODESIGN = 'cargo install apple-codesign --locked';

/** Apple's command line tools, which a Mac downloads by itself. */
const XCODE = 'xcode-select --install';

/** What is a command line of its own, not a package of the system. */
const COMMANDS: readonly string[] = [RUST, ZIG, RCODESIGN, XCODE];

/** By the ID or ID_LIKE of /etc/os-release; `macos` for Apple's. */
const MANAGERS: Readonly<Record<string, PackageManager>> = {
  debian: {
    command: 'sudo apt-get install',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'gcc',
      'static-libc': 'libc6-dev',
      clang: 'clang',
      lld: 'lld',
      libclang: 'libclang-dev',
      'cross-gcc-arm64': 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
      'cross-gcc-x64': 'gcc-x86-64-linux-gnu libc6-dev-amd64-cross',
      zig: ZIG,
      'install-name-tool': 'llvm',
      'code-signer': RCODESIGN,
    },
  },
  fedora: {
    command: 'sudo dnf install',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'gcc',
      'static-libc': 'glibc-static',
      clang: 'clang',
      lld: 'lld',
      libclang: 'clang-libs',
      // Fedora's cross gcc has no C library.
      'cross-gcc-arm64': ZIG,
      'cross-gcc-x64': ZIG,
      zig: ZIG,
      'install-name-tool': 'llvm',
      'code-signer': RCODESIGN,
    },
  },
  suse: {
    command: 'sudo zypper install',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'gcc',
      'static-libc': 'glibc-devel-static',
      clang: 'clang',
      lld: 'lld',
      libclang: 'clang-devel',
      'cross-gcc-arm64': ZIG,
      'cross-gcc-x64': ZIG,
      zig: ZIG,
      'install-name-tool': 'llvm',
      'code-signer': RCODESIGN,
    },
  },
  arch: {
    command: 'sudo pacman -S',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'gcc',
      'static-libc': 'glibc',
      clang: 'clang',
      lld: 'lld',
      libclang: 'clang',
      'cross-gcc-arm64': 'aarch64-linux-gnu-gcc',
      'cross-gcc-x64': ZIG,
      zig: ZIG,
      'install-name-tool': 'llvm',
      'code-signer': RCODESIGN,
    },
  },
  macos: {
    command: 'brew install',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'llvm',
      'static-libc': 'llvm',
      clang: 'llvm',
      lld: 'lld',
      libclang: 'llvm',
      'cross-gcc-arm64': 'zig cargo-zigbuild',
      'cross-gcc-x64': 'zig cargo-zigbuild',
      zig: 'zig cargo-zigbuild',
      'install-name-tool': XCODE,
      'code-signer': XCODE,
    },
  },
};

/**
 * The command lines that install `tools`, for the system whose os-release `ids` are given, nearest first.
 * An unknown system gets the names of what is missing instead of a command that might be wrong.
 */
export function installLines(tools: readonly Tool[], ids: readonly string[]): readonly string[] {
  const manager = ids.map((id) => MANAGERS[id]).find((found) => found !== undefined);
  if (manager === undefined) return [`install ${tools.join(', ')} with this system's package manager`];
  const packages = [...new Set(tools.map((tool) => manager.packages[tool]))];
  const fromSystem = packages.filter((name) => !COMMANDS.includes(name));
  return [
    ...(fromSystem.length > 0 ? [`${manager.command} ${fromSystem.join(' ')}`] : []),
    ...COMMANDS.filter((line) => packages.includes(line)),
  ];
}

/** ID and ID_LIKE of an os-release file, nearest first. */
export function systemIds(osRelease: string): readonly string[] {
  const field = (name: string): string[] => {
    const match = new RegExp(`^${name}=(.*)$`, 'm').exec(osRelease);
    return (match?.[1] ?? '')
      .replace(/["']/g, '')
      .split(' ')
      .filter((id) => id !== '');
  };
  return [...field('ID'), ...field('ID_LIKE')];
}
