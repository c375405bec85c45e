import type { TargetId } from './targets.ts';

/** The steps in the order in which they are shown; what may start when follows from the plan's `needs`. */
export const STEP_IDS = [
  'firmware',
  'source',
  'bindings',
  'init',
  'libkrun',
  'addon',
  'launcher',
  'prefix',
  'package',
] as const;

export type StepId = (typeof STEP_IDS)[number];

/** Names a step of a plan: by its id, and by the target too where several are built and it is for one of them. */
export type StepName = StepId | `${StepId} ${TargetId}`;

/** The step that a name is of. */
export function stepOf(name: StepName): StepId {
  return name.split(' ')[0] as StepId;
}

/**
 * Something a step's result depends on. A step reads nothing else; the digest of all of them, by name, is its cache
 * key, and the names are what a person is told when a step runs again.
 */
export type InputSpec =
  /** A setting, pin or version known when the plan is made. */
  | { readonly kind: 'value'; readonly name: string; readonly value: string }
  /** One file; a missing one counts as a value of its own when `optional`. */
  | { readonly kind: 'file'; readonly name: string; readonly path: string; readonly optional?: boolean }
  /** Every file below `path`, less the folders and files in `exclude` (relative paths, `/` between). */
  | { readonly kind: 'tree'; readonly name: string; readonly path: string; readonly exclude?: readonly string[] }
  /** What a program prints about its version. */
  | { readonly kind: 'tool'; readonly name: string; readonly command: string; readonly args: readonly string[] }
  /** The outputs of another step: those below one of `only` that end in `ending`, less those below one of `exclude`. */
  | {
      readonly kind: 'step';
      readonly name: string;
      readonly step: StepName;
      readonly only?: readonly string[];
      readonly ending?: string;
      readonly exclude?: readonly string[];
    };

export interface PlannedStep {
  readonly id: StepId;
  /** Unique in its plan: `libkrun`, or `libkrun linux-arm64` in a plan for several targets. */
  readonly name: StepName;
  /** The targets that the result is for; none where it is the same for all there are. */
  readonly targets: readonly TargetId[];
  /** Part of the cache key: the targets with commas between, `any`, or `stub`, which is for all and none. */
  readonly usableFor: string;
  readonly title: string;
  readonly needs: readonly StepName[];
  readonly inputs: readonly InputSpec[];
  /** Runs a compiler that takes as many processors as it is given. */
  readonly compiles: boolean;
  /** Runs at the lowest CPU priority, beside the step that everybody waits for. */
  readonly background: boolean;
}

/** A step that a run of this kind has no use for. */
export interface LeftOut {
  readonly step: StepId;
  readonly why: string;
}

/** All work of a run, before any of it is done. Prints as JSON. */
export interface Plan {
  readonly schema: 1;
  readonly tool: string;
  /** What it is for, as a word: the target, several with commas between, or `stub`. */
  readonly target: string;
  readonly targets: readonly TargetId[];
  readonly outDir: string;
  /** Each after all that it needs. */
  readonly steps: readonly PlannedStep[];
  readonly leftOut: readonly LeftOut[];
}
