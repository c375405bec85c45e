import type { StepManifest } from '../effects/store.ts';
import type { Plan, StepId } from '../plan/steps.ts';
import type { RunEnvironment } from './engine.ts';
import { keyOf, resolveInputs } from './inputs.ts';
import { explainChange } from './reasons.ts';

export interface PreviewStep {
  readonly id: StepId;
  readonly title: string;
  readonly needs: readonly StepId[];
  readonly inputs: readonly string[];
  /** `may run`: a step that it needs runs first, and only its result tells. */
  readonly action: 'reuse' | 'run' | 'may run';
  readonly why: string;
}

export interface Preview {
  readonly schema: 1;
  readonly tool: string;
  readonly target: string;
  readonly outDir: string;
  readonly steps: readonly PreviewStep[];
  readonly leftOut: Plan['leftOut'];
}

/** Says of each step whether a run would do it, and why; does nothing. */
export async function previewPlan(
  plan: Plan,
  environment: Pick<RunEnvironment, 'config' | 'store' | 'digests' | 'toolchain' | 'lastRun'>,
): Promise<Preview> {
  const results = new Map<StepId, StepManifest>();
  const steps: PreviewStep[] = [];
  for (const step of plan.steps) {
    const base = { id: step.id, title: step.title, needs: step.needs, inputs: step.inputs.map((input) => input.name) };
    const open = step.needs.filter((id) => !results.has(id));
    if (open.length > 0) {
      steps.push({ ...base, action: 'may run', why: `depends on ${open.join(', ')}` });
      continue;
    }
    const inputs = await resolveInputs(step, { ...environment, results });
    const manifest = environment.store.readManifest(step.id, keyOf(step.id, plan.target, inputs));
    const usable = manifest !== undefined && (await environment.store.isIntact(manifest, environment.digests));
    if (usable && !environment.config.force) {
      results.set(step.id, manifest);
      steps.push({ ...base, action: 'reuse', why: 'unchanged' });
    } else {
      const why = environment.config.force ? 'forced' : explainChange(environment.lastRun.inputs(step.id), inputs);
      steps.push({ ...base, action: 'run', why });
    }
  }
  return { schema: 1, tool: plan.tool, target: plan.target, outDir: plan.outDir, steps, leftOut: plan.leftOut };
}
