import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestCache } from '../effects/digests.ts';
import { withLock } from '../effects/lock.ts';
import type { StepManifest, Store } from '../effects/store.ts';
import type { Toolchain } from '../effects/toolchain.ts';
import { type Config, configFor } from '../plan/config.ts';
import type { CrossTools } from '../plan/cross-tools.ts';
import { type Failure, toFailure } from '../plan/errors.ts';
import { layoutOf } from '../plan/layout.ts';
import type { Pins } from '../plan/pins.ts';
import type { SourceOrigin } from '../plan/step-definition.ts';
import type { Plan, PlannedStep, StepId, StepName } from '../plan/steps.ts';
import type { SystemCandidate } from '../plan/system-libkrun.ts';
import { TARGETS, type Target } from '../plan/targets.ts';
import type { Progress, RunStep, StepContext } from '../steps/step.ts';
import { keyOf, resolveInputs } from './inputs.ts';
import type { LastRun } from './last-run.ts';
import { explainChange } from './reasons.ts';

/** What happens while a plan runs; every view and report is made from these. */
export type RunEvent =
  | { readonly kind: 'start'; readonly step: StepName; readonly why: string }
  | { readonly kind: 'progress'; readonly step: StepName; readonly progress: Progress }
  | { readonly kind: 'note'; readonly step: StepName; readonly message: string }
  | { readonly kind: 'done'; readonly step: StepName; readonly result: StepOutcome }
  | { readonly kind: 'failed'; readonly step: StepName; readonly failure: Failure; readonly seconds: number };

export interface StepOutcome {
  readonly outcome: 'built' | 'reused';
  readonly why: string;
  readonly summary: string;
  /** Seconds that this run spent on the step. */
  readonly seconds: number;
  /** Milliseconds since the run began. */
  readonly startedAt: number;
  readonly manifest: StepManifest;
}

export interface RunEnvironment {
  readonly config: Config;
  readonly pins: Pins;
  readonly source: SourceOrigin;
  readonly system: readonly SystemCandidate[];
  readonly tools: CrossTools;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly store: Store;
  readonly digests: DigestCache;
  readonly toolchain: Toolchain;
  readonly lastRun: LastRun;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Loads what a step runs, when it does. */
  readonly runners: Readonly<Record<StepId, () => Promise<RunStep>>>;
  /** Called once, before the first step is built. */
  readonly beforeBuilding: () => Promise<void>;
}

/**
 * Runs a plan: each step as soon as what it needs is there, each result taken from the store where its inputs are
 * unchanged. The first failure ends the steps that are still running.
 * @throws BuildError of the step that failed first, or the abort reason.
 */
export async function runPlan(plan: Plan, environment: RunEnvironment): Promise<ReadonlyMap<StepName, StepOutcome>> {
  const stop = new AbortController();
  const signal = AbortSignal.any([environment.signal, stop.signal]);
  const run = {
    ...environment,
    signal,
    began: Date.now(),
    plan,
    results: new Map<StepName, StepManifest>(),
    lanes: { front: makeLane(), background: makeLane() },
  };
  const pending = new Map<StepName, Promise<StepOutcome>>();
  let first: unknown;
  for (const step of plan.steps) {
    const needs = step.needs.map((name) => pending.get(name));
    const outcome = Promise.all(needs).then(() => runStep(step, run));
    outcome.catch((error: unknown) => {
      first ??= error;
      stop.abort(error);
    });
    pending.set(step.name, outcome);
  }
  // All must settle before the first failure is reported: no step may still be writing when the caller goes on.
  await Promise.allSettled(pending.values());
  if (first !== undefined) throw first;
  const outcomes = [...pending].map(async ([name, outcome]) => [name, await outcome] as const);
  return new Map(await Promise.all(outcomes));
}

interface Run extends RunEnvironment {
  readonly plan: Plan;
  readonly began: number;
  readonly results: Map<StepName, StepManifest>;
  readonly lanes: { readonly front: Lane; readonly background: Lane };
}

