import type { CrossTools } from './cross-tools.ts';
import type { Tool } from './install-hints.ts';
import type { Target } from './targets.ts';

/** What is signed, and how. */
export interface Signature {
  readonly file: string;
  /** Name of the code in its signature; the file name, so that it is the same wherever the file was made. */
  readonly identifier: string;
  /** Property list with the entitlements; null for none. */
  readonly entitlements: string | null;
}

/** A program that changes Mach-O files: under which names it is found, and how it is told what to do. */
export interface MachOTool<Task> {
  /** The likeliest first. */
  readonly names: readonly string[];
  readonly arguments: (task: Task) => readonly string[];
  /** Asks it for its version; null for Apple's, which have none and come with the linker. */
  readonly version: readonly string[] | null;
  /** By which it is installed where it is missing. */
  readonly tool: Tool;
}

/** The two programs that a built file goes through. */
export interface MachOTools {
  /** Writes the name by which others load a library. */
  readonly rename: MachOTool<{ readonly file: string; readonly installName: string }>;
  /** Signs without a certificate ("ad hoc"), which is all that Apple silicon asks for. */
  readonly sign: MachOTool<Signature>;
}

const renameArguments: MachOTools['rename']['arguments'] = ({ file, installName }) => ['-id', installName, file];

const APPLE: MachOTools = {
  rename: { names: ['install_name_tool'], arguments: renameArguments, version: null, tool: 'install-name-tool' },
  sign: {
    names: ['codesign'],
    arguments: ({ file, identifier, entitlements }) => [
      '--force',
      '--sign',
      '-',
      '--identifier',
      identifier,
      ...(entitlements === null ? [] : ['--entitlements', entitlements]),
      file,
    ],
    version: null,
    tool: 'code-signer',
  },
};

/** Debian and Ubuntu add llvm's version to the name of a program that few use. */
const LLVM_VERSIONS = Array.from({ length: 12 }, (_none, index) => 25 - index);

const ELSEWHERE: MachOTools = {
  rename: {
    names: ['llvm-install-name-tool', ...LLVM_VERSIONS.map((version) => `llvm-install-name-tool-${version}`)],
    arguments: renameArguments,
    version: ['--version'],
    tool: 'install-name-tool',
  },
  sign: {
    names: ['rcodesign'],
    arguments: ({ file, identifier, entitlements }) => [
      'sign',
      // A configuration of the user's could name a certificate.
      '--config-file',
      '/dev/null',
      '--binary-identifier',
      identifier,
      ...(entitlements === null ? [] : ['--entitlements-xml-file', entitlements]),
      file,
    ],
    version: ['--version'],
    tool: 'code-signer',
  },
};

/** By the system that builds: a Mac has Apple's own programs, other systems have free ones. */
const BY_HOST: Readonly<Record<Target['platform'], MachOTools>> = { darwin: APPLE, linux: ELSEWHERE };

/** The programs that finish Mach-O files on `host`. */
export function machoTools(host: Pick<Target, 'platform'>): MachOTools {
  return BY_HOST[host.platform];
}

/** All names under which the programs may be found on `host`. */
export function machoToolNames(host: Pick<Target, 'platform'>): readonly string[] {
  const { rename, sign } = machoTools(host);
  return [...rename.names, ...sign.names];
}

/** The name under which a program was found; undefined where it was not. */
export function foundAs({ names }: Pick<MachOTool<never>, 'names'>, { programs }: Pick<CrossTools, 'programs'>) {
  return names.find((name) => name in programs);
}
