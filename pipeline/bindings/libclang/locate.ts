import { installHint } from '../../effects/toolchain.ts';
import { buildError } from '../../plan/errors.ts';
import { TESTED_VERSIONS } from './versions.ts';

/** A folder that was looked into, and the names found there; empty for one that is not there. */
export interface LookedInto {
  readonly path: string;
  readonly names: readonly string[];
}

/** What a path names. */
export type Named =
  | { readonly is: 'file' | 'nothing'; readonly path: string }
  | ({ readonly is: 'folder' } & LookedInto);

/** What is known about the system when a libclang is chosen. */
export interface LibclangFacts {
  /** Node's name of the system (`linux`, `darwin`). */
  readonly platform: string;
  /** Whether the package is installed that can call a shared library. */
  readonly callable: boolean;
  /** `LIBCLANG_PATH`, when it is set, with what is there. */
  readonly named?:
    | { readonly path: string; readonly is: 'file' | 'nothing' }
    | (LookedInto & { readonly is: 'folder' });
  /** Folders of the system, the preferred ones first. */
  readonly folders: readonly LookedInto[];
}

/** A libclang of the system. `named` says that the user asked for this very one: no other may stand in for it. */
export interface Libclang {
  readonly library: string;
  readonly named: boolean;
}

/** Names of the library, as file names and for messages. `libclang-cpp` is another library. */
const NAMES = {
  linux: { pattern: /^libclang(-\d+(\.\d+)*)?\.so(\.\d+)*$/, told: 'libclang.so, libclang.so.* or libclang-*.so*' },
  darwin: { pattern: /^libclang\.dylib$/, told: 'libclang.dylib' },
} as const;

/**
 * Chooses the libclang of the system to parse with.
 * @returns null when the system has none, so that the embedded one is to be used.
 * @throws BuildError A3S3004 when `LIBCLANG_PATH` names none, or one that cannot be called.
 */
export function chooseLibclang(facts: LibclangFacts): Libclang | null {
  if (facts.named !== undefined) return { library: namedLibrary(facts.named, facts), named: true };
  if (!facts.callable) return null;
  for (const folder of facts.folders) {
    const library = libraryIn(folder, facts.platform);
    if (library !== null) return { library, named: false };
  }
  return null;
}

function namedLibrary(named: Named, { callable, platform }: LibclangFacts): string {
  const { told } = namesOn(platform);
  if (named.is === 'nothing') throw wrongPath(`LIBCLANG_PATH=${named.path}: there is no such file or folder`, told);
  const library = named.is === 'folder' ? libraryIn(named, platform) : named.path;
  if (library === null) throw wrongPath(`LIBCLANG_PATH=${named.path}: there is no ${told} in this folder`, told);
  if (callable) return library;
  throw buildError('A3S3004', {
    message: 'LIBCLANG_PATH is set, and the optional package koffi, which calls libclang, is not installed',
    cause: 'The installation left optional packages out, or there is none for this system.',
    fix: 'Install a3s-build with its optional packages, or unset LIBCLANG_PATH to use the embedded parser.',
  });
}

function wrongPath(message: string, told: string) {
  return buildError('A3S3004', {
    message,
    cause: `LIBCLANG_PATH must be the file ${told}, or the folder that holds it.`,
    fix: `Set LIBCLANG_PATH to what \`llvm-config --libdir\` prints, or unset it: a3s-build then looks for itself, and has an embedded one. To install one: ${installHint(['libclang']).join('; ')}`,
  });
}

/** Path of the preferred libclang in a folder, or null. */
export function libraryIn({ path, names }: LookedInto, platform: string): string | null {
  const { pattern } = namesOn(platform);
  const [best] = names.filter((name) => pattern.test(name)).sort((a, b) => byVersion(versionIn(a), versionIn(b)));
  return best === undefined ? null : `${path.replace(/\/+$/, '')}/${best}`;
}

function namesOn(platform: string): (typeof NAMES)['linux' | 'darwin'] {
  return platform === 'darwin' ? NAMES.darwin : NAMES.linux;
}

/** The first number in a name (`libclang-19.so.1`, `llvm-19`, `llvm@19`); null for the plain, preferred name. */
function versionIn(name: string): number | null {
  const number = /^(?:libclang|llvm)(?:-|@|\.so\.)(\d+)/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

/** Orders versions for `sort`: what carries none is the system's own choice; then tested ones; newest first. */
function byVersion(a: number | null, b: number | null): number {
  const rank = (version: number | null) => (version === null ? 0 : TESTED_VERSIONS.includes(version) ? 1 : 2);
  return rank(a) - rank(b) || (b ?? 0) - (a ?? 0);
}

/** What must be asked of a system to know where a libclang may lie. */
export interface FolderFacts {
  readonly platform: string;
  /** What `llvm-config --libdir` prints, when there is one. */
  readonly configured: string | undefined;
  /** Names in the folders that hold one folder per version of LLVM, by folder. */
  readonly versions: readonly LookedInto[];
}

/** Folders that hold one folder per version of LLVM: Homebrew's on both kinds of Mac and on Linux, and Debian's. */
export const VERSION_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ['/opt/homebrew/opt', '/usr/local/opt'],
  linux: ['/home/linuxbrew/.linuxbrew/opt', '/usr/lib'],
};

/** Xcode's command line tools and Xcode itself; the folders of systems that install one LLVM only. */
const PLAIN_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  darwin: [
    '/Library/Developer/CommandLineTools/usr/lib',
    '/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib',
  ],
  linux: ['/usr/lib64', '/usr/lib'],
};

/** The folders to look into, the preferred ones first. */
export function foldersToLookInto({ platform, configured, versions }: FolderFacts): readonly string[] {
  const versioned = versions.flatMap(({ path, names }) =>
    names
      .filter((name) => /^llvm([-@]\d+)?$/.test(name))
      .sort((a, b) => byVersion(versionIn(a), versionIn(b)))
      .map((name) => `${path}/${name}/lib`),
  );
  return [...(configured === undefined ? [] : [configured]), ...versioned, ...(PLAIN_FOLDERS[platform] ?? [])];
}