async function runStep(step: PlannedStep, run: Run): Promise<StepOutcome> {
  const began = Date.now();
  const seconds = (): number => (Date.now() - began) / 1000;
  try {
    const inputs = await resolveInputs(step, run);
    const key = keyOf(step, inputs);
    const stored = run.config.force ? undefined : await findResult(step.id, key, run);
    const finish = (outcome: 'built' | 'reused', why: string, manifest: StepManifest): StepOutcome => {
      run.results.set(step.name, manifest);
      const summary = String(manifest.facts['summary'] ?? '');
      const result = { outcome, why, summary, seconds: seconds(), startedAt: began - run.began, manifest };
      run.emit({ kind: 'done', step: step.name, result });
      return result;
    };
    if (stored !== undefined) return finish('reused', 'unchanged', stored);

    const why = run.config.force ? 'forced' : explainChange(run.lastRun.inputs(step.name), inputs);
    await run.beforeBuilding();
    const work = (): Promise<StepOutcome> => {
      run.signal.throwIfAborted();
      run.emit({ kind: 'start', step: step.name, why });
      const lock = run.store.lockFile(`${step.id}-${key}`);
      const onWait = (pid: number): void =>
        run.emit({ kind: 'note', step: step.name, message: `waiting for another a3s-build (process ${pid})` });
      return withLock(lock, { signal: run.signal, onWait }, async () => {
        // Whoever held the lock may have made just this result.
        const made = run.config.force ? undefined : await findResult(step.id, key, run);
        if (made !== undefined) return finish('reused', 'made by another run meanwhile', made);
        return finish('built', why, await buildStep(step, key, inputs, run));
      });
    };
    return await laneOf(step, run)(work);
  } catch (error) {
    // Steps that end because another one failed have nothing of their own to tell.
    if (!run.signal.aborted) {
      run.emit({ kind: 'failed', step: step.name, failure: toFailure(error), seconds: seconds() });
    }
    throw error;
  }
}

async function findResult(step: StepId, key: string, run: Run): Promise<StepManifest | undefined> {
  const manifest = run.store.readManifest(step, key);
  return manifest !== undefined && (await run.store.isIntact(manifest, run.digests)) ? manifest : undefined;
}

async function buildStep(
  step: PlannedStep,
  key: string,
  inputs: Readonly<Record<string, string>>,
  run: Run,
): Promise<StepManifest> {
  run.signal.throwIfAborted();
  const began = Date.now();
  const out = await run.store.temporary(step.id);
  const temporary = await run.store.temporary(`${step.id}-work`);
  try {
    const context = stepContext(step, { out, temporary }, run);
    await rm(context.log, { force: true });
    const runner = await run.runners[step.id]();
    const result = await runner(context);
    run.signal.throwIfAborted();
    await run.store.discard(step.id, key);
    const facts = { ...result.facts, summary: result.summary };
    const seconds = (Date.now() - began) / 1000;
    return await run.store.publish(out, { schema: 1, step: step.id, key, inputs, facts, seconds }, run.digests);
  } finally {
    await rm(out, { recursive: true, force: true });
    await rm(temporary, { recursive: true, force: true });
  }
}

/** @param target The one that the step is for, or one of several. */
function stepContext(
  step: PlannedStep,
  folders: Pick<StepContext, 'out' | 'temporary'>,
  run: Run,
  target: Target = targetsOf(step)[0] ?? run.config.target,
): StepContext {
  const { out, temporary } = folders;
  return {
    config: configFor(run.config, target),
    pins: run.pins,
    source: run.source,
    system: run.system,
    tools: run.tools,
    variables: run.variables,
    store: run.store,
    digests: run.digests,
    toolchain: run.toolchain,
    signal: run.signal,
    out,
    temporary,
    background: step.background,
    jobs: jobsFor(step, run),
    log: join(layoutOf(run.config).logs, `${step.name.replace(' ', '-')}.log`),
    scratch: (name) => (run.config.pristine ? join(temporary, 'scratch') : run.store.scratchDir(`${step.id}-${name}`)),
    need: (id) => {
      const name = step.needs.find((need) => need === id || need === `${id} ${target.id}`);
      const manifest = name && run.results.get(name);
      if (manifest === undefined) throw new Error(`step ${step.name} uses ${id} without needing it`);
      return { dir: run.store.resultDir(id, manifest.key), facts: manifest.facts };
    },
    eachTarget: () => targetsOf(step).map((one) => stepContext(step, folders, run, one)),
    progress: (progress) => run.emit({ kind: 'progress', step: step.name, progress }),
    warn: (message) => run.emit({ kind: 'note', step: step.name, message }),
  };
}

function targetsOf({ targets }: PlannedStep): readonly Target[] {
  return targets.map((id) => TARGETS[id]);
}

/**
 * The budget of compiler jobs: all of them for the step that everybody waits for; beside it one more, at the lowest
 * priority, which takes only what the processors have left.
 */
function jobsFor(step: PlannedStep, { config, plan, results }: Run): number {
  const waitedFor = plan.steps.some((other) => other.compiles && !other.background && !results.has(other.name));
  return step.background && waitedFor ? 1 : config.jobs;
}

type Lane = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * What compiles for several targets takes turns, since each takes all jobs that there are; and so do background steps:
 * two of them at once would only take time from the one that matters.
 */
function laneOf(step: PlannedStep, { lanes }: Run): Lane {
  if (step.background) return lanes.background;
  return step.compiles ? lanes.front : (work) => work();
}

function makeLane(): Lane {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
