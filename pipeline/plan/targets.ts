import { buildError, type FailureDetails } from './errors.ts';
import { HYPERVISOR_LIBRARY } from './hypervisor-stub.ts';
import { unknownWord } from './nearest.ts';

/** Everything that depends on where the result runs; code asks this table and never `process.platform`. */
export interface Target {
  readonly id: 'linux-x64' | 'linux-arm64' | 'darwin-arm64';
  readonly triple: string;
  readonly platform: 'linux' | 'darwin';
  readonly arch: 'x64' | 'arm64';
  readonly libc: 'glibc' | null;
  /** ELF machine of the libraries and of the guest. */
  readonly machine: 'x86_64' | 'aarch64';
  /** What cargo names the library that it builds. */
  readonly builtLibrary: string;
  /** The name under which libkrun is loaded: its soname or install name. */
  readonly libraryFile: string;
  /** The name under which libkrun opens the guest kernel. */
  readonly firmwareFile: string;
  /** Suffix of the platform package and of the addon's file name, as napi-rs spells it. */
  readonly packageSuffix: string;
  /** Libraries of the system that a shipped file may need. */
  readonly systemLibraries: readonly string[];
  /** Where systems keep libraries, in the order in which they are looked through. */
  readonly libraryFolders: readonly string[];
  /** Compilers that link for the target on other machines, the likeliest first. */
  readonly crossLinkers: readonly string[];
  /** Oldest macOS that what is built may need; null on other systems. */
  readonly oldestMacos: string | null;
  /** Triple that libclang parses headers for. */
  readonly clangTriple: string;
}

/** glibc's libraries: before 2.34 it had more than one file, and what is linked for such a release names them. */
const GLIBC = ['libc.so.6', 'libm.so.6', 'libpthread.so.0', 'libdl.so.2', 'librt.so.1'] as const;

export const TARGETS = {
  'linux-x64': {
    id: 'linux-x64',
    triple: 'x86_64-unknown-linux-gnu',
    platform: 'linux',
    arch: 'x64',
    libc: 'glibc',
    machine: 'x86_64',
    builtLibrary: 'libkrun.so',
    libraryFile: 'libkrun.so.1',
    firmwareFile: 'libkrunfw.so.5',
    packageSuffix: 'linux-x64-gnu',
    systemLibraries: [...GLIBC, 'libgcc_s.so.1', 'ld-linux-x86-64.so.2'],
    libraryFolders: ['/usr/local/lib64', '/usr/local/lib', '/usr/lib64', '/usr/lib/x86_64-linux-gnu', '/usr/lib'],
    crossLinkers: ['x86_64-linux-gnu-gcc', 'x86_64-unknown-linux-gnu-gcc'],
    oldestMacos: null,
    clangTriple: 'x86_64-unknown-linux-gnu',
  },
  'linux-arm64': {
    id: 'linux-arm64',
    triple: 'aarch64-unknown-linux-gnu',
    platform: 'linux',
    arch: 'arm64',
    libc: 'glibc',
    machine: 'aarch64',
    builtLibrary: 'libkrun.so',
    libraryFile: 'libkrun.so.1',
    firmwareFile: 'libkrunfw.so.5',
    packageSuffix: 'linux-arm64-gnu',
    systemLibraries: [...GLIBC, 'libgcc_s.so.1', 'ld-linux-aarch64.so.1'],
    libraryFolders: ['/usr/local/lib64', '/usr/local/lib', '/usr/lib64', '/usr/lib/aarch64-linux-gnu', '/usr/lib'],
    crossLinkers: ['aarch64-linux-gnu-gcc', 'aarch64-unknown-linux-gnu-gcc'],
    oldestMacos: null,
    clangTriple: 'aarch64-unknown-linux-gnu',
  },
  'darwin-arm64': {
    id: 'darwin-arm64',
    triple: 'aarch64-apple-darwin',
    platform: 'darwin',
    arch: 'arm64',
    libc: null,
    machine: 'aarch64',
    builtLibrary: 'libkrun.dylib',
    libraryFile: 'libkrun.1.dylib',
    firmwareFile: 'libkrunfw.5.dylib',
    packageSuffix: 'darwin-arm64',
    systemLibraries: ['/usr/lib/libSystem.B.dylib', '/usr/lib/libiconv.2.dylib', HYPERVISOR_LIBRARY],
    libraryFolders: ['/opt/homebrew/lib', '/usr/local/lib'],
    // Only zig comes with what a link for macOS needs.
    crossLinkers: [],
    // As in Rust's own libraries for Apple silicon.
    oldestMacos: '11.0',
    clangTriple: 'arm64-apple-macosx11.0',
  },
} as const satisfies Record<string, Target>;

