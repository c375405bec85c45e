import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pkgConfigEnvironment } from '../plan/child-environment.ts';
import type { Config } from '../plan/config.ts';
import { BuildError } from '../plan/errors.ts';
import { OLDEST_SYSTEM_LIBKRUN, type SystemCandidate } from '../plan/system-libkrun.ts';
import { runProcess } from './process.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Looks for a libkrun on this system: what pkg-config names, then the usual folders. Says where there is one and where
 * not; whether a library can be used is for whoever reads it.
 */
export async function findSystemLibkrun(config: Config, variables: Variables): Promise<readonly SystemCandidate[]> {
  const sysroot = variables['PKG_CONFIG_SYSROOT_DIR'] ?? '';
  const usual = config.target.libraryFolders.map((folder) => join(sysroot, folder));
  const candidates = [...(await askPkgConfig(config, variables, usual))];
  for (const folder of usual) {
    const library = await firstFile(folder, libraryNames(config));
    if (library === undefined || candidates.some((known) => known.library === library)) continue;
    candidates.push(await candidate(config, { origin: folder, library, folder, version: null }, usual));
  }
  return candidates;
}

/** Names under which the library may lie there, the one that programs load first. */
function libraryNames({ target }: Config): readonly string[] {
  return [target.libraryFile, target.builtLibrary];
}

async function candidate(
  { target }: Config,
  found: {
    readonly origin: string;
    readonly library: string;
    readonly folder: string;
    readonly version: string | null;
  },
  usual: readonly string[],
): Promise<SystemCandidate> {
  const { origin, library, folder, version } = found;
  let firmware: string | undefined;
  for (const place of [folder, dirname(library), ...usual]) {
    firmware ??= await firstFile(place, [target.firmwareFile]);
  }
  const named = version ?? /\.(\d+\.\d+\.\d+)(?:\.dylib)?$/.exec(basename(library))?.[1] ?? null;
  return { origin, library, firmware: firmware ?? null, version: named, refused: null };
}

async function askPkgConfig(config: Config, variables: Variables, usual: readonly string[]) {
  const origin = 'pkg-config';
  const nothing = (refused: string, version: string | null = null): SystemCandidate[] => [
    { origin, library: null, firmware: null, version, refused },
  ];
  const version = await pkgConfig(config, variables, ['--modversion', 'libkrun']);
  if (typeof version !== 'string') return nothing(version.failed);
  const { default: semver } = await import('semver');
  const number = semver.coerce(version);
  if (number === null) return nothing(`calls the version of libkrun "${version.slice(0, 80)}"`);
  if (semver.lt(number, OLDEST_SYSTEM_LIBKRUN)) {
    return nothing(`libkrun is ${version}; ${OLDEST_SYSTEM_LIBKRUN} or newer is needed`, version);
  }
  const flags = await pkgConfig(config, variables, ['--libs-only-L', 'libkrun']);
  if (typeof flags !== 'string') return nothing(flags.failed, version);
  const folders = searchFolders(flags);
  for (const folder of folders) {
    const library = await firstFile(folder, libraryNames(config));
    if (library !== undefined) return [await candidate(config, { origin, library, folder, version }, usual)];
  }
  return nothing(
    `libkrun ${version} names no folder with ${config.target.libraryFile}: ${folders.join(', ')}`,
    version,
  );
}

/** What pkg-config prints, or why it prints nothing. */
async function pkgConfig(
  config: Config,
  variables: Variables,
  args: readonly string[],
): Promise<string | { readonly failed: string }> {
  const { command, args: first } = config.environment.pkgConfig;
  try {
    const result = await runProcess({
      command,
      args: [...first, ...args],
      cwd: config.projectRoot,
      env: pkgConfigEnvironment(variables),
      idleLimit: 60_000,
    });
    if (result.code === 0) return result.stdout.trim();
    const last = result.tail
      .at(-1)
      ?.replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 200);
    return { failed: last ?? `${command} ended with exit code ${result.code}` };
  } catch (error) {
    // No pkg-config is no fault: the usual folders remain.
    if (error instanceof BuildError && error.code === 'A3S1201') return { failed: `${command} is not installed` };
    throw error;
  }
}

/** Folders of `-L` options; pkg-config puts a backslash before what a shell would take apart. */
function searchFolders(flags: string): string[] {
  return [...flags.matchAll(/(?:^|\s)-L((?:\\.|[^\\\s])+)/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'));
}

/** The first of `names` in `folder`, without links, so that a digest is that of the bytes. */
async function firstFile(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const file = await realpath(join(folder, name)).catch(() => undefined);
    if (file !== undefined) return file;
  }
  return undefined;
}
