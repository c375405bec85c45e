import { join } from 'node:path';
import { readTextIfThere, writeFileWhole } from '../effects/files.ts';
import type { Store } from '../effects/store.ts';
import { digestOf } from '../plan/assemble.ts';
import type { Config } from '../plan/config.ts';
import { targetName } from '../plan/layout.ts';
import { type StepName, stepOf } from '../plan/steps.ts';
import type { Inputs } from './inputs.ts';

/** What is kept between runs of a project for the same targets; losing it costs time and reasons, never a right result. */
export interface LastRun {
  /** Key of the result that the last run used. */
  key(step: StepName): string | undefined;
  /** Inputs of the result that the last run used, for telling what changed since. */
  inputs(step: StepName): Inputs | undefined;
  save(keys: Readonly<Record<string, string>>): Promise<void>;
}

export async function openLastRun(store: Store, config: Config): Promise<LastRun> {
  const name = digestOf([config.projectRoot, targetName(config)]).slice(0, 32);
  const file = join(store.root, 'v1', 'projects', `${name}.json`);
  const keys = readKeys(await readTextIfThere(file));
  return {
    key: (step) => keys[step],
    inputs: (step) => {
      const key = keys[step];
      return key === undefined ? undefined : store.readManifest(stepOf(step), key)?.inputs;
    },
    async save(now) {
      if (Object.entries(now).every(([step, key]) => keys[step] === key)) return;
      await writeFileWhole(file, `${JSON.stringify({ keys: { ...keys, ...now } })}\n`);
    },
  };
}

function readKeys(text: string | undefined): Readonly<Record<string, string>> {
  try {
    const { keys } = JSON.parse(text ?? '{}') as { keys?: Record<string, unknown> };
    return Object.fromEntries(
      Object.entries(keys ?? {}).flatMap(([step, key]) =>
        typeof key === 'string' && /^[0-9a-f]{64}$/.test(key) ? [[step, key]] : [],
      ),
    );
  } catch {
    return {};
  }
}
