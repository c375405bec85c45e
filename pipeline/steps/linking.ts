import { type CrossTools, ZIG } from '../plan/cross-tools.ts';
import { linkerOf, zigTriple } from '../plan/linker.ts';
import { linkerVariable, type Target } from '../plan/targets.ts';
import type { StepContext } from './step.ts';

/** How cargo is run so that the result is linked for the target. */
export interface Linking {
  readonly subcommand: 'build' | 'zigbuild';
  /** Value of `--target`. */
  readonly triple: string;
  readonly env: Readonly<Record<string, string>>;
  /** Tells compiler state of one linker from that of another; empty for the usual one. */
  readonly name: string;
}

/** How the target of a step is linked for: by cargo's own linker, a command, or zig. */
export function linkingOf({ config, tools }: Pick<StepContext, 'config' | 'tools'>): Linking {
  const { target } = config;
  const linker = linkerOf(config, tools);
  switch (linker.kind) {
    case 'own':
    case 'none':
      return { subcommand: 'build', triple: target.triple, env: {}, name: '' };
    case 'command': {
      // Build scripts that compile C ask for the compiler under the target's name.
      const env = {
        [linkerVariable(target)]: linker.command,
        [`CC_${target.triple.replaceAll('-', '_')}`]: linker.command,
      };
      return { subcommand: 'build', triple: target.triple, env, name: linker.command };
    }
    case 'zig':
      return {
        subcommand: 'zigbuild',
        triple: zigTriple(target, linker.glibc),
        env: zigVariables(tools),
        name: `zig ${linker.glibc ?? ''}`,
      };
  }
}

/** What every link for a system is told. */
export const LINK_FLAGS: Readonly<Record<Target['platform'], readonly string[]>> = {
  linux: [],
  // Room for the name that is written afterwards, and no library that nothing is taken from.
  darwin: ['-Clink-arg=-Wl,-headerpad_max_install_names', '-Clink-arg=-Wl,-dead_strip_dylibs'],
};

/** Rust and every linker for macOS read the oldest system from the environment. */
export function systemVariables({ oldestMacos }: Pick<Target, 'oldestMacos'>): Record<string, string> {
  return oldestMacos === null ? {} : { MACOSX_DEPLOYMENT_TARGET: oldestMacos };
}

/** cargo-zigbuild looks for a zig on PATH, then for Python's; it is told which one was found. */
function zigVariables({ programs }: CrossTools): Record<string, string> {
  const zig = programs[ZIG];
  if (zig === undefined) return {};
  return zig.args.length === 0 ? { CARGO_ZIGBUILD_ZIG_PATH: zig.command } : { CARGO_ZIGBUILD_PYTHON_PATH: zig.command };
}
