import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { extractDeb } from '../effects/deb.ts';
import { statIfThere, withDiskErrors } from '../effects/files.ts';
import { withLock } from '../effects/lock.ts';
import type { Store } from '../effects/store.ts';
import { matchesArchive } from '../effects/verify.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import type { Guest } from '../plan/init-compiler.ts';
import type { DebianPackage } from '../plan/sysroot-pins.ts';
import { DEBIAN_SOURCES, type DebianContext } from './debian-sources.ts';
import type { StepContext } from './step.ts';

/** The pinned packages of one processor unpack to 51 MB in some 1,900 files. */
const LIMITS = { bytes: 128 * 1024 * 1024, entries: 10_000 };

/** What no compiler reads; some of it has names that only differ in case, which not every file system can hold. */
const LEFT_OUT = [
  'etc',
  'usr/share',
  'usr/include/linux/netfilter',
  'usr/include/linux/netfilter_arp',
  'usr/include/linux/netfilter_bridge',
  'usr/include/linux/netfilter_ipv4',
  'usr/include/linux/netfilter_ipv6',
];

/** What fetching the packages needs of a step or a command. */
export interface SysrootContext extends DebianContext {
  readonly pins: StepContext['pins'];
  readonly store: Pick<Store, 'downloadFile' | 'lockFile' | 'temporary'>;
}

/**
 * Makes the folder that clang takes for the root of a Linux system: the pinned packages, unpacked over each other, with
 * links that do not lead out of it.
 * @throws BuildError as {@link fetchSysroot} does; A3S2004 for a package that is not well-made.
 */
export async function makeSysroot(context: StepContext, debian: Guest['debian']): Promise<string> {
  const { files } = await fetchSysroot(context, debian);
  const sysroot = join(context.temporary, 'sysroot');
  await mkdir(sysroot, { recursive: true });
  for (const file of files) {
    const unpacked = join(context.temporary, 'package');
    await extractDeb(file, unpacked, LIMITS, { absoluteLinks: 'inside', exclude: LEFT_OUT }, context.temporary);
    await withDiskErrors(sysroot, () => cp(unpacked, sysroot, { recursive: true, verbatimSymlinks: true }));
    await rm(unpacked, { recursive: true, force: true });
  }
  return sysroot;
}

/**
 * Makes sure that the pinned packages are among the store's downloads, with the pinned bytes; sources are tried in order.
 * @returns Their paths, and how many this call fetched.
 * @throws BuildError A3S1213 naming every source and why it gave none.
 */
export async function fetchSysroot(
  context: SysrootContext,
  debian: Guest['debian'],
): Promise<{ readonly files: readonly string[]; readonly fetched: number }> {
  const pins = context.pins.sysroot.architectures[debian];
  const lock = context.store.lockFile(`download-sysroot-${debian}`);
  return withLock(lock, { signal: context.signal }, async () => {
    const missing: DebianPackage[] = [];
    for (const pin of pins) if (!(await matchesArchive(fileOf(context, pin), pin))) missing.push(pin);
    if (missing.length > 0) await fetchFromAny(context, missing, debian);
    return { files: pins.map((pin) => fileOf(context, pin)), fetched: missing.length };
  });
}

function fileOf({ store }: Pick<SysrootContext, 'store'>, pin: DebianPackage): string {
  return store.downloadFile(`${pin.sha256}.deb`);
}

async function fetchFromAny(context: SysrootContext, pins: readonly DebianPackage[], debian: Guest['debian']) {
  const folder = await context.store.temporary('debian');
  const faults: string[] = [];
  let missing = pins;
  try {
    for (const source of DEBIAN_SOURCES) {
      if (missing.length === 0) break;
      const fault = await attempt(() => source.fetch(context, { pins: missing, folder, debian }));
      missing = await takeVerified(context, missing, folder, (text) => faults.push(`${source.name}: ${text}`));
      if (fault !== undefined) faults.push(`${source.name}: ${fault}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (missing.length === 0) return;
  const names = missing.map(({ path }) => basename(path));
  throw buildError(context.config.offline ? 'A3S2003' : 'A3S1213', {
    message: [`missing of the pinned sysroot: ${names.join(', ')}`, ...faults].join('\n  '),
    fix: 'Set A3S_DEBIAN_MIRROR to a Debian mirror, A3S_DEBIAN_SNAPSHOT to a state of the snapshot archive, or A3S_DEBIAN_FOLDER to a folder that holds these files; a cross gcc or zig needs none of them.',
  });
}

/** What a source did wrong, if anything: the next one may do better. */
async function attempt(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BuildError) return error.message;
    throw error;
  }
}

/** Moves the packages that are the pinned ones into the store; what is left over is returned. */
async function takeVerified(
  context: SysrootContext,
  pins: readonly DebianPackage[],
  folder: string,
  tell: (fault: string) => void,
): Promise<readonly DebianPackage[]> {
  const missing: DebianPackage[] = [];
  for (const pin of pins) {
    const file = join(folder, basename(pin.path));
    if (await matchesArchive(file, pin)) {
      const to = fileOf(context, pin);
      await withDiskErrors(to, async () => {
        await mkdir(join(to, '..'), { recursive: true });
        await rename(file, to);
      });
      continue;
    }
    if (statIfThere(file) !== undefined) tell(`${basename(pin.path)} is not the pinned file`);
    await rm(file, { force: true });
    missing.push(pin);
  }
  return missing;
}
