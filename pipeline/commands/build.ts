import { type Planned, requireCrossTools } from '../effects/cross-requirements.ts';
import { sweepTemporary } from '../effects/store.ts';
import { requireTools } from '../effects/toolchain.ts';
import { configFor } from '../plan/config.ts';
import { ownCompiler } from '../plan/init-compiler.ts';
import type { StepName } from '../plan/steps.ts';
import { type RunEvent, runPlan, type StepOutcome } from '../run/engine.ts';
import { type BuildManifest, writeOutputs } from '../run/outputs.ts';
import { type Preview, previewPlan } from '../run/preview.ts';
import { STEP_RUNNERS, STUB_RUNNERS } from '../steps/index.ts';
import { type CommonOptions, openSession, type Session, type Surroundings } from './session.ts';

/** Temporary folders older than this belong to no run. */
const STALE_MS = 24 * 60 * 60_000;

export interface BuildReport {
  /** One for each target. */
  readonly manifests: readonly [BuildManifest, ...BuildManifest[]];
  /** Of each step, what became of it: of those that several targets share, once. */
  readonly outcomes: readonly StepOutcome[];
  /** Folder that holds the results. */
  readonly outDir: string;
}

/**
 * Builds all steps, or those of `only`, and puts the results into the output folder.
 * @param watch Receives the plan first, then every event.
 * @throws BuildError, or the abort reason of `signal`.
 */
export async function build(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  watch: (session: Session) => (event: RunEvent) => void,
): Promise<BuildReport> {
  const session = await openSession(options, surroundings);
  return { ...(await runSession(session, signal, watch(session))), outDir: session.plan.outDir };
}

/** Runs the plan of an opened session; see {@link build}. */
export async function runSession(
  session: Session,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
): Promise<Omit<BuildReport, 'outDir'>> {
  return withSteps(session, signal, emit, async (outcomes) => ({
    manifests: await writeOutputs(session, outcomes, signal),
    outcomes: [...outcomes.values()],
  }));
}

/** Runs the plan of an opened session into the store, and leaves the output folder alone. */
export function runSteps(
  session: Session,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
): Promise<ReadonlyMap<StepName, StepOutcome>> {
  return withSteps(session, signal, emit, async (outcomes) => outcomes);
}

async function withSteps<T>(
  session: Session,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
  use: (outcomes: ReadonlyMap<StepName, StepOutcome>) => Promise<T>,
): Promise<T> {
  const beforeBuilding = once(async () => {
    await requireTools(toolsFor(session), session.toolchain);
    for (const planned of plannedFor(session)) {
      await requireCrossTools(planned, session.facts.tools, session.toolchain);
    }
    await sweepTemporary(session.store.root, STALE_MS);
  });
  const runners = session.config.environment.stub ? STUB_RUNNERS : STEP_RUNNERS;
  const environment = { ...session, ...session.facts, signal, emit, beforeBuilding, runners };
  try {
    const outcomes = await runPlan(session.plan, environment);
    await session.lastRun.save(Object.fromEntries([...outcomes].map(([id, { manifest }]) => [id, manifest.key])));
    return await use(outcomes);
  } finally {
    await session.digests.save();
  }
}

/** What a build would do, and why; builds nothing. */
export async function preview(options: CommonOptions, surroundings: Surroundings): Promise<Preview> {
  const session = await openSession(options, surroundings);
  try {
    return await previewPlan(session.plan, session);
  } finally {
    await session.digests.save();
  }
}

function toolsFor({ plan, config, facts }: Session) {
  const planned = new Set(plan.steps.map((step) => step.id));
  const compiles = plan.steps.some((step) => step.compiles);
  const fetchesCrate = planned.has('source') && facts.source.kind === 'crate';
  const { cargo, rustc } = config.environment;
  const initCompiler = plannedFor({ plan, config })
    .filter(({ makesInit }) => makesInit)
    .map(({ config: one }) => ownCompiler(one))
    .find((compiler) => compiler !== undefined);
  return {
    ...(compiles || fetchesCrate ? { cargo } : {}),
    ...(compiles ? { rustc, cc: 'cc' } : {}),
    ...(initCompiler === undefined ? {} : { initCompiler }),
  };
}

/** What the plan does for each target. */
function plannedFor({ plan, config }: Pick<Session, 'plan' | 'config'>): readonly Planned[] {
  if (config.environment.stub) return [];
  return config.targets.map((target) => {
    const one = configFor(config, target);
    const steps = plan.steps.filter(({ targets }) => targets.includes(target.id));
    const makesInit = steps.some(({ id }) => id === 'init') && one.environment.initFile === undefined;
    return { config: one, compiles: steps.some(({ compiles }) => compiles), makesInit };
  });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let started: Promise<void> | undefined;
  return () => {
    started ??= work();
    return started;
  };
}
