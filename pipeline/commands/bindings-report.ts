import { changeJson, changeSections, verdictLines, versionLines } from '../bindings/abi-report.ts';
import { judgeVersion, verdictOf, verdictsByTarget } from '../bindings/abi-verdict.ts';
import { ERROR_TABLE } from '../plan/error-table.ts';
import { buildError } from '../plan/errors.ts';
import type { Paint } from '../run/terminal.ts';
import {
  type ExportFindings,
  exportFindingLines,
  type Findings,
  FRESH,
  isFresh,
  notReviewed,
} from './bindings-findings.ts';

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

/** What a check says to people. */
export function checkText(found: Findings, paint: Paint): string {
  const lines = [...findingLines(found), ...exportFindingLines(found)];
  if (isFresh(found)) return [FRESH, ...lines].map((line) => `${line}\n`).join('');
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
