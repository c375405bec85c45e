import { readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { type AuditExpectation, assertAudit, auditBinary, pathNeedles } from '../binary/audit.ts';
import { type ElfFile, readElf } from '../binary/elf.ts';
import { withDiskErrors } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';

/**
 * Reads a binary and holds it against what it has to be.
 * @returns What was read, for facts.
 * @throws BuildError A3S1205 with every difference.
 */
export async function auditFile(file: string, expected: AuditExpectation): Promise<{ elf: ElfFile; bytes: Buffer }> {
  const bytes = await withDiskErrors(file, () => readFile(file));
  const elf = readElf(bytes, file);
  assertAudit(auditBinary(bytes, elf, expected), file);
  return { elf, bytes };
}

/** Folders of this machine that must not be found inside anything that is shipped. */
export function privateFolders(config: Config, ...more: readonly string[]): string[] {
  const home = homedir();
  const folders = [config.projectRoot, config.toolRoot, config.storeDir, config.outDir, ...more];
  // A home or temporary folder at the root of the file system is no secret, and would be found everywhere.
  const roots = [home, tmpdir()].filter((folder) => folder.split('/').filter(Boolean).length > 1);
  return pathNeedles([...new Set([...folders, ...roots])]);
}
