import type { CommandLine } from './environment.ts';
import type { TargetId } from './targets.ts';

/** Programs of this machine with which something may be built for another one. */
export interface CrossTools {
  /** By name, how each of those that are there is started; only those are looked for that may be used. */
  readonly programs: Readonly<Record<string, CommandLine>>;
  /** Targets for which the user's own cargo configuration names a linker. */
  readonly configured: readonly TargetId[];
}

/** What a build for this machine itself needs to know: nothing. */
export const NO_CROSS_TOOLS: CrossTools = { programs: {}, configured: [] };

/** Programs that are looked for beside those of the target and guest tables; `zig` is also how a linker is named. */
export const ZIG = 'zig';
export const ZIGBUILD = 'cargo-zigbuild';
export const CLANG = 'clang';
export const LLD = 'ld.lld';
