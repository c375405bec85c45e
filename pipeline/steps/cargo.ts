import { join } from 'node:path';
import type { DigestCache } from '../effects/digests.ts';
import { listTree } from '../effects/files.ts';
import { withLock } from '../effects/lock.ts';
import { type ProcessResult, runProcess } from '../effects/process.ts';
import { syncFolder, type WantedFile } from '../effects/sync.ts';
import { digestOf } from '../plan/assemble.ts';
import { cargoEnvironment } from '../plan/child-environment.ts';
import { type Crates, readCrates } from './cargo-metadata.ts';
import { compileError } from './compile-error.ts';
import { LINK_FLAGS, linkingOf, systemVariables } from './linking.ts';
import type { StepContext } from './step.ts';

/** A crate in a private copy, with the target folder that stays beside it between runs. */
export interface CargoWorkspace {
  /** Folder that holds the copied files. */
  readonly root: string;
  readonly manifest: string;
  readonly targetDir: string;
}

/** Minutes-long silence is normal while one big unit is compiled on a slow machine; half an hour is not. */
export const IDLE_LIMIT = 30 * 60_000;

/**
 * Copies `files` to a place of our own and runs `work` there, alone: what cargo builds is never in the user's tree,
 * and a second run waits instead of changing files under a running compiler.
 */
export async function withCargoWorkspace<T>(
  context: StepContext,
  files: readonly WantedFile[],
  manifest: string,
  work: (workspace: CargoWorkspace) => Promise<T>,
): Promise<T> {
  const { config, toolchain } = context;
  const rustc = await toolchain.ask(config.environment.rustc, ['-vV']);
  const { name: linker } = linkingOf(context);
  // Cargo does not notice another linker; without one named, the folder is that of every version before.
  const parts = [config.projectRoot, rustc ?? '', ...(linker === '' ? [] : [linker])];
  const name = `${config.target.id}-${digestOf(parts).slice(0, 16)}`;
  const scratch = context.scratch(name);
  const onWait = (pid: number): void => context.warn(`waiting for another a3s-build (process ${pid})`);
  return withLock(`${scratch}.lock`, { signal: context.signal, onWait }, async () => {
    const root = join(scratch, 'files');
    await syncFolder(root, files, context.digests, () => true);
    return work({ root, manifest: join(root, manifest), targetDir: join(scratch, 'target') });
  });
}

/** Every file of a folder, as wanted below `to`. */
export async function filesBelow(
  folder: string,
  to: string,
  digests: DigestCache,
  exclude: readonly string[] = [],
): Promise<WantedFile[]> {
  return Promise.all(
    listTree(folder, exclude).map(({ path }) => wantedFile(join(folder, path), join(to, path), digests)),
  );
}

/** One file, as wanted at `path`. */
export async function wantedFile(from: string, path: string, digests: DigestCache): Promise<WantedFile> {
  return { path, from, sha256: await digests.digest(from), executable: false };
}

/**
 * Runs `cargo build` with an environment in which nothing but the declared inputs has a say, and with every path of
 * this machine replaced in what it compiles.
 * @throws BuildError A3S1203 with the first error and the log.
 */
export async function cargoBuild(
  context: StepContext,
  workspace: CargoWorkspace,
  build: { readonly args: readonly string[]; readonly rustflags: readonly string[] },
): Promise<Crates> {
  const { env, crates } = await prepareBuild(context, workspace, build.rustflags);
  const linking = linkingOf(context);
  const result = await runCargo(context, env, [
    linking.subcommand,
    '--locked',
    '--release',
    '--manifest-path',
    workspace.manifest,
    '--target',
    linking.triple,
    '--target-dir',
    workspace.targetDir,
    '--jobs',
    String(context.jobs),
    ...build.args,
  ]);
  if (result.code !== 0 || result.signal !== null) throw await compileError('cargo', result, context.log);
  return crates;
}

/**
 * The environment for compiling `workspace`, and its crates. Every package folder gets a name in its place that is the
 * same wherever cargo keeps its registry.
 */
export async function prepareBuild(
  context: StepContext,
  workspace: CargoWorkspace,
  rustflags: readonly string[],
): Promise<{ env: Record<string, string>; crates: Crates }> {
  const { config, toolchain, variables } = context;
  const { rustc, cargo } = config.environment;
  const sysroot = (await toolchain.ask(rustc, ['--print', 'sysroot'])) ?? '';
  const commit = /^commit-hash: (\w+)/m.exec((await toolchain.ask(rustc, ['-vV'])) ?? '')?.[1] ?? 'unknown';
  const crates = await readCrates(context, workspace.manifest);
  // rustc lets the last match win, so the folders that hold others come first.
  const remaps = [
    [workspace.targetDir, 'target'],
    [workspace.root, 'source'],
    ...crates.folders,
    [join(sysroot, 'lib/rustlib/src/rust'), `/rustc/${commit}`],
  ].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  const env = {
    ...cargoEnvironment(variables, {
      triple: config.target.triple,
      rustflags: [...rustflags, ...LINK_FLAGS[config.target.platform], ...remaps],
    }),
    ...(rustc === 'rustc' ? {} : { RUSTC: rustc }),
    ...(cargo === 'cargo' ? {} : { CARGO: cargo }),
    ...systemVariables(config.target),
    ...linkingOf(context).env,
  };
  return { env, crates };
}

/** Runs cargo and passes its progress on. */
function runCargo(context: StepContext, env: Record<string, string>, args: readonly string[]): Promise<ProcessResult> {
  return runProcess({
    command: context.config.environment.cargo,
    args,
    // Cargo reads its configuration (mirrors, proxies) from the working folder: the user's project, not our copy.
    cwd: context.config.projectRoot,
    env,
    log: context.log,
    signal: context.signal,
    background: context.background,
    idleLimit: IDLE_LIMIT,
    onLine: reportProgress(context),
  });
}

/** Passes cargo's progress on, from the lines that it prints. */
export function reportProgress(context: StepContext): (line: string) => void {
  return (line) => {
    const progress = cargoProgress(line);
    if (progress !== undefined) context.progress(progress);
  };
}

/** Reads cargo's progress bar: `Building [====>    ] 54/120: vm-memory, devices`. */
export function cargoProgress(
  line: string,
): { done: number; total: number; unit: 'crates'; detail: string } | undefined {
  const match = /Building \[[=> ]*\] (\d+)\/(\d+)(?:: (.*))?$/.exec(line);
  if (match === null) return undefined;
  return {
    done: Number(match[1]),
    total: Number(match[2]),
    unit: 'crates',
    detail: (match[3] ?? '').replace(/\.\.\.$/, ''),
  };
}
