import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Toolchain } from '../../effects/toolchain.ts';
import { BuildError } from '../../plan/errors.ts';
import { type ParserOptions, type ParseUnit, parseUnits } from './embedded.ts';
import { chooseLibclang, foldersToLookInto, type Libclang, type Named, VERSION_FOLDERS } from './locate.ts';
import type { RawUnit } from './raw.ts';

/** Where to look for a libclang. */
export interface Search {
  /** `LIBCLANG_PATH` as an absolute path. */
  readonly named: string | undefined;
  readonly toolchain: Toolchain;
  /** Node's name of the system; that of this process when left out. */
  readonly platform?: string;
}

export interface ParsedUnits {
  /** In the order of the request. */
  readonly units: readonly RawUnit[];
  /** Path of the libclang that parsed, or `embedded`. */
  readonly parser: string;
}

/**
 * Parses with the libclang that `LIBCLANG_PATH` names, else with one of the system, else with the embedded one; all
 * units in one process. A library of the system that cannot be used costs a warning; one that was asked for by name is
 * an error.
 * @throws BuildError A3S3002 and A3S3004 as `parseUnits`, and A3S3004 for a wrong `LIBCLANG_PATH`.
 */
export async function parseWithBestParser(
  units: readonly ParseUnit[],
  options: Omit<ParserOptions, 'parser'>,
  search: Search,
): Promise<ParsedUnits> {
  const found = await locateLibclang(search, options.workerPath);
  if (found !== null) {
    const { library } = found;
    try {
      return { units: await parseUnits(units, { ...options, parser: { kind: 'native', library } }), parser: library };
    } catch (error) {
      if (found.named || !(error instanceof BuildError) || error.code !== 'A3S3004') throw error;
      options.warn?.(`${library} is not used: ${error.message}`);
    }
  }
  return { units: await parseUnits(units, options), parser: 'embedded' };
}

/** @param from module from which the package that calls shared libraries is resolved. */
async function locateLibclang(search: Search, from: string): Promise<Libclang | null> {
  const { named, platform = process.platform } = search;
  const callable = canResolve(from, 'koffi');
  if (named !== undefined) return chooseLibclang({ platform, callable, named: await lookAt(named), folders: [] });
  if (!callable) return null;
  const versions = await Promise.all((VERSION_FOLDERS[platform] ?? []).map(lookInto));
  const configured = await search.toolchain.ask('llvm-config', ['--libdir']);
  const folders = await Promise.all(foldersToLookInto({ platform, configured, versions }).map(lookInto));
  return chooseLibclang({ platform, callable, folders });
}

function canResolve(from: string, name: string): boolean {
  try {
    createRequire(from).resolve(name);
    return true;
  } catch {
    return false;
  }
}

async function lookAt(path: string): Promise<Named> {
  const found = await stat(path).catch(() => null);
  if (found === null) return { path, is: 'nothing' };
  return found.isDirectory() ? { ...(await lookInto(path)), is: 'folder' } : { path, is: 'file' };
}

async function lookInto(path: string) {
  return { path, names: await readdir(path).catch(() => []) };
}
