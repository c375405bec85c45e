import type { ConfigFile } from './config-file.ts';
import { ZIG } from './cross-tools.ts';
import { type ByTarget, forEachTarget } from './environment.ts';
import { buildError } from './errors.ts';
import { linkerVariable, type Target } from './targets.ts';

/** Where linkers are named, the place that counts most first. */
export interface NamedLinkers {
  readonly flag: string | undefined;
  readonly variables: ByTarget<string>;
  readonly file: ConfigFile['linker'];
}

/**
 * The linker named for each target. A command given as a flag is for the only target, or for the only one of several
 * that is not this machine's; `zig` is for all.
 * @throws BuildError A3S1005 for a command where it is not clear which target is meant.
 */
export function settleLinkers(
  { flag, variables, file }: NamedLinkers,
  targets: readonly Target[],
  host: Target,
): ByTarget<string> {
  const meant = flag === ZIG || targets.length === 1 ? targets : targets.filter(({ id }) => id !== host.id);
  if (flag !== undefined && flag !== ZIG && meant.length !== 1) {
    throw buildError('A3S1005', {
      message: `--linker names one program, and ${meant.length} targets need one`,
      fix: `Name it for each: ${meant.map(linkerVariable).join(', ')}; or --linker zig, which links for all.`,
    });
  }
  return forEachTarget((target) => {
    const { id } = target;
    const own = meant.some((one) => one.id === id) ? flag : undefined;
    return own ?? variables[id] ?? (file === ZIG ? file : file?.[id]);
  });
}

/** Older ones lack functions that libkrun calls (`statx`, `copy_file_range`), and a link without versions hides it. */
const OLDEST_GLIBC = 28;

/**
 * The release of glibc to link for.
 * @throws BuildError A3S1007 for one that cannot be had, A3S1008 where another linker than zig is named.
 */
export function settleGlibc(
  glibc: string | undefined,
  linkers: ByTarget<string>,
  targets: readonly Target[],
): string | null {
  if (glibc === undefined) return null;
  const minor = Number(/^2\.(\d{2})$/.exec(glibc)?.[1]);
  if (!(minor >= OLDEST_GLIBC)) {
    throw buildError('A3S1007', { message: `glibc ${JSON.stringify(glibc)} cannot be linked for` });
  }
  const concerned = targets.filter(({ libc }) => libc === 'glibc');
  if (concerned.length === 0) {
    const names = targets.map(({ id }) => id).join(', ');
    throw buildError('A3S1007', { message: `there is no glibc on ${names}`, fix: 'Leave --glibc out.' });
  }
  const other = concerned.map(({ id }) => linkers[id]).find((named) => named !== undefined && named !== ZIG);
  if (other !== undefined) {
    throw buildError('A3S1008', { message: `${other} links for the glibc that it has, not for ${glibc}` });
  }
  return glibc;
}
