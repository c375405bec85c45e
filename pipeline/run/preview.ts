import type { StepManifest } from '../effects/store.ts';
import { type Plan, type StepId, type StepName, stepOf } from '../plan/steps.ts';
import type { TargetId } from '../plan/targets.ts';
import type { RunEnvironment } from './engine.ts';
import { keyOf, resolveInputs } from './inputs.ts';
import { explainChange } from './reasons.ts';

export interface PreviewStep {
  readonly id: StepId;
  /** The id, with the target where several are planned. */
  readonly name: StepName;
  /** What its result is for; empty where it is the same for every target. */
  readonly targets: readonly TargetId[];
  readonly title: string;
  readonly needs: readonly StepName[];
  readonly inputs: readonly string[];
  /** `may run`: a step that it needs runs first, and only its result tells. */
  readonly action: 'reuse' | 'run' | 'may run';
  readonly why: string;
}

export interface Preview {
  readonly schema: 1;
  readonly tool: string;
  /** What is built: the target, several with commas between, or `stub`. */
  readonly target: string;
  readonly targets: readonly TargetId[];
  readonly outDir: string;
  readonly steps: readonly PreviewStep[];
  readonly leftOut: Plan['leftOut'];
}

/** Says of each step whether a run would do it, and why; does nothing. */
export async function previewPlan(
  plan: Plan,
  environment: Pick<RunEnvironment, 'config' | 'store' | 'digests' | 'toolchain' | 'lastRun'>,
): Promise<Preview> {
  const results = new Map<StepName, StepManifest>();
  const steps: PreviewStep[] = [];
  for (const step of plan.steps) {
    const { id, name, targets, title, needs } = step;
    const base = { id, name, targets, title, needs, inputs: step.inputs.map((input) => input.name) };
    const open = needs.filter((need) => !results.has(need));
    if (open.length > 0) {
      steps.push({ ...base, action: 'may run', why: `depends on ${[...new Set(open.map(stepOf))].join(', ')}` });
      continue;
    }
    const inputs = await resolveInputs(step, { ...environment, results });
    const manifest = environment.store.readManifest(id, keyOf(step, inputs));
    const usable = manifest !== undefined && (await environment.store.isIntact(manifest, environment.digests));
    if (usable && !environment.config.force) {
      results.set(name, manifest);
      steps.push({ ...base, action: 'reuse', why: 'unchanged' });
    } else {
      const why = environment.config.force ? 'forced' : explainChange(environment.lastRun.inputs(name), inputs);
      steps.push({ ...base, action: 'run', why });
    }
  }
  const { schema, tool, target, targets, outDir, leftOut } = plan;
  return { schema, tool, target, targets, outDir, steps, leftOut };
}
