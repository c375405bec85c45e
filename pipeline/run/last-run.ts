import { join } from 'node:path';
import { readTextIfThere, writeFileWhole } from '../effects/files.ts';
import type { Store } from '../effects/store.ts';
import { digestOf } from '../plan/assemble.ts';
import type { Config } from '../plan/config.ts';
import type { StepId } from '../plan/steps.ts';
import type { Inputs } from './inputs.ts';

/** Which results this project's last run for the target used; only for telling what changed since. */
export interface LastRun {
  inputs(step: StepId): Inputs | undefined;
  save(keys: Readonly<Record<string, string>>): Promise<void>;
}

export async function openLastRun(store: Store, config: Config): Promise<LastRun> {
  const name = digestOf([config.projectRoot, config.target.id]).slice(0, 32);
  const file = join(store.root, 'v1', 'projects', `${name}.json`);
  const keys = readKeys(await readTextIfThere(file));
  return {
    inputs: (step) => {
      const key = keys[step];
      return key === undefined ? undefined : store.readManifest(step, key)?.inputs;
    },
    async save(now) {
      if (Object.entries(now).every(([step, key]) => keys[step] === key)) return;
      await writeFileWhole(file, `${JSON.stringify({ ...keys, ...now })}\n`);
    },
  };
}

function readKeys(text: string | undefined): Readonly<Record<string, string>> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    const entries = Object.entries(parsed ?? {}).filter(([, key]) => /^[0-9a-f]{64}$/.test(String(key)));
    return Object.fromEntries(entries) as Record<string, string>;
  } catch {
    // Reasons become "first run" again; nothing else depends on this file.
    return {};
  }
}
