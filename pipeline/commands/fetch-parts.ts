import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { napiLock, napiManifest } from '../bindings/emit-napi.ts';
import { listTree, statIfThere, writeFileWhole } from '../effects/files.ts';
import { assemblePlan } from '../plan/assemble.ts';
import { firmwareArtifact } from '../plan/build-steps.ts';
import { type Config, configFor } from '../plan/config.ts';
import { type Guest, initCompilerOf } from '../plan/init-compiler.ts';
import type { StepId, StepName } from '../plan/steps.ts';
import { type RunEvent, runPlan } from '../run/engine.ts';
import { readCrates } from '../steps/cargo-metadata.ts';
import { fetchFirmwareArchive } from '../steps/firmware-archive.ts';
import { readRuntimeLock } from '../steps/header.ts';
import { STEP_RUNNERS } from '../steps/index.ts';
import { fetchSourceCrate, pinnedCrateFolder } from '../steps/source-crate.ts';
import { fetchSysroot } from '../steps/sysroot.ts';
import type { Session } from './session.ts';

/** Something that a build needs from elsewhere, and that is here now. */
export interface Fetched {
  readonly what: string;
  /** Archives as they are kept; crates as cargo unpacked them. */
  readonly bytes: number;
  /** Of how many archives it is, and how many of them this run fetched. */
  readonly pieces: number;
  readonly fetched: number;
}

const OWN = 'your own, nothing to fetch';
const SYSTEM = 'of this system, nothing to fetch';

/** What a step of the plan needs from elsewhere. */
export interface FetchPart {
  readonly id: StepId;
  readonly name: StepName;
  /** Where nothing is to be fetched, a word on why. */
  readonly fetch: (() => Promise<Fetched>) | string;
}

/** Receives what cargo prints. */
export function fetchLog({ config }: { readonly config: Pick<Config, 'outDir'> }): string {
  return join(config.outDir, 'logs', 'fetch.log');
}

/** Steps that need something from elsewhere, in the order in which it is fetched. */
const FETCHING = ['firmware', 'source', 'init', 'libkrun', 'addon', 'launcher'] as const;

type Fetching = (typeof FETCHING)[number];

