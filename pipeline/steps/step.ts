import type { DigestCache } from '../effects/digests.ts';
import type { Facts, Store } from '../effects/store.ts';
import type { Toolchain } from '../effects/toolchain.ts';
import type { Config } from '../plan/config.ts';
import type { CrossTools } from '../plan/cross-tools.ts';
import type { Pins } from '../plan/pins.ts';
import type { SourceOrigin } from '../plan/step-definition.ts';
import type { StepId } from '../plan/steps.ts';
import type { SystemCandidate } from '../plan/system-libkrun.ts';

/** How far a step is. `done` of `total` in `unit`; `detail` is the current item. */
export interface Progress {
  readonly done?: number;
  readonly total?: number;
  readonly unit?: 'bytes' | 'crates';
  readonly detail?: string;
}

/** A needed step's result: a read-only folder and what was found out about it. */
export interface NeededResult {
  readonly dir: string;
  readonly facts: Facts;
}

/** All that a step may touch: it reads its inputs and writes below `out` and `scratch` only. */
export interface StepContext {
  /** For the target that the step is for; of a step that is done once for several, the first. */
  readonly config: Config;
  readonly pins: Pins;
  readonly source: SourceOrigin;
  /** Libraries of this system to choose from; empty unless one is asked for. */
  readonly system: readonly SystemCandidate[];
  /** What there is to build for other machines with. */
  readonly tools: CrossTools;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** A fresh, empty folder; all that lies in it afterwards is the step's output. */
  readonly out: string;
  /** A fresh folder for things that are not output. */
  readonly temporary: string;
  /** Compiler state that survives runs; fresh every time under `pristine`. Named by the step. */
  scratch(name: string): string;
  need(step: StepId): NeededResult;
  /** The same for each target that the step is for: with its configuration, and with what was made for it. */
  eachTarget(): readonly StepContext[];
  readonly store: Store;
  readonly digests: DigestCache;
  readonly toolchain: Toolchain;
  /** File for everything that child processes print. */
  readonly log: string;
  readonly signal: AbortSignal;
  readonly background: boolean;
  /** Compiler jobs at a time that the step may run. */
  readonly jobs: number;
  progress(progress: Progress): void;
  /** Something a person should know although the step goes on. */
  warn(message: string): void;
}

/** Makes the step's output; the facts go into its manifest, `summary` is the line a person reads. */
export type RunStep = (context: StepContext) => Promise<StepResult>;

export interface StepResult {
  readonly facts: Facts;
  readonly summary: string;
}
