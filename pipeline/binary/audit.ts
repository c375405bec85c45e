import { buildError } from '../plan/errors.ts';
import { checkExports, checkGlibc, checkNeeded, checkUnversionedImports } from './audit-symbols.ts';
import { checkForbiddenText } from './audit-text.ts';
import type { AuditExpectation, AuditFinding, AuditSubject } from './audit-types.ts';
import { printable } from './byte-reader.ts';
import type { ElfFile } from './elf-types.ts';

export { pathNeedles } from './audit-text.ts';
export type { AuditExpectation, AuditFinding } from './audit-types.ts';

/** A property that has to be equal, nothing else. */
type PlainProperty = 'machine' | 'form' | 'interpreter' | 'soname' | 'runpath' | 'executableStack';

const PLAIN: readonly { readonly property: PlainProperty; readonly label: string }[] = [
  { property: 'machine', label: 'machine' },
  { property: 'form', label: 'form' },
  { property: 'interpreter', label: 'loader path' },
  { property: 'soname', label: 'soname' },
  { property: 'runpath', label: 'runpath' },
  { property: 'executableStack', label: 'executable stack' },
];

/**
 * Compares a file with what is expected of it. Fields that the expectation leaves out are not checked.
 *
 * @param elf what `readElf` found in `bytes`
 * @returns all differences; empty where there are none
 */
export function auditBinary(bytes: Uint8Array, elf: ElfFile, expected: AuditExpectation): AuditFinding[] {
  const subject: AuditSubject = { bytes, elf, expected };
  return [
    ...PLAIN.flatMap((plain) => checkPlain(subject, plain)),
    ...checkStatic(subject),
    ...checkRpath(subject),
    ...checkNeeded(subject),
    ...checkExports(subject),
    ...checkGlibc(subject),
    ...checkUnversionedImports(subject),
    ...checkForbiddenText(subject),
  ];
}

/**
 * Throws A3S1205 listing every finding; returns where there is none.
 *
 * @param file path of the file, for the message
 */
export function assertAudit(findings: readonly AuditFinding[], file: string): void {
  if (findings.length === 0) return;
  const list = findings.map(({ check, message }) => `\n  ${check}: ${message}`).join('');
  throw buildError('A3S1205', {
    message: `${printable(file)} differs from what is expected in ${findings.length} ways:${list}`,
    where: { file },
  });
}

function checkPlain(
  { elf, expected }: AuditSubject,
  { property, label }: { readonly property: PlainProperty; readonly label: string },
): AuditFinding[] {
  const wanted = expected[property];
  const found = elf[property];
  if (wanted === undefined || wanted === found) return [];
  return [{ check: property, message: `${label} is ${show(found)} instead of ${show(wanted)}` }];
}

function checkStatic({ elf, expected }: AuditSubject): AuditFinding[] {
  if (expected.static === undefined || expected.static === elf.isStatic) return [];
  const needs = [...(elf.interpreter === null ? [] : [elf.interpreter]), ...elf.needed].map(show).join(', ');
  const detail = needs === '' ? '' : `, and needs ${needs}`;
  return [{ check: 'static', message: `is ${elf.form}${detail}, not ${expected.static ? 'static' : 'dynamic'}` }];
}

/** RPATH outranks LD_LIBRARY_PATH and is obsolete: whoever states a runpath wants no rpath beside it. */
function checkRpath({ elf, expected }: AuditSubject): AuditFinding[] {
  if (expected.runpath === undefined || elf.rpath === null) return [];
  return [{ check: 'rpath', message: `has the rpath ${show(elf.rpath)}; only a runpath is allowed` }];
}

function show(value: string | boolean | null): string {
  if (value === null) return 'none';
  return typeof value === 'boolean' ? String(value) : `'${printable(value)}'`;
}
