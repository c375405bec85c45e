import { compareExports, type ExportComparison, exportLines } from '../binary/exports.ts';
import { listNames } from '../binary/names.ts';
import { type AbiLock, functionNames } from '../bindings/abi.ts';
import type { AbiChange } from '../bindings/abi-change.ts';
import { diffAbi } from '../bindings/abi-diff.ts';
import { exportChanges } from '../bindings/abi-exports.ts';
import { changeJson, changeSections, verdictLines, versionLines } from '../bindings/abi-report.ts';
import { judgeVersion, verdictOf, verdictsByTarget } from '../bindings/abi-verdict.ts';
import type { Config } from '../plan/config.ts';
import { ERROR_TABLE } from '../plan/error-table.ts';
import { buildError } from '../plan/errors.ts';
import type { Paint } from '../run/terminal.ts';
import type { BuiltLibrary } from './bindings-exports.ts';

/** What a check or a run of the generator found. */
export interface Findings {
  readonly headers: readonly string[];
  readonly targets: readonly string[];
  /** What else than the interface differs, a phrase each. */
  readonly reasons: readonly string[];
  readonly changes: readonly AbiChange[];
  readonly versions: { readonly recorded: string | null; readonly current: string };
  /** Null where there was no library to compare with. */
  readonly exports: ExportFindings | null;
}

interface ExportFindings extends ExportComparison {
  readonly library: string;
  readonly target: string;
}

/** The difference from the committed lock to what the header gives, and from the header to what a library exports. */
export function findings(
  lock: AbiLock | undefined,
  now: AbiLock,
  config: Pick<Config, 'package'>,
  reasons: readonly string[],
  library?: BuiltLibrary,
): Findings {
  const before = lock ?? now;
  const exports = library === undefined ? null : exportFindings(now, library);
  const ofExports =
    library === undefined || exports === null
      ? []
      : exportChanges(before, now, { ...exports, reviewed: library.reviewed.missing });
  const ofHeaders = before.interfaces === now.interfaces ? [] : diffAbi(before, now);
  return {
    headers: now.headers,
    targets: now.interfaces.flatMap(({ targets }) => targets),
    reasons,
    changes: [...ofHeaders, ...ofExports],
    versions: { recorded: lock?.made?.package ?? null, current: config.package.version },
    exports,
  };
}

function exportFindings(now: AbiLock, { path, target, exported, reviewed }: BuiltLibrary): ExportFindings {
  const required = functionNames(now, target);
  const expected = { required, mayBeMissing: reviewed.missing, alsoAllowed: reviewed.extra };
  return { library: path, target, ...compareExports(exported, expected) };
}

/**
 * The findings as lines for people, without an end of line.
 * @throws BuildError A3S1101 when the configured version is none.
 */
export function findingLines(found: Findings): readonly string[] {
  const { targets, reasons, changes, versions } = found;
  if (changes.length === 0) return reasons;
  const judged = judge(found);
  const asked =
    judged === null || versions.recorded === null ? [] : versionLines(judged, versions.recorded, versions.current);
  return [
    ...changeSections(changes),
    ...reasons,
    ...verdictLines(changes, targets),
    ...asked.map((line) => `  ${line}`),
  ];
}

/** Header against library, as lines for people. */
export function exportFindingLines({ exports }: Findings): readonly string[] {
  if (exports === null) return ['no built library to compare exports with; build one, or name one with --library'];
  const open = notReviewed(exports);
  const review = open.length === 0 ? [] : [`not in the reviewed list of vendor/libkrun.json: ${listNames(open)}`];
  return [...exportLines(exports), ...review].map((line) => `${exports.library}: ${line}`);
}

/** What a check says to people. */
export function checkText(found: Findings, paint: Paint): string {
  const lines = [...findingLines(found), ...exportFindingLines(found)];
  if (isFresh(found)) return ['generated/ is what libkrun.h gives', ...lines].map((line) => `${line}\n`).join('');
  const head = `${paint('red', '✗')} bindings are stale  ${paint('dim', 'A3S3001')}\n`;
  return head + [...lines, `Fix: ${ERROR_TABLE.A3S3001.fix}`].map((line) => `  ${line}\n`).join('');
}

/** What a check says to programs. */
export function checkJson(found: Findings): object {
  return {
    fresh: isFresh(found),
    ...findingsJson(found),
    text: [...findingLines(found), ...exportFindingLines(found)],
  };
}

/** Whether `generated/` is what the headers give. */
export function isFresh({ reasons }: Findings): boolean {
  return reasons.length === 0;
}

/** Whether the library that was compared, if any, exports what was reviewed. */
export function isReviewed({ exports }: Findings): boolean {
  return exports === null || notReviewed(exports).length === 0;
}

/** Names on one side only that nobody has reviewed. */
function notReviewed({ missing, unexpected }: ExportComparison): readonly string[] {
  return [...missing, ...unexpected];
}

/**
 * The findings for programs; `schema` is raised when a field changes its meaning.
 * @throws BuildError A3S1101 when the configured version is none.
 */
export function findingsJson(found: Findings): object {
  const { headers, targets, reasons, changes, versions, exports } = found;
  return {
    schema: 2,
    headers,
    targets,
    reasons,
    changes: changes.map(changeJson),
    versions,
    semver: judge(found) ?? verdictOf(changes),
    semverByTarget: verdictsByTarget(changes, targets),
    exports: exports === null ? null : exportsJson(exports),
  };
}

function exportsJson(exports: ExportFindings): object {
  const { library, target, notExported, notDeclared } = exports;
  return {
    library,
    target,
    declaredNotExported: notExported,
    exportedNotDeclared: notDeclared,
    notReviewed: notReviewed(exports),
  };
}

function judge({ changes, versions: { recorded, current } }: Findings) {
  if (recorded === null) return null;
  const { rust, npm } = verdictOf(changes);
  try {
    return { rust: judgeVersion(recorded, current, rust), npm: judgeVersion(recorded, current, npm) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw buildError('A3S1101', { message: `package.version: "${current}" is no version that npm accepts` }, error);
  }
}
