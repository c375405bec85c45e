import { buildError } from './errors.ts';
import { linkerVariable, TARGETS, type Target, type TargetId } from './targets.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The environment variables that a3s-build itself reads; read once, at start. Empty values count as not set. */
export interface Environment {
  /** `A3S_CACHE_DIR`: folder of the store. */
  readonly cacheDir: string | undefined;
  /** `A3S_LIBKRUNFW_DYLIB`: a libkrunfw to use instead of the pinned one. */
  readonly firmwareFile: string | undefined;
  /** The same for one target: `A3S_LIBKRUNFW_DYLIB_LINUX_ARM64`. */
  readonly firmwareFiles: ByTarget<string>;
  /** `A3S_FIRMWARE`: provider of libkrunfw. */
  readonly firmware: string | undefined;
  /** `A3S_GITHUB_MIRROR`: address that stands in for `https://github.com`. */
  readonly githubMirror: string | undefined;
  /** `A3S_DEBIAN_MIRROR`: address of a Debian mirror. */
  readonly debianMirror: string | undefined;
  /** `A3S_DEBIAN_SNAPSHOT`: address of a state of Debian's snapshot archive. */
  readonly debianSnapshot: string | undefined;
  /** `A3S_DEBIAN_FOLDER`: folder that holds Debian packages. */
  readonly debianFolder: string | undefined;
  /** `KRUN_INIT_BINARY_PATH`: a ready guest init. */
  readonly initFile: string | undefined;
  /** The same for one target: `KRUN_INIT_BINARY_PATH_LINUX_ARM64`. */
  readonly initFiles: ByTarget<string>;
  /** `LIBCLANG_PATH`: the libclang to parse headers with, as its file or the folder that holds it. */
  readonly libclangPath: string | undefined;
  /** `CC_LINUX`: compiles the guest's init, whatever it is for. May hold arguments (`ccache gcc -m64`), as for make. */
  readonly linuxCompiler: CommandLine | undefined;
  /** `CC`, else `cc`: compiles the guest's init where it runs on this system's processor. */
  readonly compiler: CommandLine;
  /** `CARGO_TARGET_<TRIPLE>_LINKER`, as cargo knows it; `zig` stands for cargo-zigbuild. */
  readonly linkers: ByTarget<string>;
  readonly cargo: string;
  readonly rustc: string;
  /** `SOURCE_DATE_EPOCH` in seconds: the time stamp inside packed files; 1985-10-26, npm's own, when not set. */
  readonly sourceDate: number;
  readonly offline: boolean;
  readonly stub: boolean;
  /** `A3S_USE_SYSTEM_LIBKRUN`: take a libkrun that is installed. */
  readonly useSystemLibkrun: boolean;
  /** `A3S_BUILD_LIBKRUN`: build from source, whatever else is set but stub mode. */
  readonly buildLibkrun: boolean;
  /** `PKG_CONFIG`, else `pkg-config`. */
  readonly pkgConfig: CommandLine;
  readonly ci: boolean;
}

/** What there is of something that targets may have each. */
export type ByTarget<T> = Readonly<Partial<Record<TargetId, T>>>;

/** A program and the arguments that always come first. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

const TRUE = new Set(['1', 'true', 'yes', 'on']);
const FALSE = new Set(['0', 'false', 'no', 'off', '']);

/** The time stamp npm gives to every file that it packs. */
const NPM_PACK_DATE = 499162500;

/**
 * Reads and checks the variables.
 * @throws BuildError A3S1103 naming the variable.
 */
export function readEnvironment(variables: Variables): Environment {
  const text = (name: string): string | undefined => variables[name] || undefined;
  return {
    cacheDir: text('A3S_CACHE_DIR'),
    firmwareFile: text('A3S_LIBKRUNFW_DYLIB'),
    firmwareFiles: byTarget('A3S_LIBKRUNFW_DYLIB', text),
    firmware: text('A3S_FIRMWARE'),
    githubMirror: text('A3S_GITHUB_MIRROR'),
    debianMirror: text('A3S_DEBIAN_MIRROR'),
    debianSnapshot: text('A3S_DEBIAN_SNAPSHOT'),
    debianFolder: text('A3S_DEBIAN_FOLDER'),
    initFile: text('KRUN_INIT_BINARY_PATH'),
    initFiles: byTarget('KRUN_INIT_BINARY_PATH', text),
    libclangPath: text('LIBCLANG_PATH'),
    linuxCompiler: text('CC_LINUX') === undefined ? undefined : splitCommand(text('CC_LINUX') ?? ''),
    compiler: splitCommand(text('CC') ?? 'cc'),
    linkers: forEachTarget((target) => text(linkerVariable(target))),
    cargo: text('CARGO') ?? 'cargo',
    rustc: text('RUSTC') ?? 'rustc',
    sourceDate: readSeconds(variables, 'SOURCE_DATE_EPOCH') ?? NPM_PACK_DATE,
    offline: readSwitch(variables, 'A3S_OFFLINE') || readSwitch(variables, 'CARGO_NET_OFFLINE'),
    stub: readSwitch(variables, 'A3S_DEPS_STUB'),
    useSystemLibkrun: readSwitch(variables, 'A3S_USE_SYSTEM_LIBKRUN'),
    buildLibkrun: readSwitch(variables, 'A3S_BUILD_LIBKRUN'),
    pkgConfig: splitCommand(text('PKG_CONFIG') ?? 'pkg-config'),
    ci: variables['CI'] !== undefined && !FALSE.has(variables['CI'].toLowerCase()),
  };
}

/** Name of the variable that holds for one target what `name` holds for the only one. */
export function variableFor(name: string, target: TargetId): string {
  return `${name}_${target.toUpperCase().replaceAll('-', '_')}`;
}

function byTarget(name: string, text: (name: string) => string | undefined): ByTarget<string> {
  return forEachTarget(({ id }) => text(variableFor(name, id)));
}

/** What `find` gives for each target; those for which it gives nothing are left out. */
export function forEachTarget(find: (target: Target) => string | undefined): ByTarget<string> {
  const entries = Object.values(TARGETS).map((target) => [target.id, find(target)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function splitCommand(text: string): CommandLine {
  const [command = '', ...args] = text.trim().split(/\s+/);
  return { command, args };
}

function readSwitch(variables: Variables, name: string): boolean {
  const value = (variables[name] ?? '').trim().toLowerCase();
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw buildError('A3S1103', {
    message: `${name}=${variables[name]} is neither on nor off`,
    fix: `Set ${name} to 1, true, yes or on, or to 0, false, no, off or nothing.`,
  });
}

function readSeconds(variables: Variables, name: string): number | undefined {
  const value = variables[name];
  if (value === undefined || value === '') return undefined;
  // 2^33 is beyond what a ustar header's mtime field holds.
  if (/^\d{1,10}$/.test(value) && Number(value) < 2 ** 33) return Number(value);
  throw buildError('A3S1103', { message: `${name}=${value} is not a number of seconds since 1970` });
}
