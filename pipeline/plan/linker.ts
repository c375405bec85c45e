import type { Config } from './config.ts';
import { type CrossTools, ZIG, ZIGBUILD } from './cross-tools.ts';
import type { Target } from './targets.ts';

/** What links for a target. */
export type Linker =
  /** What cargo takes by itself: the system's `cc`, or what its configuration names. */
  | { readonly kind: 'own' }
  /** A compiler that links, such as a cross gcc. */
  | { readonly kind: 'command'; readonly command: string }
  /** zig, through cargo-zigbuild; for the glibc named, else for the oldest that zig takes by itself. */
  | { readonly kind: 'zig'; readonly glibc: string | null }
  /** None was found. */
  | { readonly kind: 'none' };

/** What links for the target of `config`: what is named, else what the machine has, a compiler for the target first. */
export function linkerOf(config: Config, tools: CrossTools): Linker {
  const { target, host, linkers } = config;
  const named = linkers[target.id];
  const glibc = target.libc === null ? null : config.glibc;
  if (named === ZIG || (named === undefined && glibc !== null)) return { kind: 'zig', glibc };
  if (named !== undefined) return { kind: 'command', command: named };
  if (target.id === host.id || tools.configured.includes(target.id)) return { kind: 'own' };
  const command = target.crossLinkers.find((name) => name in tools.programs);
  if (command !== undefined) return { kind: 'command', command };
  return ZIG in tools.programs && ZIGBUILD in tools.programs ? { kind: 'zig', glibc } : { kind: 'none' };
}

/** `aarch64-unknown-linux-gnu.2.28`: how zig is told the glibc to link for. */
export function zigTriple({ triple }: Pick<Target, 'triple'>, glibc: string | null): string {
  return glibc === null ? triple : `${triple}.${glibc}`;
}
