import type { AuditFinding, ExportExpectation } from './audit-types.ts';
import { listNames, nameMatcher } from './names.ts';

/** What a library exports, held against what a header declares. */
export interface ExportComparison {
  /** Declared but not exported, in the header's order. */
  readonly notExported: readonly string[];
  /** Exported but not declared. */
  readonly notDeclared: readonly string[];
  /** Those of each that the expectation does not allow for. */
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** @param exported names of the library's exports */
export function compareExports(
  exported: readonly string[],
  { required, mayBeMissing = [], alsoAllowed = [] }: ExportExpectation,
): ExportComparison {
  const present = new Set(exported);
  const isDeclared = nameMatcher(required);
  const mayMiss = nameMatcher(mayBeMissing);
  const isAllowed = nameMatcher(alsoAllowed);
  const notExported = required.filter((name) => !present.has(name));
  const notDeclared = [...present].filter((name) => !isDeclared(name));
  return {
    notExported,
    notDeclared,
    missing: notExported.filter((name) => !mayMiss(name)),
    unexpected: notDeclared.filter((name) => !isAllowed(name)),
  };
}

/** What the expectation does not allow for. */
export function exportFindings({ missing, unexpected }: ExportComparison): AuditFinding[] {
  const finding = (message: string): AuditFinding => ({ check: 'exports', message });
  return [
    ...(missing.length === 0 ? [] : [finding(`does not export ${listNames(missing)}`)]),
    ...(unexpected.length === 0 ? [] : [finding(`also exports ${listNames(unexpected)}`)]),
  ];
}

/** What is on one side only, a phrase for each side that has something. */
export function exportLines({ notExported, notDeclared }: ExportComparison): readonly string[] {
  return [
    ...(notExported.length === 0 ? [] : [`declared but not exported: ${listNames(notExported)}`]),
    ...(notDeclared.length === 0 ? [] : [`exported but not declared: ${listNames(notDeclared)}`]),
  ];
}
