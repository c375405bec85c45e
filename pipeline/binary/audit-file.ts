import { auditBinary } from './audit.ts';
import type { AuditExpectation, AuditFinding } from './audit-types.ts';
import { readElf } from './elf.ts';
import { compareReleases, glibcNeeds } from './glibc.ts';
import { readMachO } from './macho.ts';
import { auditMachO, cName, type MachOExpectation } from './macho-audit.ts';

/** What a binary has to be, in the terms of its format. */
export type BinaryExpectation =
  | ({ readonly format: 'elf' } & AuditExpectation)
  | ({ readonly format: 'macho' } & MachOExpectation);

/** Oldest systems that binaries load on; null where none of them asks for one. */
export interface SystemFloors {
  readonly glibc: string | null;
  readonly macos: string | null;
}

export interface BinaryReport {
  readonly findings: readonly AuditFinding[];
  readonly floors: SystemFloors;
  /** The libraries that it loads. */
  readonly needed: readonly string[];
  /** Its exports, as C spells them. */
  readonly exported: readonly string[];
}

/**
 * Reads a binary in the format that is expected, and compares it.
 * @param file name for messages
 * @throws BuildError A3S1205 where it is no such file at all
 */
export function auditAnyBinary(bytes: Uint8Array, file: string, expected: BinaryExpectation): BinaryReport {
  if (expected.format === 'elf') {
    const elf = readElf(bytes, file);
    return {
      findings: auditBinary(bytes, elf, expected),
      floors: { glibc: glibcNeeds(elf).floor, macos: null },
      needed: elf.needed,
      exported: elf.exports.map(({ name }) => name),
    };
  }
  const macho = readMachO(bytes, file);
  const macos = newestRelease(macho.platforms.map(({ minimum }) => minimum));
  return {
    findings: auditMachO(bytes, macho, expected),
    floors: { glibc: null, macos },
    needed: macho.libraries.map(({ name }) => name),
    exported: macho.exports.map(({ name }) => cName(name)),
  };
}

/** The floors of several files together. */
export function joinFloors(all: readonly SystemFloors[]): SystemFloors {
  return {
    glibc: newestRelease(all.map(({ glibc }) => glibc)),
    macos: newestRelease(all.map(({ macos }) => macos)),
  };
}

/** The newest of several releases such as `2.34`; null where there is none. */
function newestRelease(releases: readonly (string | null)[]): string | null {
  const known = releases.filter((release) => release !== null);
  return known.toSorted(compareReleases).at(-1) ?? null;
}
