import type { Config } from './config.ts';
import { CLANG, type CrossTools, LLD, ZIG } from './cross-tools.ts';
import type { CommandLine } from './environment.ts';
import type { Target } from './targets.ts';

/** What compiles the guest's init, a static executable for Linux on the target's processor. */
export type InitCompiler =
  /** One that needs no more than it has: named by the user, of this system, or a cross gcc. */
  | { readonly kind: 'command'; readonly line: CommandLine }
  /** clang with lld and the pinned sysroot. */
  | { readonly kind: 'clang'; readonly line: CommandLine; readonly lld: string; readonly sysroot: Guest['debian'] }
  | { readonly kind: 'zig'; readonly line: CommandLine }
  /** None was found. */
  | { readonly kind: 'none' };

/** How a guest of one processor is called. */
export interface Guest {
  /** Cross compilers that bring their own C library. */
  readonly compilers: readonly string[];
  readonly clang: string;
  readonly zig: string;
  /** Debian's name of the processor, and with it of the pinned sysroot. */
  readonly debian: 'arm64' | 'amd64';
}

/** By the target's machine: the guest runs on the processor of its host. */
export const GUESTS: Readonly<Record<Target['machine'], Guest>> = {
  x86_64: {
    compilers: ['x86_64-linux-gnu-gcc'],
    clang: 'x86_64-linux-gnu',
    zig: 'x86_64-linux-musl',
    debian: 'amd64',
  },
  aarch64: {
    compilers: ['aarch64-linux-gnu-gcc'],
    clang: 'aarch64-linux-gnu',
    zig: 'aarch64-linux-musl',
    debian: 'arm64',
  },
};

/** The compiler that is named, or on Linux for the same processor the system's own; undefined where neither is. */
export function ownCompiler({
  target,
  host,
  environment,
}: Pick<Config, 'target' | 'host' | 'environment'>): CommandLine | undefined {
  const same = host.platform === 'linux' && host.machine === target.machine;
  return environment.linuxCompiler ?? (same ? environment.compiler : undefined);
}

/**
 * What compiles init for the target of `config`: `CC_LINUX`; on Linux for the same processor `CC` or `cc`; else what the
 * machine has, the way that needs least first.
 */
export function initCompilerOf({ target, host, environment }: Config, { programs }: CrossTools): InitCompiler {
  const own = ownCompiler({ target, host, environment });
  if (own !== undefined) return { kind: 'command', line: own };
  const guest = GUESTS[target.machine];
  const cross = guest.compilers.map((name) => programs[name]).find((line) => line !== undefined);
  if (cross !== undefined) return { kind: 'command', line: cross };
  const { [CLANG]: clang, [LLD]: lld, [ZIG]: zig } = programs;
  if (clang !== undefined && lld !== undefined) {
    const args = [...clang.args, '-target', guest.clang, '-fuse-ld=lld'];
    return { kind: 'clang', line: { command: clang.command, args }, lld: lld.command, sysroot: guest.debian };
  }
  if (zig === undefined) return { kind: 'none' };
  return { kind: 'zig', line: { command: zig.command, args: [...zig.args, 'cc', '-target', guest.zig] } };
}
