import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { Toolchain } from '../../effects/toolchain.ts';
import { BuildError } from '../../plan/errors.ts';
import { isCallable, preloadLibrary } from './clang-native.ts';
import { type ParserOptions, type ParseUnit, parseUnits } from './embedded.ts';
import {
  chooseLibclang,
  foldersToLookInto,
  type Libclang,
  type LookedInto,
  libraryIn,
  type Named,
  VERSION_FOLDERS,
} from './locate.ts';
import type { Worker } from './parser-run.ts';
import type { RawUnit } from './raw.ts';

/** Where to look for a libclang. */
export interface Search {
  /** `LIBCLANG_PATH` as an absolute path. */
  readonly named: string | undefined;
  readonly toolchain: Toolchain;
  /** `PATH`; when left out, `llvm-config` is asked without looking where it is. */
  readonly searchPath?: string | undefined;
  /** Node's name of the system; that of this process when left out. */
  readonly platform?: string;
}

/** The parser that {@link parseWithBestParser} is to use, already on its way. */
export type PreloadedParser = { readonly library: Libclang } | { readonly library: null; readonly embedded: Worker };

/**
 * Finds the parser for {@link parseWithBestParser} beforehand, and has the system load it while this process goes on.
 * @throws BuildError A3S3004 for a wrong `LIBCLANG_PATH`.
 */
export async function preloadBestParser(
  search: Search,
  options: Pick<ParserOptions, 'workerPath' | 'signal'>,
): Promise<PreloadedParser> {
  const library = await locateLibclang(search, isCallable(options.workerPath));
  if (library === null) {
    const { startEmbeddedWorker } = await import('./worker-process.ts');
    return { library, embedded: startEmbeddedWorker(options) };
  }
  preloadLibrary(options.workerPath, library.library);
  return { library };
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
 * @param preloaded What {@link preloadBestParser} found; used once.
 * @throws BuildError A3S3002 and A3S3004 as `parseUnits`, and A3S3004 for a wrong `LIBCLANG_PATH`.
 */
export async function parseWithBestParser(
  units: readonly ParseUnit[],
  options: Omit<ParserOptions, 'parser'>,
  search: Search,
  preloaded?: PreloadedParser,
): Promise<ParsedUnits> {
  const found =
    preloaded === undefined ? await locateLibclang(search, canResolve(options.workerPath, 'koffi')) : preloaded.library;
  if (found !== null) {
    const { library } = found;
    try {
      return { units: await parseUnits(units, { ...options, parser: { kind: 'native', library } }), parser: library };
    } catch (error) {
      if (found.named || !(error instanceof BuildError) || error.code !== 'A3S3004') throw error;
      options.warn?.(`${library} is not used: ${error.message}`);
    }
  }
  const started = preloaded?.library === null ? preloaded.embedded : undefined;
  return { units: await parseUnits(units, { ...options, started }), parser: 'embedded' };
}

/** @param callable whether the package is there that calls shared libraries. */
async function locateLibclang(search: Search, callable: boolean): Promise<Libclang | null> {
  const { named, platform = process.platform } = search;
  if (named !== undefined) return chooseLibclang({ platform, callable, named: lookAt(named), folders: [] });
  if (!callable) return null;
  const configured = await configuredFolder(search, platform);
  const first =
    configured === undefined ? null : chooseLibclang({ platform, callable, folders: [lookInto(configured)] });
  if (first !== null) return first;
  const versions = (VERSION_FOLDERS[platform] ?? []).map(lookInto);
  const folders = foldersToLookInto({ platform, configured, versions }).map(lookInto);
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

/**
 * What `llvm-config --libdir` prints. The program finds that by its own place, and so can we where a library lies there;
 * starting it costs more than parsing a header.
 */
async function configuredFolder({ searchPath, toolchain }: Search, platform: string): Promise<string | undefined> {
  if (searchPath !== undefined) {
    const program = realPathOnPath('llvm-config', searchPath);
    if (program === undefined) return undefined;
    const prefix = dirname(dirname(program));
    const near = ['lib', 'lib64'].map((name) => lookInto(join(prefix, name)));
    const found = near.find((folder) => libraryIn(folder, platform) !== null);
    if (found !== undefined) return found.path;
  }
  return toolchain.ask('llvm-config', ['--libdir']);
}

function realPathOnPath(name: string, searchPath: string): string | undefined {
  for (const folder of searchPath.split(delimiter).filter((entry) => entry !== '')) {
    const path = join(folder, name);
    if (statusOf(path)?.isFile()) return realpathSync(path);
  }
  return undefined;
}

function lookAt(path: string): Named {
  const found = statusOf(path);
  if (found === undefined) return { path, is: 'nothing' };
  return found.isDirectory() ? { ...lookInto(path), is: 'folder' } : { path, is: 'file' };
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** A folder that is not there, or that may not be read, holds nothing of use. */
function lookInto(path: string): LookedInto {
  try {
    return { path, names: readdirSync(path) };
  } catch {
    return { path, names: [] };
  }
}
