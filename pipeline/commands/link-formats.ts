import { buildError } from '../plan/errors.ts';
import { pkgConfigText, stubPkgConfigText } from '../plan/pkg-config.ts';

export type LinkFormat = 'cargo' | 'pkg-config' | 'json' | 'env' | 'config';

/** What a program is told that links with libkrun. Paths are absolute. */
export interface LinkFacts {
  /** The Rust target; undefined in stub mode on a machine that libkrun does not run on. */
  readonly triple: string | undefined;
  /** Version of libkrun. */
  readonly version: string;
  /** Undefined in stub mode: there is nothing to link with. */
  readonly real: RealLibraries | undefined;
}

export interface RealLibraries {
  /** The name that the linker is given. */
  readonly library: string;
  readonly libraryDir: string;
  readonly firmwareDir: string;
  readonly includeDir: string;
  /** Name of the folder that holds the libraries, in the prefix. */
  readonly libraryFolder: string;
  /** Whether the linker is to be given run-time paths: where libraries name each other by `@rpath`. */
  readonly rpath: boolean;
}

/** What makes an answer stale. */
export interface Watched {
  readonly paths: readonly string[];
  readonly variables: readonly string[];
}

/** The folder that consumers of the original know to leave out. */
const NONEXISTENT = '/nonexistent';

/**
 * The answer in the form that its reader takes, ready to be printed.
 * @throws BuildError A3S1403 for a path with a line break in cargo's lines, A3S1001 for a configuration for no target.
 */
export function linkText(format: LinkFormat, facts: LinkFacts, watched: Watched): string {
  switch (format) {
    case 'cargo':
      return cargoLines(facts, watched);
    case 'pkg-config':
      return facts.real === undefined
        ? stubPkgConfigText(facts.version)
        : pkgConfigText(facts.version, facts.real.libraryFolder);
    case 'json':
      return `${JSON.stringify(jsonOf(facts, watched), null, 2)}\n`;
    case 'env':
      return shellLines(facts);
    case 'config':
      return cargoConfiguration(facts);
  }
}

/** Names under which dependents of the crate find the folders, as `DEP_A3S_KRUN_<name>`. */
function metadata({ real }: LinkFacts): readonly (readonly [name: string, folder: string])[] {
  return [
    ['LIBKRUN_A3S_DEP', real?.libraryDir ?? NONEXISTENT],
    ['LIBKRUNFW_A3S_DEP', real?.firmwareDir ?? NONEXISTENT],
  ];
}

function rpathArguments({ libraryDir, firmwareDir, rpath }: RealLibraries): readonly string[] {
  return rpath ? [...new Set([libraryDir, firmwareDir])].map((folder) => `-Wl,-rpath,${folder}`) : [];
}

function cargoLines(facts: LinkFacts, { paths, variables }: Watched): string {
  const { real } = facts;
  const link =
    real === undefined
      ? ['rustc-cfg=a3s_stub']
      : [
          `rustc-link-search=native=${real.libraryDir}`,
          `rustc-link-lib=dylib=${real.library}`,
          ...rpathArguments(real).map((argument) => `rustc-link-arg=${argument}`),
        ];
  const lines = [
    ...link,
    ...metadata(facts).map(([name, folder]) => `${name}=${folder}`),
    ...paths.map((path) => `rerun-if-changed=${path}`),
    ...variables.map((name) => `rerun-if-env-changed=${name}`),
  ];
  const broken = lines.find((line) => /[\r\n]/.test(line));
  if (broken !== undefined) throw buildError('A3S1403', { message: `line break in ${JSON.stringify(broken)}` });
  return lines.map((line) => `cargo:${line}\n`).join('');
}

function jsonOf(facts: LinkFacts, watched: Watched) {
  const { triple, version, real } = facts;
  return {
    schema: 1,
    stub: real === undefined,
    triple: triple ?? null,
    version,
    library: real?.library ?? null,
    libraryDir: real?.libraryDir ?? NONEXISTENT,
    firmwareDir: real?.firmwareDir ?? NONEXISTENT,
    includeDir: real?.includeDir ?? NONEXISTENT,
    linkArguments: real === undefined ? [] : rpathArguments(real),
    metadata: Object.fromEntries(metadata(facts)),
    watched,
  };
}

function shellLines(facts: LinkFacts): string {
  const lines = metadata(facts).map(([name, folder]) => `export ${name}=${quote(folder)}`);
  if (facts.real !== undefined) {
    const folder = quote(`${facts.real.libraryDir}/pkgconfig`);
    lines.push(`export PKG_CONFIG_PATH=${folder}"\${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"`);
  }
  return `${lines.join('\n')}\n`;
}

/** A word for a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function cargoConfiguration(facts: LinkFacts): string {
  const { triple, real } = facts;
  if (triple === undefined) {
    throw buildError('A3S1001', { message: 'a configuration is for one target: name it with --target' });
  }
  const link =
    real === undefined
      ? [`rustc-cfg = ["a3s_stub"]`]
      : [
          `rustc-link-search = [${tomlString(`native=${real.libraryDir}`)}]`,
          `rustc-link-lib = [${tomlString(`dylib=${real.library}`)}]`,
          ...rpathArguments(real).map((argument) => `rustc-link-arg = [${tomlString(argument)}]`),
        ];
  const values = metadata(facts).map(([name, folder]) => `${name} = ${tomlString(folder)}`);
  return [`[target.${tomlKey(triple)}.a3s_krun]`, ...link, ...values, ''].join('\n');
}

/** TOML's strings are JSON's, but for the one control character that JSON lets stand. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f');
}

function tomlKey(text: string): string {
  return /^[\w-]+$/.test(text) ? text : tomlString(text);
}
