import { compareExports, type ExportComparison, exportLines } from '../binary/exports.ts';
import { listNames } from '../binary/names.ts';
import { type AbiLock, functionNames } from '../bindings/abi.ts';
import type { AbiChange } from '../bindings/abi-change.ts';
import { exportChanges } from '../bindings/abi-exports.ts';
import type { Config } from '../plan/config.ts';
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

export interface ExportFindings extends ExportComparison {
  readonly library: string;
  readonly target: string;
}

/** The difference from the committed lock to what the header gives, and from the header to what a library exports. */
export async function findings(
  lock: AbiLock | undefined,
  now: AbiLock,
  config: Pick<Config, 'package'>,
  reasons: readonly string[],
  library?: BuiltLibrary,
): Promise<Findings> {
  const before = lock ?? now;
  const exports = library === undefined ? null : exportFindings(now, library);
  const ofExports =
    library === undefined || exports === null
      ? []
      : exportChanges(before, now, { ...exports, reviewed: library.reviewed.missing });
  const ofHeaders = before.interfaces === now.interfaces ? [] : await differences(before, now);
  return {
    headers: now.headers,
    targets: now.interfaces.flatMap(({ targets }) => targets),
    reasons,
    changes: [...ofHeaders, ...ofExports],
    versions: { recorded: lock?.made?.package ?? null, current: config.package.version },
    exports,
  };
}

/** Loaded where there are two locks to compare: what tells differences is most of the code here. */
async function differences(before: AbiLock, now: AbiLock): Promise<readonly AbiChange[]> {
  return (await import('../bindings/abi-diff.ts')).diffAbi(before, now);
}

function exportFindings(now: AbiLock, { path, target, exported, reviewed }: BuiltLibrary): ExportFindings {
  const required = functionNames(now, target);
  const expected = { required, mayBeMissing: reviewed.missing, alsoAllowed: reviewed.extra };
  return { library: path, target, ...compareExports(exported, expected) };
}

/** Header against library, as lines for people. */
export function exportFindingLines({ exports }: Findings): readonly string[] {
  if (exports === null) return ['no built library to compare exports with; build one, or name one with --library'];
  const open = notReviewed(exports);
  const review = open.length === 0 ? [] : [`not in the reviewed list of vendor/libkrun.json: ${listNames(open)}`];
  return [...exportLines(exports), ...review].map((line) => `${exports.library}: ${line}`);
}

/** What is said of `generated/` that is as it should be. */
export const FRESH = 'generated/ is what libkrun.h gives';

/** Whether `generated/` is what the headers give. */
export function isFresh({ reasons }: Findings): boolean {
  return reasons.length === 0;
}

/** Whether the library that was compared, if any, exports what was reviewed. */
export function isReviewed({ exports }: Findings): boolean {
  return exports === null || notReviewed(exports).length === 0;
}

/** Names on one side only that nobody has reviewed. */
export function notReviewed({ missing, unexpected }: ExportComparison): readonly string[] {
  return [...missing, ...unexpected];
}
