import { join } from 'node:path';
import type { DigestCache } from '../effects/digests.ts';
import { readTextIfThere, writeFileWhole } from '../effects/files.ts';
import { withLock } from '../effects/lock.ts';
import type { Facts, StepManifest, Store } from '../effects/store.ts';
import { syncFolder, type WantedFile } from '../effects/sync.ts';
import { digestOf } from '../plan/assemble.ts';
import { type Config, configFor } from '../plan/config.ts';
import { type Layout, layoutOf, targetName } from '../plan/layout.ts';
import type { Plan, StepId } from '../plan/steps.ts';
import type { Target } from '../plan/targets.ts';
import type { StepOutcome } from './engine.ts';

/**
 * What a run did for a target, and what came of it: `build/<target>/manifest.json`, of a stub `build/stub/manifest.json`.
 * Steps that are done once for several targets stand in the manifest of each.
 */
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
  /** Of the run, or for one of its targets. */
  readonly config: Config;
  readonly plan: Plan;
  readonly store: Store;
  readonly digests: DigestCache;
}

/** Folders of the output that are made from a step's result: where it goes and which part of it. */
const PLACES: readonly { readonly step: StepId; readonly part: string; readonly to: (layout: Layout) => string }[] = [
  { step: 'prefix', part: 'prefix', to: ({ target }) => join(target, 'prefix') },
  { step: 'package', part: 'npm', to: ({ npm }) => npm },
];

/**
 * Puts results where people look for them, touching only what differs, and writes the manifests last.
 * @returns The manifest of each target, of which there is at least one.
 */
export async function writeOutputs(
  context: OutputContext,
  outcomes: ReadonlyMap<string, StepOutcome>,
  signal: AbortSignal,
): Promise<readonly [BuildManifest, ...BuildManifest[]]> {
  const { config, store } = context;
  const lock = store.lockFile(`out-${digestOf(config.outDir).slice(0, 32)}`);
  return withLock(lock, { signal }, async () => {
    const [first, ...others] = config.targets;
    const write = (target: Target) => writeOutputsFor({ ...context, config: configFor(config, target) }, outcomes);
    const manifests: [BuildManifest, ...BuildManifest[]] = [await write(first)];
    for (const target of others) manifests.push(await write(target));
    return manifests;
  });
}

async function writeOutputsFor(context: OutputContext, all: ReadonlyMap<string, StepOutcome>): Promise<BuildManifest> {
  const { config, plan, store, digests } = context;
  const steps = plan.steps.filter(({ targets }) => targets.length === 0 || targets.includes(config.target.id));
  const outcomes = steps.flatMap(({ name }) => all.get(name) ?? []);
  const outcomeOf = (step: StepId) => outcomes.find(({ manifest }) => manifest.step === step);
  const layout = layoutOf(config);
  const folder = layout.target;
  const earlier = await earlierOutputs(join(folder, 'manifest.json'));
  for (const { step, part, to } of PLACES) {
    const outcome = outcomeOf(step);
    if (outcome === undefined) continue;
    const ours = earlier(step);
    const wanted = partOf(outcome.manifest, part, store);
    // The folder is the user's: only what an earlier run put there may go.
    await syncFolder(to(layout), wanted, digests, (path) => ours.has(`${part}/${path}`));
  }
  const prefix = outcomeOf('prefix');
  if (prefix !== undefined)
    await copyText(join(store.resultDir('prefix', prefix.manifest.key), 'link.json'), join(folder, 'link.json'));
  const manifest = describeRun(config, outcomes);
  await writeFileWhole(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function describeRun(config: Config, outcomes: readonly StepOutcome[]): BuildManifest {
  return {
    schema: 1,
    tool: config.toolVersion,
    target: targetName({ ...config, targets: [config.target] }),
    stub: config.environment.stub,
    steps: outcomes.map(({ manifest, outcome, why, seconds, startedAt }) => ({
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
