/** A program or library that the build needs from the system. */
export type Tool = 'cargo' | 'rustc' | 'cc' | 'static-libc' | 'lld' | 'libclang';

/** How a system names its packages and installs them. */
interface PackageManager {
  readonly command: string;
  readonly packages: Readonly<Record<Tool, string>>;
}

/** Rust comes from rustup on every system: distributions' own are often too old. */
const RUST = 'curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh';

/** By the ID or ID_LIKE of /etc/os-release; `macos` for Apple's. */
const MANAGERS: Readonly<Record<string, PackageManager>> = {
  debian: {
    command: 'sudo apt-get install',
    packages: { cargo: RUST, rustc: RUST, cc: 'gcc', 'static-libc': 'libc6-dev', lld: 'lld', libclang: 'libclang-dev' },
  },
  fedora: {
    command: 'sudo dnf install',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'gcc',
      'static-libc': 'glibc-static',
      lld: 'lld',
      libclang: 'clang-libs',
    },
  },
  suse: {
    command: 'sudo zypper install',
    packages: {
      cargo: RUST,
      rustc: RUST,
      cc: 'gcc',
      'static-libc': 'glibc-devel-static',
      lld: 'lld',
      libclang: 'clang-devel',
    },
  },
  arch: {
    command: 'sudo pacman -S',
    packages: { cargo: RUST, rustc: RUST, cc: 'gcc', 'static-libc': 'glibc', lld: 'lld', libclang: 'clang' },
  },
  macos: {
    command: 'brew install',
    packages: { cargo: RUST, rustc: RUST, cc: 'llvm', 'static-libc': 'llvm', lld: 'lld', libclang: 'llvm' },
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
  const fromSystem = packages.filter((name) => name !== RUST);
  return [
    ...(fromSystem.length > 0 ? [`${manager.command} ${fromSystem.join(' ')}`] : []),
    ...(packages.includes(RUST) ? [RUST] : []),
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
