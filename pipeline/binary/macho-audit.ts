import { isDeepStrictEqual } from 'node:util';
import { homelessFindings, neededFindings } from './audit-symbols.ts';
import { checkForbiddenText } from './audit-text.ts';
import type { AuditFinding, ExportExpectation } from './audit-types.ts';
import { printable } from './byte-reader.ts';
import { compareExports, exportFindings } from './exports.ts';
import { compareReleases } from './glibc.ts';
import type { MachOCpu, MachOFile, MachOForm } from './macho-types.ts';
import { listNames, nameMatcher } from './names.ts';

/** What a Mach-O file has to be. A field left out is not checked; null means that the file must not have the property. */
export interface MachOExpectation {
  readonly cpu?: MachOCpu;
  readonly form?: MachOForm;
  readonly installName?: string | null;
  /** Exact list, in order. */
  readonly rpaths?: readonly string[];
  /** The only libraries it may load, however. */
  readonly needed?: readonly string[];
  /** Names as C spells them, without the `_` that each has in the file. */
  readonly exports?: ExportExpectation;
  /** Newest macOS that it may ask for, e.g. `11.0`; built for macOS and nothing else. */
  readonly systemLimit?: string;
  /** The only symbols, as C spells them, that may be looked up in all that is loaded, instead of in one library. */
  readonly flatImports?: readonly string[];
  /** An ad-hoc signature in which every hash is right, and exactly these entitlements (null: none). */
  readonly entitlements?: Readonly<Record<string, boolean>> | null;
  /** Text that no byte of the file may spell; see `pathNeedles` for the folders of the build machine. */
  readonly forbiddenText?: readonly string[];
}

interface Subject {
  readonly bytes: Uint8Array;
  readonly macho: MachOFile;
  readonly expected: MachOExpectation;
}

const PLAIN = [
  { property: 'cpu', check: 'machine', label: 'processor' },
  { property: 'form', check: 'form', label: 'form' },
  { property: 'installName', check: 'installName', label: 'install name' },
] as const;

/**
 * Compares a file with what is expected of it. Fields that the expectation leaves out are not checked.
 *
 * @param macho what `readMachO` found in `bytes`
 * @returns all differences; empty where there are none
 */
export function auditMachO(bytes: Uint8Array, macho: MachOFile, expected: MachOExpectation): AuditFinding[] {
  const subject: Subject = { bytes, macho, expected };
  return [
    ...PLAIN.flatMap((plain) => checkPlain(subject, plain)),
    ...checkRpaths(subject),
    ...checkNeeded(subject),
    ...checkExports(subject),
    ...checkSystem(subject),
    ...checkFlatImports(subject),
    ...checkSignature(subject),
    ...checkForbiddenText(subject),
  ];
}

/** A symbol as C spells it; one without the `_` comes from assembly and stays as it is. */
export function cName(symbol: string): string {
  return symbol.startsWith('_') ? symbol.slice(1) : symbol;
}

function checkPlain({ macho, expected }: Subject, { property, check, label }: (typeof PLAIN)[number]): AuditFinding[] {
  const wanted = expected[property];
  const found = macho[property];
  if (wanted === undefined || wanted === found) return [];
  return [{ check, message: `${label} is ${show(found)} instead of ${show(wanted)}` }];
}

function checkRpaths({ macho, expected }: Subject): AuditFinding[] {
  if (expected.rpaths === undefined || isDeepStrictEqual(macho.rpaths, expected.rpaths)) return [];
  const list = (paths: readonly string[]): string => (paths.length === 0 ? 'none' : listNames(paths));
  return [{ check: 'rpath', message: `rpaths are ${list(macho.rpaths)} instead of ${list(expected.rpaths)}` }];
}

function checkNeeded({ macho, expected }: Subject): AuditFinding[] {
  const names = macho.libraries.map(({ name }) => name);
  return neededFindings(names, expected.needed);
}

function checkExports({ macho, expected }: Subject): AuditFinding[] {
  if (expected.exports === undefined) return [];
  const names = macho.exports.map(({ name }) => cName(name));
  return exportFindings(compareExports(names, expected.exports));
}

function checkSystem({ macho, expected: { systemLimit } }: Subject): AuditFinding[] {
  if (systemLimit === undefined) return [];
  const finding = (message: string): AuditFinding => ({ check: 'system', message });
  if (macho.platforms.length === 0) return [finding('does not say which macOS it is built for')];
  return macho.platforms.flatMap(({ platform, minimum }) => {
    if (platform !== 'macos') return [finding(`is built for ${platform}, not for macos`)];
    const tooNew = compareReleases(minimum, systemLimit) > 0;
    return tooNew ? [finding(`needs macOS ${minimum}; the limit is ${systemLimit}`)] : [];
  });
}

/** What is looked up everywhere is found or not when it is first called, and may be found in the wrong library. */
function checkFlatImports({ macho, expected }: Subject): AuditFinding[] {
  if (expected.flatImports === undefined) return [];
  const allowed = nameMatcher(expected.flatImports);
  const others = macho.imports.filter(({ from, weak, name }) => from === 'any' && !weak && !allowed(cName(name)));
  return homelessFindings(others);
}

function checkSignature({ macho: { signature }, expected }: Subject): AuditFinding[] {
  const wanted = expected.entitlements;
  if (wanted === undefined) return [];
  const finding = (message: string): AuditFinding => ({ check: 'signature', message });
  // Apple silicon starts and loads no code without a signature.
  if (signature === null) return [finding('is not signed')];
  const { problems, directories, hasCertificate, entitlements, derEntitlements } = signature;
  const adHoc = directories.every((directory) => directory.adHoc) && !hasCertificate;
  return [
    ...problems.map(finding),
    ...(adHoc ? [] : [finding('is signed by somebody, not ad hoc')]),
    ...(isDeepStrictEqual(entitlements, wanted)
      ? []
      : [finding(`has the entitlements ${listEntitlements(entitlements)} instead of ${listEntitlements(wanted)}`)]),
    // Systems from macOS 12 on read this form only.
    ...(entitlements !== null && derEntitlements === null
      ? [finding('has its entitlements in XML only, not in DER')]
      : []),
  ];
}

function listEntitlements(entitlements: Readonly<Record<string, unknown>> | null): string {
  if (entitlements === null) return 'none';
  const list = Object.entries(entitlements).map(([key, value]) =>
    value === true ? key : `${key}=${JSON.stringify(value)}`,
  );
  return list.length === 0 ? 'none' : listNames(list);
}

function show(value: string | null): string {
  return value === null ? 'none' : `'${printable(value)}'`;
}