/** How a command fetches: what it is interrupted by, and who is told how far it is. */
interface FetchContext {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

/** What a build of this session fetches, asked for in the same way as its steps do; for each target what it needs. */
export function fetchParts(session: Session, signal: AbortSignal, emit: (event: RunEvent) => void): FetchPart[] {
  const { config } = session;
  const several = config.targets.length > 1;
  return FETCHING.flatMap((id) =>
    (id === 'source' ? config.targets.slice(0, 1) : config.targets).flatMap((target) => {
      const name: StepName = several && id !== 'source' ? `${id} ${target.id}` : id;
      const own = { session: { ...session, config: configFor(config, target) }, signal, emit };
      const fetch = PARTS[id](own, name);
      return fetch === undefined ? [] : [{ id, name, fetch }];
    }),
  );
}

/** What each step needs; undefined where most builds need nothing, and that is not worth a word. */
const PARTS: Readonly<Record<Fetching, (context: FetchContext, name: StepName) => FetchPart['fetch'] | undefined>> = {
  firmware(context, name) {
    const { environment, systemLibkrun } = context.session.config;
    if (environment.firmwareFile !== undefined) return OWN;
    return systemLibkrun ? SYSTEM : () => fetchFirmware(context, name);
  },
  source: (context) => (context.session.facts.source.kind === 'crate' ? () => fetchSource(context) : OWN),
  init(context, name) {
    const { config, facts } = context.session;
    const compiler = initCompilerOf(config, facts.tools);
    const unneeded = config.systemLibkrun || config.environment.initFile !== undefined || compiler.kind !== 'clang';
    return unneeded ? undefined : () => fetchPackages(context, compiler.sysroot, name);
  },
  libkrun: (context) =>
    context.session.config.systemLibkrun
      ? SYSTEM
      : async () => fetchCrates(context, join(await makeSource(context), 'Cargo.toml')),
  launcher: (context) => () => fetchCrates(context, join(context.session.config.toolRoot, 'native', 'Cargo.toml')),
  addon: (context) => async () => {
    const { store, config } = context.session;
    const temporary = await store.temporary('fetch');
    try {
      return await fetchCrates(context, await writeAddonManifest(config.toolRoot, temporary));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
};

async function fetchPackages(context: FetchContext, debian: Guest['debian'], step: StepName): Promise<Fetched> {
  const { pins } = context.session;
  const { files, fetched } = await fetchSysroot(
    { ...queryContext(context), pins, progress: progressOf(context, step) },
    debian,
  );
  const bytes = files.reduce((sum, file) => sum + Number(statIfThere(file)?.size ?? 0n), 0);
  return { what: `sysroot for ${debian}`, bytes, pieces: files.length, fetched };
}

function progressOf({ emit }: FetchContext, step: StepName) {
  return (progress: Extract<RunEvent, { kind: 'progress' }>['progress']): void =>
    emit({ kind: 'progress', step, progress });
}

function queryContext({ session, signal }: FetchContext) {
  const { config, variables, store } = session;
  return { config, variables, store, signal, log: fetchLog(session), background: false };
}

async function fetchSource(context: FetchContext): Promise<Fetched> {
  const { config, pins } = context.session;
  const { crate } = pins.libkrun;
  const { folder, fetched } = await fetchSourceCrate(queryContext(context), pinnedCrateFolder(config), crate);
  return { what: `${crate.name} ${crate.version}`, bytes: folderSize(folder), pieces: 1, fetched: fetched ? 1 : 0 };
}

async function fetchFirmware(fetching: FetchContext, step: StepName): Promise<Fetched> {
  const { config, pins } = fetching.session;
  const { version } = pins.firmware.providers[config.firmware];
  const context = { ...queryContext(fetching), progress: progressOf(fetching, step) };
  const { file, fetched } = await fetchFirmwareArchive(context, firmwareArtifact(config, pins));
  const bytes = Number(statIfThere(file)?.size ?? 0n);
  return { what: `libkrunfw ${version} (${config.firmware})`, bytes, pieces: 1, fetched: fetched ? 1 : 0 };
}

async function fetchCrates(context: FetchContext, manifest: string): Promise<Fetched> {
  const { registryFolders, fetched } = await readCrates(queryContext(context), manifest);
  const bytes = registryFolders.reduce((sum, folder) => sum + folderSize(folder), 0);
  return { what: `${registryFolders.length} crates`, bytes, pieces: registryFolders.length, fetched };
}

/** The folder of the source, made out of what was fetched. */
async function makeSource({ session, signal, emit }: FetchContext): Promise<string> {
  const plan = assemblePlan({ ...session.config, only: ['source'] }, session.pins, session.facts);
  const beforeBuilding = async (): Promise<void> => {};
  const environment = { ...session, ...session.facts, signal, beforeBuilding, runners: STEP_RUNNERS };
  const outcome = (await runPlan(plan, { ...environment, emit })).get('source');
  if (outcome === undefined) throw new Error('the plan for the source has no source');
  return session.store.resultDir('source', outcome.manifest.key);
}

/** A crate with the dependencies of the addon, which do not depend on what the header says, and no code. */
async function writeAddonManifest(toolRoot: string, folder: string): Promise<string> {
  const options = { runtimePath: join(toolRoot, 'native', 'node'), lock: await readRuntimeLock({ toolRoot }) };
  const files = [napiManifest(options), napiLock(options), { path: 'napi/src/lib.rs', content: '' }];
  for (const { path, content } of files) await writeFileWhole(join(folder, path), content);
  return join(folder, 'napi', 'Cargo.toml');
}

function folderSize(folder: string): number {
  return listTree(folder).reduce((sum, { path }) => sum + Number(statIfThere(join(folder, path))?.size ?? 0n), 0);
}