export type TargetId = keyof typeof TARGETS;

export const TARGET_IDS = Object.keys(TARGETS) as readonly TargetId[];

/** Platforms that people ask for, and what speaks against them. */
const WINDOWS = {
  message: 'Windows is not supported',
  cause:
    'libkrun.h describes Linux and macOS. The Windows port in its source has another, smaller interface, and there is no guest kernel to pin for it.',
  fix: 'Work in WSL 2, where linux-x64 and linux-arm64 are built and run; A3S_DEPS_STUB=1 works on Windows itself.',
};
const INTEL_MACS = {
  message: 'Intel Macs are not supported',
  cause: 'On macOS libkrun runs VMs on Apple silicon only, and there is no guest kernel to pin for Intel Macs.',
  fix: 'Build for darwin-arm64, or for Linux; A3S_DEPS_STUB=1 works on Intel Macs themselves.',
};
const UNSUPPORTED: Readonly<Record<string, FailureDetails>> = {
  win32: WINDOWS,
  'darwin-x64': INTEL_MACS,
  'x86_64-apple-darwin': INTEL_MACS,
};

/**
 * The target of the machine that runs this program, from Node's names for platform and architecture.
 * @throws BuildError A3S1002 on every other machine, Windows and Intel Macs by name.
 */
export function hostTarget(platform: string, arch: string): Target {
  const id = `${platform}-${arch}`;
  if (isTargetId(id)) return TARGETS[id];
  throw buildError('A3S1002', UNSUPPORTED[platform] ?? UNSUPPORTED[id] ?? { message: `${id} is not supported` });
}

/** A target for stub mode, where nothing depends on it: of this machine where it is one, else any. */
export function stubTarget(platform: string, arch: string): Target {
  const id = `${platform}-${arch}`;
  return isTargetId(id) ? TARGETS[id] : TARGETS['linux-x64'];
}

/**
 * The target named on the command line, by its own name or as Rust calls it; `host` stands for `host`'s own.
 * @throws BuildError A3S1003 with the nearest match for any other word, A3S1002 for platforms known as unsupported.
 */
export function targetByName(name: string, host: Target): Target {
  if (name === 'host') return host;
  if (isTargetId(name)) return TARGETS[name];
  const byTriple = TARGET_IDS.find((id) => TARGETS[id].triple === name);
  if (byTriple !== undefined) return TARGETS[byTriple];
  const unsupported = /^win|windows/.test(name) ? WINDOWS : UNSUPPORTED[name.replace('macos', 'darwin')];
  if (unsupported !== undefined) throw buildError('A3S1002', unsupported);
  const meant = TARGET_IDS.find((id) => TARGETS[id].packageSuffix === name);
  const message =
    meant === undefined ? unknownWord('target', name, TARGET_IDS) : `unknown target "${name}" (did you mean ${meant}?)`;
  throw buildError('A3S1003', { message });
}

/**
 * The targets named, each once and in the table's order. A name may hold several with commas between; `all` stands for
 * every target.
 * @throws BuildError A3S1002 and A3S1003 as {@link targetByName}; A3S1003 for a name that is missing.
 */
export function targetsByName(names: readonly string[], host: Target): readonly Target[] {
  const words = names.flatMap((name) => name.split(',')).map((word) => word.trim());
  if (words.length === 0 || words.includes('')) {
    throw buildError('A3S1003', { message: `a target is missing in "${names.join(',')}"` });
  }
  const named = new Set(words.flatMap((word) => (word === 'all' ? TARGET_IDS : [targetByName(word, host).id])));
  return TARGET_IDS.filter((id) => named.has(id)).map((id) => TARGETS[id]);
}

/** `AARCH64_UNKNOWN_LINUX_GNU`: the target as part of the names of cargo's variables. */
function tripleVariable({ triple }: Pick<Target, 'triple'>): string {
  return triple.toUpperCase().replaceAll('-', '_');
}

/** The variable by which cargo is told what links for a target. */
export function linkerVariable(target: Pick<Target, 'triple'>): string {
  return `CARGO_TARGET_${tripleVariable(target)}_LINKER`;
}

function isTargetId(text: string): text is TargetId {
  return Object.hasOwn(TARGETS, text);
}
