// One by one: most of the package is for ranges, and takes as long to load as a header takes to parse.
import SemVer from 'semver/classes/semver.js';
import gt from 'semver/functions/gt.js';
import gte from 'semver/functions/gte.js';
import inc from 'semver/functions/inc.js';
import lt from 'semver/functions/lt.js';
import prerelease from 'semver/functions/prerelease.js';
import type { AbiChange } from './abi-change.ts';
import { type Bump, CHANGE_KINDS } from './abi-kinds.ts';

/** Who is told apart: the crate of raw bindings, and the npm package. */
export type Consumer = 'rust' | 'npm';
export type Verdict = Readonly<Record<Consumer, Bump>>;

const ORDER: readonly Bump[] = ['none', 'patch', 'minor', 'major'];

/** The release that one change needs. */
export function verdictOfChange({ kind, node }: AbiChange): Verdict {
  const { rust, npm } = CHANGE_KINDS[kind];
  return { rust, npm: node ? npm : 'patch' };
}

/** The release that all changes need: the highest of each, over all targets. */
export function verdictOf(changes: readonly AbiChange[]): Verdict {
  const verdicts = changes.map(verdictOfChange);
  return { rust: highest(verdicts.map(({ rust }) => rust)), npm: highest(verdicts.map(({ npm }) => npm)) };
}

/** The release that the changes of one target alone would need, for each of `targets`. */
export function verdictsByTarget(
  changes: readonly AbiChange[],
  targets: readonly string[],
): Readonly<Record<string, Verdict>> {
  const of = (target: string) => verdictOf(changes.filter((change) => change.targets.includes(target)));
  return Object.fromEntries(targets.map((target) => [target, of(target)]));
}

function highest(bumps: readonly Bump[]): Bump {
  return ORDER.findLast((bump) => bumps.includes(bump)) ?? 'none';
}

/** What a verdict means for a version. */
export interface VersionVerdict {
  readonly bump: Bump;
  /** The lowest version that may hold the changes. */
  readonly needs: string;
  /** Whether the version at hand is that or higher. */
  readonly enough: boolean;
}

/**
 * Before 1.0.0 the first number cannot move: there a breaking change moves the second, and anything else the third;
 * before 0.1.0 only the third moves.
 */
const SHIFTS: readonly { readonly before: string; readonly bumps: Readonly<Record<Exclude<Bump, 'none'>, Bump>> }[] = [
  { before: '0.1.0', bumps: { patch: 'patch', minor: 'patch', major: 'patch' } },
  { before: '1.0.0', bumps: { patch: 'patch', minor: 'patch', major: 'minor' } },
];

/**
 * Holds `current` (the version that the packages are to have) against what changed since `recorded` (the version that
 * the lock was made for). A pre-release counts as the version that it leads to: as `current` it is enough when that
 * is, and as `recorded` it may still change in any way.
 * @throws TypeError when one of them is no version.
 */
export function judgeVersion(recorded: string, current: string, bump: Bump): VersionVerdict {
  if (bump === 'none') return { bump, needs: recorded, enough: true };
  if (prerelease(recorded) !== null) {
    return { bump, needs: release(recorded), enough: gt(current, recorded) };
  }
  const shift = SHIFTS.find(({ before }) => lt(recorded, before));
  const step = shift?.bumps[bump] ?? bump;
  const needs = step === 'none' ? recorded : inc(recorded, step);
  if (needs === null) throw new TypeError(`${recorded} is no version`);
  return { bump, needs, enough: gte(release(current), needs) };
}

/** The version without its pre-release part. */
function release(version: string): string {
  const { major, minor, patch } = new SemVer(version);
  return `${major}.${minor}.${patch}`;
}
