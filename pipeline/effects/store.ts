import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepId } from '../plan/steps.ts';
import type { DigestCache } from './digests.ts';
import { listTree, statIfThere, syncFile, systemCode, withDiskErrors, writeFileWhole } from './files.ts';

/** A fact that a step found out about its result: plain JSON. */
export type Fact = string | number | boolean | null | readonly Fact[] | { readonly [name: string]: Fact };
export type Facts = Readonly<Record<string, Fact>>;

export interface OutputFile {
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
  readonly sha256: string;
}

/** What is kept of a finished step beside its files. */
export interface StepManifest {
  readonly schema: 1;
  readonly step: StepId;
  readonly key: string;
  /** Digest or value of every input, by the name a person knows it under. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: readonly OutputFile[];
  readonly facts: Facts;
  readonly seconds: number;
}

/** The folder that holds results, downloads and compiler state, shared between projects and runs. */
export interface Store {
  readonly root: string;
  resultDir(step: StepId, key: string): string;
  /** The stored manifest, or undefined when there is no such result or its manifest is damaged. */
  readManifest(step: StepId, key: string): StepManifest | undefined;
  /** Whether every file of a result is still what was published. */
  isIntact(manifest: StepManifest, digests: DigestCache): Promise<boolean>;
  /** A fresh, empty folder on the store's own file system. */
  temporary(name: string): Promise<string>;
  /** Moves a finished folder into place; another run's equal result may already be there and then stays. */
  publish(folder: string, manifest: Omit<StepManifest, 'outputs'>, digests: DigestCache): Promise<StepManifest>;
  /** Takes a damaged result away. */
  discard(step: StepId, key: string): Promise<void>;
  /** Persistent folder of a compiler; never an output, safe to delete. */
  scratchDir(name: string): string;
  /** Lock file of that name. */
  lockFile(name: string): string;
  downloadFile(name: string): string;
}

/** Version of the store's layout: another one never reads what this one wrote. */
const LAYOUT = 'v1';
const MANIFEST = 'manifest.json';
const OUTPUT = 'out';

export function openStore(root: string): Store {
  const at = (...parts: string[]): string => join(root, LAYOUT, ...parts);
  const resultDir = (step: StepId, key: string): string => at('results', step, key);
  const store: Store = {
    root,
    resultDir: (step, key) => join(resultDir(step, key), OUTPUT),
    scratchDir: (name) => at('scratch', name),
    lockFile: (name) => at('locks', `${name}.lock`),
    downloadFile: (name) => at('downloads', name),
    readManifest: (step, key) => readManifest(join(resultDir(step, key), MANIFEST), step, key),
    async isIntact(manifest, digests) {
      const folder = store.resultDir(manifest.step, manifest.key);
      for (const output of manifest.outputs) {
        const path = join(folder, output.path);
        if ((await digests.digest(path)) !== output.sha256 || isExecutable(path) !== output.executable) return false;
      }
      return true;
    },
    async temporary(name) {
      return withDiskErrors(root, async () => {
        await mkdir(at('tmp'), { recursive: true, mode: 0o755 });
        return mkdtemp(join(at('tmp'), `${name}-`));
      });
    },
    async publish(folder, partial, digests) {
      const outputs = await describeOutputs(folder, digests);
      const manifest: StepManifest = { ...partial, outputs };
      const target = resultDir(partial.step, partial.key);
      const staging = await store.temporary(`publish-${partial.step}`);
      await withDiskErrors(target, async () => {
        await rename(folder, join(staging, OUTPUT));
        await writeFileWhole(join(staging, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`);
        await syncFile(join(staging, MANIFEST));
        await mkdir(join(target, '..'), { recursive: true });
        if (await moveIntoPlace(staging, target)) return;
        // A result that nobody can read would otherwise keep its place for ever.
        if (store.readManifest(partial.step, partial.key) === undefined) {
          await store.discard(partial.step, partial.key);
          if (await moveIntoPlace(staging, target)) return;
        }
        await rm(staging, { recursive: true, force: true });
      });
      return store.readManifest(partial.step, partial.key) ?? manifest;
    },
    async discard(step, key) {
      const aside = await store.temporary('discard');
      await rename(resultDir(step, key), join(aside, key)).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error;
      });
      await rm(aside, { recursive: true, force: true });
    },
  };
  return store;
}

/** Removes temporary folders of processes that ended without cleaning up, when they are older than `ageMs`. */
export async function sweepTemporary(root: string, ageMs: number): Promise<void> {
  const folder = join(root, LAYOUT, 'tmp');
  for (const name of await readdir(folder).catch(() => [])) {
    const stat = statIfThere(join(folder, name));
    if (stat !== undefined && Date.now() - Number(stat.mtimeMs) > ageMs) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** Whether the folder could be moved; false where another one has the place. */
async function moveIntoPlace(folder: string, target: string): Promise<boolean> {
  try {
    await rename(folder, target);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function isExecutable(path: string): boolean {
  const stat = statIfThere(path);
  return stat?.isFile() === true && (stat.mode & 0o100n) !== 0n;
}

async function describeOutputs(folder: string, digests: DigestCache): Promise<OutputFile[]> {
  const outputs: OutputFile[] = [];
  for (const entry of listTree(folder)) {
    const path = join(folder, entry.path);
    const stat = statIfThere(path);
    outputs.push({
      path: entry.path,
      size: Number(stat?.size ?? 0n),
      executable: isExecutable(path),
      sha256: await digests.digest(path),
    });
  }
  return outputs;
}

function readManifest(file: string, step: StepId, key: string): StepManifest | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isManifest(parsed) && parsed.step === step && parsed.key === key ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is StepManifest {
  return (
    isRecord(value) &&
    value['schema'] === 1 &&
    isRecord(value['inputs']) &&
    isRecord(value['facts']) &&
    Array.isArray(value['outputs']) &&
    value['outputs'].every(isOutput)
  );
}

/** A path that leads outside would let a damaged or forged manifest vouch for files that are no result. */
function isOutput(value: unknown): value is OutputFile {
  if (!isRecord(value) || typeof value['path'] !== 'string' || typeof value['sha256'] !== 'string') return false;
  return !value['path'].split('/').some((part) => part === '' || part === '..');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
