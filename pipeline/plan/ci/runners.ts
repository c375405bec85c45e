import { TARGETS, type TargetId } from '../targets.ts';

/** How a target is built where it is native. */
interface Runner {
  /** Label of a machine that GitHub hosts. */
  readonly label: string;
  /** Flags of the build beside the target; release packages run on older systems than the runner's. */
  readonly flags: string;
  /** Whether `flags` need zig. */
  readonly zig: boolean;
}

/** Systems from 2018 on have this glibc; only zig can link against an older one than the runner's. */
const OLD_GLIBC = '--glibc 2.28 --linker zig';

export const RUNNERS: Readonly<Record<TargetId, Runner>> = {
  'linux-x64': { label: 'ubuntu-24.04', flags: OLD_GLIBC, zig: true },
  'linux-arm64': { label: 'ubuntu-24.04-arm', flags: OLD_GLIBC, zig: true },
  'darwin-arm64': { label: 'macos-15', flags: '', zig: false },
};

/** Where everything runs that needs no particular machine, and where all targets are built crosswise. */
export const GENERAL_RUNNER = RUNNERS['linux-x64'].label;

/** Builds all targets on {@link GENERAL_RUNNER}. */
export const CROSS_FLAGS = OLD_GLIBC;

/** Rust's names of the targets that need more than the general runner's own standard library. */
export const CROSS_TRIPLES: readonly string[] = Object.values(TARGETS)
  .filter(({ id }) => id !== 'linux-x64')
  .map(({ triple }) => triple);
