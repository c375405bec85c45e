import { sweepTemporary } from '../effects/store.ts';
import { requireTools } from '../effects/toolchain.ts';
import { type RunEvent, runPlan } from '../run/engine.ts';
import { type BuildManifest, writeOutputs } from '../run/outputs.ts';
import { type Preview, previewPlan } from '../run/preview.ts';
import { STEP_RUNNERS } from '../steps/index.ts';
import { type CommonOptions, openSession, type Session, type Surroundings } from './session.ts';

/** Temporary folders older than this belong to no run. */
const STALE_MS = 24 * 60 * 60_000;

export interface BuildReport {
  readonly manifest: BuildManifest;
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
  const { manifest } = await runSession(session, signal, watch(session));
  return { manifest, outDir: session.config.outDir };
}

/** Runs the plan of an opened session; see {@link build}. */
export async function runSession(
  session: Session,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
): Promise<{ readonly manifest: BuildManifest }> {
  const beforeBuilding = once(async () => {
    await requireTools(toolsFor(session), session.toolchain);
    await sweepTemporary(session.store.root, STALE_MS);
  });
  const environment = { ...session, ...session.facts, signal, emit, beforeBuilding, runners: STEP_RUNNERS };
  try {
    const outcomes = await runPlan(session.plan, environment);
    await session.lastRun.save(Object.fromEntries([...outcomes].map(([id, { manifest }]) => [id, manifest.key])));
    const manifest = await writeOutputs(session, outcomes, signal);
    return { manifest };
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
  const { cargo, rustc, initFile, initCompiler } = config.environment;
  return {
    ...(compiles || fetchesCrate ? { cargo } : {}),
    ...(compiles ? { rustc, cc: 'cc' } : {}),
    ...(planned.has('init') && initFile === undefined ? { initCompiler } : {}),
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let started: Promise<void> | undefined;
  return () => {
    started ??= work();
    return started;
  };
}
