import type { StepId } from '../plan/steps.ts';
import type { RunStep } from './step.ts';

/** What each step runs, loaded only when it does: a run with nothing to do imports none of them. */
export const STEP_RUNNERS: Readonly<Record<StepId, () => Promise<RunStep>>> = {
  firmware: async () => (await import('./firmware.ts')).runFirmware,
  source: async () => (await import('./source.ts')).runSource,
  bindings: async () => (await import('./bindings.ts')).runBindings,
  init: async () => (await import('./init.ts')).runInit,
  libkrun: async () => async (context) => {
    const run = context.config.systemLibkrun
      ? (await import('./system-libkrun.ts')).runSystemLibkrun
      : (await import('./libkrun.ts')).runLibkrun;
    return run(context);
  },
  addon: async () => (await import('./addon.ts')).runAddon,
  launcher: async () => (await import('./launcher.ts')).runLauncher,
  prefix: async () => (await import('./prefix.ts')).runPrefix,
  package: async () => (await import('./package.ts')).runPackage,
};

/** The same in stub mode, whose plan holds no other steps than those replaced here. */
export const STUB_RUNNERS: typeof STEP_RUNNERS = {
  ...STEP_RUNNERS,
  bindings: async () => (await import('./stub/bindings.ts')).runStubBindings,
  addon: async () => (await import('./stub/addon.ts')).runStubAddon,
  package: async () => (await import('./stub/package.ts')).runStubPackage,
};
