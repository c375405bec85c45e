import type { Config } from './config.ts';
import type { CrossTools } from './cross-tools.ts';
import type { Pins } from './pins.ts';
import type { InputSpec, StepId } from './steps.ts';
import type { SystemCandidate } from './system-libkrun.ts';

/** Where libkrun's source comes from; found out before the plan is made, because it needs a look at the disk. */
export type SourceOrigin = { readonly kind: 'tree'; readonly path: string } | { readonly kind: 'crate' };

/** Facts about this machine that the plan depends on. */
export interface PlanFacts {
  /** Of no meaning in stub mode, which reads no source. */
  readonly source: SourceOrigin;
  /** Libraries of this system to choose from; empty unless one is asked for. */
  readonly system: readonly SystemCandidate[];
  /** What there is to build for other machines with; empty where nothing is. */
  readonly tools: CrossTools;
  /** Cargo configuration files that apply in the project folder, absolute. */
  readonly cargoConfigs: readonly string[];
  /** Stub mode only: folder of the interface lock and the declarations. */
  readonly generated?: string;
}

export type StepInputs = (config: Config, pins: Pins, facts: PlanFacts) => readonly InputSpec[];

/**
 * `once`: the result is the same for every target. `each`: one for each target. `all`: one that is made of the results
 * for all of them.
 */
export type StepScope = 'once' | 'each' | 'all';

export interface StepDefinition {
  readonly title: string;
  readonly needs: readonly StepId[];
  /** How often it is done in a plan for several targets; for each of them unless said otherwise. */
  readonly scope?: StepScope;
  /** Raised whenever the step's code changes what it makes. */
  readonly version: number;
  readonly compiles?: boolean;
  readonly background?: boolean;
  readonly inputs: StepInputs;
}

/** An input that is known when the plan is made. */
export const value = (name: string, content: unknown): InputSpec => ({
  kind: 'value',
  name,
  value: typeof content === 'string' ? content : JSON.stringify(content),
});

/** The steps that a kind of build has. */
export type Definitions = Readonly<Partial<Record<StepId, StepDefinition>>>;
