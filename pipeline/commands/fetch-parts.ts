import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { napiLock, napiManifest } from '../bindings/emit-napi.ts';
import { listTree, statIfThere, writeFileWhole } from '../effects/files.ts';
import { assemblePlan } from '../plan/assemble.ts';
import { firmwareArtifact } from '../plan/build-steps.ts';
import { type RunEvent, runPlan } from '../run/engine.ts';
import { readCrates } from '../steps/cargo-metadata.ts';
import { fetchFirmwareArchive } from '../steps/firmware-archive.ts';
import { readRuntimeLock } from '../steps/header.ts';
import { STEP_RUNNERS } from '../steps/index.ts';
import { fetchSourceCrate, pinnedCrateFolder } from '../steps/source-crate.ts';
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

export interface FetchParts {
  /** A part that needs nothing is a word on why. */
  readonly firmware: (() => Promise<Fetched>) | string;
  readonly source: (() => Promise<Fetched>) | string;
  /** Fails where the source is not here. */
  readonly libkrun: (() => Promise<Fetched>) | string;
  readonly addon: () => Promise<Fetched>;
  readonly launcher: () => Promise<Fetched>;
}

/** Receives what cargo prints. */
export function fetchLog({ config }: Pick<Session, 'config'>): string {
  return join(config.outDir, 'logs', 'fetch.log');
}

/** What a build of this session fetches, asked for in the same way as its steps do. */
export function fetchParts(session: Session, signal: AbortSignal, emit: (event: RunEvent) => void): FetchParts {
  const { config, pins, facts, store, variables } = session;
  const { crate } = pins.libkrun;
  const context = { config, variables, store, signal, log: fetchLog(session), background: false };
  const crates = (manifest: string): Promise<Fetched> => fetchCrates(context, manifest);
  return {
    firmware:
      config.environment.firmwareFile !== undefined
        ? OWN
        : config.systemLibkrun
          ? SYSTEM
          : () => fetchFirmware(session, signal, emit),
    source: facts.source.kind === 'crate' ? fetchSource : OWN,
    libkrun: config.systemLibkrun
      ? SYSTEM
      : async () => crates(join(await makeSource(session, signal, emit), 'Cargo.toml')),
    launcher: () => crates(join(config.toolRoot, 'native', 'Cargo.toml')),
    async addon() {
      const temporary = await store.temporary('fetch');
      try {
        return await crates(await writeAddonManifest(config.toolRoot, temporary));
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    },
  };

  async function fetchSource(): Promise<Fetched> {
    const { folder, fetched } = await fetchSourceCrate(context, pinnedCrateFolder(config), crate);
    const bytes = folderSize(folder);
    return { what: `${crate.name} ${crate.version}`, bytes, pieces: 1, fetched: fetched ? 1 : 0 };
  }
}

async function fetchFirmware(session: Session, signal: AbortSignal, emit: (event: RunEvent) => void): Promise<Fetched> {
  const { config, pins, store, variables } = session;
  const { version } = pins.firmware.providers[config.firmware];
  const progress = (now: Extract<RunEvent, { kind: 'progress' }>['progress']): void =>
    emit({ kind: 'progress', step: 'firmware', progress: now });
  const context = { config, variables, store, signal, progress };
  const { file, fetched } = await fetchFirmwareArchive(context, firmwareArtifact(config, pins));
  const bytes = Number(statIfThere(file)?.size ?? 0n);
  return { what: `libkrunfw ${version} (${config.firmware})`, bytes, pieces: 1, fetched: fetched ? 1 : 0 };
}

async function fetchCrates(context: Parameters<typeof readCrates>[0], manifest: string): Promise<Fetched> {
  const { registryFolders, fetched } = await readCrates(context, manifest);
  const bytes = registryFolders.reduce((sum, folder) => sum + folderSize(folder), 0);
  return { what: `${registryFolders.length} crates`, bytes, pieces: registryFolders.length, fetched };
}

/** The folder of the source, made out of what was fetched. */
async function makeSource(session: Session, signal: AbortSignal, emit: (event: RunEvent) => void): Promise<string> {
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
