import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runProcess } from '../effects/process.ts';
import { cargoQueryEnvironment } from '../plan/child-environment.ts';
import { buildError } from '../plan/errors.ts';
import { compileError } from './compile-error.ts';
import { isDownload } from './source-crate.ts';
import type { StepContext } from './step.ts';

/** The part of `cargo metadata --format-version 1` that is used. */
interface Metadata {
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
    readonly authors: readonly string[];
    /** Null for a package of the workspace or a path. */
    readonly source: string | null;
    readonly manifest_path: string;
  }[];
}

export interface CrateInfo {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string | null;
  readonly authors: readonly string[];
  /** Where cargo unpacked it, or where it lies in the workspace. */
  readonly folder: string;
}

/** The crates of a workspace as cargo resolves them for the target. */
export interface Crates {
  /** How many crates of registries this call fetched. */
  readonly fetched: number;
  /** Where cargo unpacked those that come from registries. */
  readonly registryFolders: readonly string[];
  /** Folder and `name-version` of every package; longer folders come later. */
  readonly folders: readonly (readonly [folder: string, name: string])[];
  /** What a package states about itself, by `name@version`. */
  find(key: string): CrateInfo;
}

/** What asking cargo needs of a step or a command. */
export type QueryContext = Pick<StepContext, 'config' | 'variables' | 'log' | 'signal' | 'background'>;

/** What cargo says when a registry or a mirror cannot be reached. */
const NETWORK =
  /failed to (download|get|fetch|query)|could not (connect|resolve)|timed out|spurious network|SSL|offline/i;

/**
 * Asks cargo for the crates that `manifest` needs; downloads those that are not in its cache.
 * @throws BuildError A3S2002 or A3S2003 when a registry cannot be reached, A3S1203 for a manifest that is wrong.
 */
export async function readCrates(context: QueryContext, manifest: string): Promise<Crates> {
  const { config, variables, log } = context;
  let fetched = 0;
  const result = await runProcess({
    command: config.environment.cargo,
    args: [
      ...['metadata', '--format-version', '1', '--locked'],
      // The build itself has no network: crates for the host (build scripts) must be here as well.
      ...[
        '--manifest-path',
        manifest,
        '--filter-platform',
        config.target.triple,
        '--filter-platform',
        config.host.triple,
      ],
    ],
    cwd: config.projectRoot,
    env: cargoQueryEnvironment(variables, config.offline),
    signal: context.signal,
    background: context.background,
    onLine: (line) => {
      if (isDownload(line)) fetched++;
    },
  });
  if (result.code === 0) return describe(JSON.parse(result.stdout) as Metadata, fetched);
  const text = result.tail.join('\n');
  await mkdir(dirname(log), { recursive: true });
  await appendFile(log, `${text}\n`);
  if (/--locked/.test(text) || !NETWORK.test(text)) throw await compileError('cargo metadata', result, log);
  const first = result.tail.find((line) => line.startsWith('error')) ?? 'no message';
  const message = `cargo cannot fetch the crates that the build needs: ${first.replace(/^error: /, '')}`;
  throw buildError(config.offline ? 'A3S2003' : 'A3S2002', { message, log });
}

function describe({ packages }: Metadata, fetched: number): Crates {
  const byKey = new Map(packages.map((entry) => [`${entry.name}@${entry.version}`, entry]));
  const folders = packages
    .map((entry) => [folderOf(entry), `${entry.name}-${entry.version}`] as const)
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return {
    fetched,
    registryFolders: packages.filter(({ source }) => source !== null).map(folderOf),
    folders,
    find(key) {
      const entry = byKey.get(key);
      if (entry === undefined) throw buildError('A3S9001', { message: `cargo did not tell of the crate ${key}` });
      const { name, version, license, authors } = entry;
      return { name, version, license, authors, folder: folderOf(entry) };
    },
  };
}

function folderOf(entry: { readonly manifest_path: string }): string {
  return dirname(entry.manifest_path);
}
