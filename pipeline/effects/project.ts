import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';
import type { ConfigFile } from '../plan/config-file.ts';
import { buildError } from '../plan/errors.ts';
import { readTextIfThere } from './files.ts';
import type { KnownGood } from './well-formed.ts';

const CONFIG_NAME = 'a3s-build.config.json';
const PACKAGE_FIELD = 'a3s-build';

/** Where a3s-build itself is installed, and its version. */
export interface ToolInfo {
  readonly root: string;
  readonly version: string;
}

/** Finds the folder of our own package.json: one level up in an installed package, some more in a checkout. */
export function findTool(): ToolInfo {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name === 'a3s-build') return { root: folder, version: version ?? '0.0.0' };
    }
    if (dirname(folder) === folder)
      throw buildError('A3S9001', { message: 'the package.json of a3s-build is missing' });
  }
}

export interface Project {
  readonly root: string;
  readonly file: ConfigFile;
  /** Where the configuration stands, or would stand. */
  readonly path: string;
}

/**
 * The project that `cwd` belongs to: the nearest folder upwards with a configuration (`a3s-build.config.json`, or an
 * `a3s-build` field in package.json), else the workspace root, else the nearest package.json, else `cwd`.
 * @param named Configuration file given by the user, which then decides alone.
 * @param known documents that need no further look; what is found well-formed is added
 * @throws BuildError A3S1101 for a configuration that cannot be used.
 */
export async function findProject(cwd: string, named: string | undefined, known: KnownGood): Promise<Project> {
  if (named !== undefined) {
    const path = resolve(cwd, named);
    const text = await readTextIfThere(path);
    if (text === undefined) throw buildError('A3S1101', { message: `${path} does not exist`, where: { file: path } });
    return { root: dirname(path), file: await parseFile(text, path, known), path };
  }
  let nearestPackage: string | undefined;
  let workspace: string | undefined;
  for (const folder of foldersUpwards(cwd)) {
    const path = join(folder, CONFIG_NAME);
    const config = await readTextIfThere(path);
    if (config !== undefined) return { root: folder, file: await parseFile(config, path, known), path };
    const file = join(folder, 'package.json');
    const text = await readTextIfThere(file);
    const manifest = text === undefined ? undefined : parsePackage(text);
    if (text !== undefined && manifest?.[PACKAGE_FIELD] !== undefined) {
      return { root: folder, file: await parseFile(text, file, known, PACKAGE_FIELD), path: file };
    }
    if (manifest !== undefined) nearestPackage ??= folder;
    if (manifest?.['workspaces'] !== undefined || existsSync(join(folder, 'pnpm-workspace.yaml'))) workspace ??= folder;
  }
  const root = workspace ?? nearestPackage ?? cwd;
  return { root, file: {}, path: join(root, CONFIG_NAME) };
}

/** Folder of the store: `A3S_CACHE_DIR`, else this system's cache folder. */
export function storeFolder(named: string | undefined, cwd: string): string {
  return named === undefined ? envPaths('a3s-build', { suffix: '' }).cache : resolve(cwd, named);
}

function* foldersUpwards(start: string): Generator<string> {
  for (let folder = start; ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}

function parsePackage(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // A package.json that npm itself cannot read is somebody else's trouble; it holds no configuration of ours.
    return undefined;
  }
}

/** What reads a configuration takes longer to load than all else that a run with nothing to do needs. */
async function parseFile(text: string, file: string, known: KnownGood, field?: string): Promise<ConfigFile> {
  const kind = `configuration ${field ?? ''}`;
  if (known.has(kind, text)) {
    const whole: unknown = JSON.parse(text);
    const config = field === undefined ? whole : (whole as Record<string, unknown>)[field];
    // Where its overrides stand takes a look at the text.
    if ((config as ConfigFile).bindings?.overrides === undefined) return config as ConfigFile;
  }
  const { parseConfigFile } = await import('../plan/config-file.ts');
  const config = parseConfigFile(text, file, field);
  known.add(kind, text);
  return config;
}
