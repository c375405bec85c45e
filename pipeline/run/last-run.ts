import { join } from 'node:path';
import { readTextIfThere, writeFileWhole } from '../effects/files.ts';
import type { KnownGood } from '../effects/inputs-on-disk.ts';
import type { Store } from '../effects/store.ts';
import { digestOf } from '../plan/assemble.ts';
import type { Config } from '../plan/config.ts';
import { targetName } from '../plan/layout.ts';
import { type StepName, stepOf } from '../plan/steps.ts';
import type { Inputs } from './inputs.ts';

/** What is kept between runs of a project for the same targets; losing it costs time and reasons, never a right result. */
export interface LastRun {
  /** Digests of documents that were found well-formed. */
  readonly known: KnownGood;
  /** Key of the result that the last run used. */
  key(step: StepName): string | undefined;
  /** Inputs of the result that the last run used, for telling what changed since. */
  inputs(step: StepName): Inputs | undefined;
  save(keys: Readonly<Record<string, string>>): Promise<void>;
}

export async function openLastRun(store: Store, config: Config): Promise<LastRun> {
  const name = digestOf([config.projectRoot, targetName(config)]).slice(0, 32);
  const file = join(store.root, 'v1', 'projects', `${name}.json`);
  const { keys, documents } = readRecord(await readTextIfThere(file));
  const known = new Set(documents);
  return {
    known,
    key: (step) => keys[step],
    inputs: (step) => {
      const key = keys[step];
      return key === undefined ? undefined : store.readManifest(stepOf(step), key)?.inputs;
    },
    async save(now) {
      const unchanged = known.size === documents.length;
      if (unchanged && Object.entries(now).every(([step, key]) => keys[step] === key)) return;
      const record: RunRecord = { keys: { ...keys, ...now }, documents: [...known] };
      await writeFileWhole(file, `${JSON.stringify(record)}\n`);
    },
  };
}

interface RunRecord {
  readonly keys: Readonly<Record<string, string>>;
  readonly documents: readonly string[];
}

function readRecord(text: string | undefined): RunRecord {
  const isDigest = (value: unknown): value is string => /^[0-9a-f]{64}$/.test(String(value));
  try {
    const { keys, documents } = JSON.parse(text ?? '{}') as Partial<RunRecord>;
    return {
      keys: Object.fromEntries(Object.entries(keys ?? {}).filter(([, key]) => isDigest(key))),
      documents: Array.isArray(documents) ? documents.filter(isDigest) : [],
    };
  } catch {
    return { keys: {}, documents: [] };
  }
}
