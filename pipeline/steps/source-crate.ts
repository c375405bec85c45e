import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProcess } from '../effects/process.ts';
import { cargoQueryEnvironment } from '../plan/child-environment.ts';
import type { Config } from '../plan/config.ts';
import { buildError } from '../plan/errors.ts';
import type { StepContext } from './step.ts';

/** What asking cargo for crates needs of a step or a command. */
export type CargoContext = Pick<StepContext, 'config' | 'variables' | 'signal' | 'log'>;

/** A published crate, by its exact version. */
export interface CrateName {
  readonly name: string;
  readonly version: string;
}

/** A crate that cargo fetched. */
export interface FetchedCrate {
  /** Where cargo unpacked it; cargo does not look whether somebody changed it since. */
  readonly folder: string;
  /** SPDX expression of its manifest. */
  readonly license: string | null;
  /** Whether this call fetched it; false where cargo had it. */
  readonly fetched: boolean;
}

/** Folder of the manifest and the lock that go with the pins: the project's where it has its own, else the tool's. */
export function pinnedCrateFolder({ projectRoot, toolRoot }: Pick<Config, 'projectRoot' | 'toolRoot'>): string {
  const own = join(projectRoot, 'vendor', 'source-crate');
  return existsSync(join(own, 'Cargo.toml')) ? own : join(toolRoot, 'vendor', 'source-crate');
}

/**
 * Asks cargo to fetch the crate that carries libkrun's source, with the user's mirrors and offline mode, and where it
 * put it. Cargo holds the download against the checksum in the lock.
 * @param folder Holds a Cargo.toml that names the crate, and the Cargo.lock.
 * @throws BuildError A3S2003 when it is not there and --offline is set, A3S2002 when it cannot be fetched, A3S1102 when
 *   the manifest names another crate.
 */
export async function fetchSourceCrate(
  context: CargoContext,
  folder: string,
  crate: CrateName,
  locked: boolean = true,
): Promise<FetchedCrate> {
  const { config } = context;
  const manifest = ['--manifest-path', join(folder, 'Cargo.toml')];
  const lock = locked ? ['--locked'] : [];
  const offline = config.offline ? ['--offline'] : [];
  const fetch = ['fetch', ...lock, ...manifest, '--target', config.host.triple, ...offline];
  const { lines } = await cargo(context, crate, fetch);
  const query = ['metadata', '--format-version', '1', '--locked', '--offline'];
  const { stdout } = await cargo(context, crate, [...query, ...manifest, '--filter-platform', config.host.triple]);
  const { packages } = JSON.parse(stdout) as Metadata;
  const found = packages.find(({ name, version }) => name === crate.name && version === crate.version);
  if (found === undefined) {
    throw buildError('A3S1102', {
      message: `vendor/libkrun.json pins ${crate.name} ${crate.version}, which ${join(folder, 'Cargo.toml')} does not name`,
      fix: `Run \`a3s-build pin source ${crate.version}\`, which writes both.`,
    });
  }
  return { folder: dirname(found.manifest_path), license: found.license, fetched: lines.some(isDownload) };
}

/** The part of `cargo metadata --format-version 1` that is used. */
interface Metadata {
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
    readonly manifest_path: string;
  }[];
}

/** Whether cargo tells in this line that it fetched a crate: `  Downloaded anyhow v1.0.95`. */
export function isDownload(line: string): boolean {
  return /^\s*Downloaded \S+ v\d/.test(line);
}

async function cargo(context: CargoContext, crate: CrateName, args: readonly string[]) {
  const { config, variables, signal, log } = context;
  const lines: string[] = [];
  const result = await runProcess({
    command: config.environment.cargo,
    args,
    // Cargo reads its configuration (mirrors, proxies) from the working folder.
    cwd: config.projectRoot,
    env: cargoQueryEnvironment(variables, config.offline),
    log,
    signal,
    idleLimit: 300_000,
    onLine: (line) => void lines.push(line.slice(0, 200)),
  });
  if (result.code === 0) return { stdout: result.stdout, lines };
  const text = result.tail.join('\n');
  if (/offline|no matching package/.test(text) && config.offline) {
    throw buildError('A3S2003', {
      message: `the crate ${crate.name} ${crate.version} is not in cargo's cache, and --offline is set`,
      log,
    });
  }
  if (/failed to select a version|no matching package/.test(text)) {
    throw buildError('A3S1611', {
      message: `the registry that cargo uses has no ${crate.name} ${crate.version}`,
      log,
    });
  }
  throw buildError('A3S2002', {
    message: `cargo could not fetch ${crate.name} ${crate.version}: ${firstError(result.tail)}`,
    fix: "Check the network and cargo's registry settings (.cargo/config.toml, [source] replacement for a mirror), or name a local tree with --libkrun-dir.",
    log,
  });
}

function firstError(lines: readonly string[]): string {
  return (lines.find((line) => line.startsWith('error')) ?? lines.at(-1) ?? 'no message').replace(/^error: /, '');
}
