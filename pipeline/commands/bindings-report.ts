import type { AbiLock } from '../bindings/abi.ts';
import type { AbiChange } from '../bindings/abi-change.ts';
import { diffAbi } from '../bindings/abi-diff.ts';
import { changeJson, changeLines, verdictLine, versionLines } from '../bindings/abi-report.ts';
import { judgeVersion, verdictOf } from '../bindings/abi-verdict.ts';
import type { Config } from '../plan/config.ts';
import { buildError } from '../plan/errors.ts';

/** What a check or a run of the generator found. */
export interface Findings {
  readonly headers: readonly string[];
  readonly target: string;
  /** What else than the interface differs, a phrase each. */
  readonly reasons: readonly string[];
  readonly changes: readonly AbiChange[];
  readonly versions: { readonly recorded: string | null; readonly current: string };
}

/**
 * The difference from the committed lock to what the header gives.
 * @throws BuildError A3S1101 when the configured version is none.
 */
export function findings(
  lock: AbiLock | undefined,
  now: AbiLock,
  config: Pick<Config, 'package'>,
  reasons: readonly string[],
): Findings {
  const { version: current } = config.package;
  const changes = lock === undefined ? [] : diffAbi(lock, now);
  return {
    headers: now.headers,
    target: now.target,
    reasons,
    changes,
    versions: { recorded: lock?.made?.package ?? null, current },
  };
}

/** The findings as lines for people, without an end of line. */
export function findingLines(found: Findings): readonly string[] {
  const { headers, target, reasons, changes, versions } = found;
  if (changes.length === 0) return reasons;
  const verdict = verdictOf(changes);
  const judged = judge(found);
  const asked =
    judged === null || versions.recorded === null ? [] : versionLines(judged, versions.recorded, versions.current);
  return [
    `${headers.join(', ')} for ${target}`,
    ...changeLines(changes),
    ...reasons,
    verdictLine(verdict),
    ...asked.map((line) => `  ${line}`),
  ];
}

/** The findings for programs; `schema` is raised when a field changes its meaning. */
export function findingsJson(found: Findings): object {
  const { headers, target, reasons, changes, versions } = found;
  const semver = judge(found) ?? verdictOf(changes);
  return { schema: 1, headers, target, reasons, changes: changes.map(changeJson), versions, semver };
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
