import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertAudit } from '../binary/audit.ts';
import { auditAnyBinary, type SystemFloors } from '../binary/audit-file.ts';
import { withDiskErrors } from '../effects/files.ts';
import type { Target } from '../plan/targets.ts';
import { privateFolders } from './audit-file.ts';
import { type BinaryRole, binariesOf, glibcLimit } from './binaries.ts';
import { type FinishContext, finishMachO } from './finish-macho.ts';

/** What was read out of a finished binary. */
export interface FinishedBinary {
  readonly size: number;
  /** Oldest systems that it loads on. */
  readonly floors: SystemFloors;
  /** The libraries it needs. */
  readonly needed: readonly string[];
}

type Finish = (context: FinishContext, file: string, role: BuiltRole) => Promise<void>;

/** The guest kernel is its publisher's file, and stays as it was verified. */
type BuiltRole = Exclude<BinaryRole, 'firmware'>;

/** What a linked file goes through, by the system that it is for. */
const FINISH: Readonly<Record<Target['platform'], Finish>> = {
  // Soname and runpath are the linker's work.
  linux: () => Promise.resolve(),
  darwin: (context, file, role) => {
    const { toolRoot } = context.config;
    return finishMachO(context, {
      file,
      // A linker writes the path that it links to, a folder of this machine.
      installName: role === 'launcher' ? null : `@rpath/${basename(file)}`,
      // Hypervisor.framework asks for it of the process, which the launcher starts.
      entitlements: role === 'launcher' ? join(toolRoot, 'native', 'launcher', 'entitlements.plist') : null,
    });
  },
};

/**
 * Does what is left to do on a linked binary, reads it back and holds it against what it has to be.
 * @param sources Further folders of which nothing may be found inside.
 * @throws BuildError A3S1205 with every difference, A3S1221 and A3S1222 as {@link finishMachO}.
 */
export async function finishBinary(
  context: FinishContext,
  file: string,
  role: BuiltRole,
  ...sources: readonly string[]
): Promise<FinishedBinary> {
  const { config } = context;
  await FINISH[config.target.platform](context, file, role);
  const bytes = await withDiskErrors(file, () => readFile(file));
  const expected = binariesOf(config.target, { glibc: glibcLimit(config) })[role];
  const forbiddenText = privateFolders(config, ...sources);
  const { findings, floors, needed } = auditAnyBinary(bytes, file, { ...expected, forbiddenText });
  assertAudit(findings, file);
  return { size: bytes.length, floors, needed };
}

/** Oldest systems as they stand in a step's facts: what there is none of is left out. */
export function floorFacts({ glibc, macos }: SystemFloors): Record<string, string | null> {
  return macos === null ? { glibc } : { macos };
}

/** `glibc 2.34`, or `macOS 11.0`. */
export function floorText({ glibc, macos }: SystemFloors): string {
  return macos === null ? `glibc ${glibc}` : `macOS ${macos}`;
}
