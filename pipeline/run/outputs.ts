import { join } from 'node:path';
import type { DigestCache } from '../effects/digests.ts';
import { readTextIfThere, writeFileWhole } from '../effects/files.ts';
import { withLock } from '../effects/lock.ts';
import type { Facts, StepManifest, Store } from '../effects/store.ts';
import { syncFolder, type WantedFile } from '../effects/sync.ts';
import { digestOf } from '../plan/assemble.ts';
import type { Config } from '../plan/config.ts';
import { type Layout, layoutOf, targetName } from '../plan/layout.ts';
import type { StepId } from '../plan/steps.ts';
import type { StepOutcome } from './engine.ts';

/** What a run did and what came of it: `build/<target>/manifest.json`, of a stub `build/stub/manifest.json`. */
export interface BuildManifest {
  readonly schema: 1;
  readonly tool: string;
  /** The target's id; `stub` for a stub, which is the same for all. */
  readonly target: string;
  /** Made in stub mode: nothing in it is, or holds, libkrun. */
  readonly stub: boolean;
  readonly steps: readonly {
    readonly id: StepId;
    readonly outcome: 'built' | 'reused';
    readonly why: string;
    readonly key: string;
    /** Seconds this run spent, and milliseconds after its start at which the step began. */
    readonly seconds: number;
    readonly startedAt: number;
    readonly facts: Facts;
    readonly outputs: Readonly<Record<string, string>>;
  }[];
}

interface OutputContext {
  readonly config: Config;
  readonly store: Store;
  readonly digests: DigestCache;
}

/** Folders of the output that are made from a step's result: where it goes and which part of it. */
const PLACES: readonly { readonly step: StepId; readonly part: string; readonly to: (layout: Layout) => string }[] = [
  { step: 'prefix', part: 'prefix', to: ({ target }) => join(target, 'prefix') },
  { step: 'package', part: 'npm', to: ({ npm }) => npm },
];

/** Puts results where people look for them, touching only what differs, and writes the manifest last. */
export async function writeOutputs(
  context: OutputContext,
  outcomes: ReadonlyMap<StepId, StepOutcome>,
  signal: AbortSignal,
): Promise<BuildManifest> {
  const { config, store, digests } = context;
  const manifest = describeRun(config, outcomes);
  const lock = store.lockFile(`out-${digestOf(config.outDir).slice(0, 32)}`);
  await withLock(lock, { signal }, async () => {
    const layout = layoutOf(config);
    const folder = layout.target;
    const earlier = await earlierOutputs(join(folder, 'manifest.json'));
    for (const { step, part, to } of PLACES) {
      const outcome = outcomes.get(step);
      if (outcome === undefined) continue;
      const ours = earlier(step);
      const wanted = partOf(outcome.manifest, part, store);
      // The folder is the user's: only what an earlier run put there may go.
      await syncFolder(to(layout), wanted, digests, (path) => ours.has(`${part}/${path}`));
    }
    const prefix = outcomes.get('prefix');
    if (prefix !== undefined)
      await copyText(join(store.resultDir('prefix', prefix.manifest.key), 'link.json'), join(folder, 'link.json'));
    await writeFileWhole(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return manifest;
}

function describeRun(config: Config, outcomes: ReadonlyMap<StepId, StepOutcome>): BuildManifest {
  return {
    schema: 1,
    tool: config.toolVersion,
    target: targetName(config),
    stub: config.environment.stub,
    steps: [...outcomes.values()].map(({ manifest, outcome, why, seconds, startedAt }) => ({
      id: manifest.step,
      outcome,
      why,
      key: manifest.key,
      seconds,
      startedAt,
      facts: manifest.facts,
      // A source tree's hundreds of files are in the store's own manifest.
      outputs:
        manifest.step === 'source' ? {} : Object.fromEntries(manifest.outputs.map((file) => [file.path, file.sha256])),
    })),
  };
}

function partOf(manifest: StepManifest, part: string, store: Store): WantedFile[] {
  const folder = store.resultDir(manifest.step, manifest.key);
  return manifest.outputs
    .filter((output) => output.path.startsWith(`${part}/`))
    .map((output) => ({
      path: output.path.slice(part.length + 1),
      from: join(folder, output.path),
      sha256: output.sha256,
      executable: output.executable,
    }));
}

/** Names of the files that the run before put into the output folder, by step. */
async function earlierOutputs(file: string): Promise<(step: StepId) => ReadonlySet<string>> {
  const text = await readTextIfThere(file);
  try {
    const { steps } = JSON.parse(text ?? '{"steps":[]}') as BuildManifest;
    return (step) => new Set(Object.keys(steps.find((entry) => entry.id === step)?.outputs ?? {}));
  } catch {
    return () => new Set();
  }
}

async function copyText(from: string, to: string): Promise<void> {
  const text = await readTextIfThere(from);
  if (text !== undefined && text !== (await readTextIfThere(to))) await writeFileWhole(to, text);
}
