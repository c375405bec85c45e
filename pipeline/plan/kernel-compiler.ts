import type { Config } from './config.ts';
import { type CrossTools, ZIG } from './cross-tools.ts';
import type { CommandLine } from './environment.ts';
import { linkerOf } from './linker.ts';

/**
 * Whether a guest kernel is C source: libkrunfw publishes the kernel for Apple silicon as a `kernel.c` that holds its
 * bytes, for a compiler of the user's to make the library from.
 */
export function isKernelSource(file: string): boolean {
  return file.endsWith('.c');
}

/** What compiles it for the target of `config`: the compiler that links there; undefined where there is none. */
export function kernelCompilerOf(config: Config, tools: CrossTools): CommandLine | undefined {
  const { target, environment } = config;
  const linker = linkerOf(config, tools);
  switch (linker.kind) {
    case 'own':
      return environment.compiler;
    case 'command':
      return { command: linker.command, args: [] };
    case 'zig': {
      const zig = tools.programs[ZIG];
      const system = target.oldestMacos === null ? 'linux-gnu' : `macos.${target.oldestMacos}`;
      return zig && { command: zig.command, args: [...zig.args, 'cc', '-target', `${target.machine}-${system}`] };
    }
    case 'none':
      return undefined;
  }
}
