import type { AbiChange } from './abi-change.ts';
import { type Bump, CHANGE_KINDS } from './abi-kinds.ts';
import {
  type Consumer,
  type Verdict,
  type VersionVerdict,
  verdictOf,
  verdictOfChange,
  verdictsByTarget,
} from './abi-verdict.ts';
import { groupTargets } from './target-groups.ts';

/** How the consumers are called in sentences. */
const CONSUMERS: readonly (readonly [Consumer, string])[] = [
  ['rust', 'Rust crate'],
  ['npm', 'npm package'],
];

const SIGNS = { removed: '-', changed: '~', added: '+' } as const;
const ORDER = Object.keys(SIGNS);

/** Names in the line that lists changed comments; a reworded header changes them all. */
const NAMES_SHOWN = 5;

/**
 * The changes as lines for people, below a title for each header and the targets that they are changes for.
 * @param title What is written above the changes of a header; its own name unless given.
 */
export function changeSections(changes: readonly AbiChange[], title = (header: string) => header): readonly string[] {
  const sections = new Map<string, AbiChange[]>();
  for (const change of changes) {
    const heading = `${title(change.header)} for ${change.targets.join(', ')}`;
    sections.set(heading, [...(sections.get(heading) ?? []), change]);
  }
  return [...sections].flatMap(([heading, list]) => [heading, ...changeLines(list)]);
}

/** The changes as lines for people: what is removed first, additions last, changed comments together. */
export function changeLines(changes: readonly AbiChange[]): readonly string[] {
  const rank = ({ kind }: AbiChange) => ORDER.indexOf(CHANGE_KINDS[kind].sign);
  const lines = changes
    .filter(({ kind }) => kind !== 'docs')
    .toSorted((one, other) => rank(one) - rank(other))
    .map(changeLine);
  const docs = changes.filter(({ kind }) => kind === 'docs').map(({ name }) => name);
  if (docs.length === 0) return lines;
  const more = docs.length > NAMES_SHOWN ? ` and ${docs.length - NAMES_SHOWN} more` : '';
  return [...lines, `~ comments changed  ${docs.slice(0, NAMES_SHOWN).join(', ')}${more}`];
}

function changeLine(change: AbiChange): string {
  const { kind, name, part, before, after } = change;
  const { sign } = CHANGE_KINDS[kind];
  const verdict = verdictOfChange(change);
  const breaking = Object.values(verdict).includes('major');
  const head = `${SIGNS[sign]} ${breaking ? 'BREAKING ' : ''}${sign}`.padEnd('~ BREAKING changed '.length);
  // The part alone says enough only where it is a word of the header.
  const what = [part, EXPLAINED[kind] ?? ''].filter((text) => text !== '').join(' ');
  const values = before !== '' && after !== '' ? `${before} → ${after}` : `${before}${after}`;
  const body =
    sign === 'changed' ? `${name}: ${[what, values].filter((text) => text !== '').join('  ')}` : joined(name, values);
  const differ = verdict.rust === verdict.npm ? '' : `  (${consumerBumps(verdict)})`;
  return `${head} ${body}${differ}`;
}

/** `name(u32) -> i32`, but `NAME = 1`. */
function joined(name: string, values: string): string {
  return values === '' || values.startsWith('(') ? `${name}${values}` : `${name} ${values}`;
}

/** Kinds whose values do not show what happened. */
const EXPLAINED: Readonly<Partial<Record<AbiChange['kind'], string>>> = {
  'export-added': 'is exported now',
  'export-removed': 'is declared, but no longer exported',
  'parameter-renamed': 'renamed',
  'parameter-moved': 'moved',
  'parameter-use': 'is now another thing',
  'null-allowed': 'may be null now',
  'null-refused': 'may no longer be null',
  'argument-list': 'added or gone',
  prototype: 'added or gone',
  'node-offered': 'offers it now',
  'node-withdrawn': 'cannot offer it any more',
  'never-returns': 'never happens now',
  'enum-value-added': 'added',
  'enum-value-removed': 'removed',
  'field-added': 'added',
  'field-removed': 'removed',
  'field-moved': 'moved',
  deprecated: 'deprecated',
  'no-longer-deprecated': 'no longer deprecated',
};

function consumerBumps(verdict: Verdict): string {
  return CONSUMERS.map(([consumer, words]) => `${words} ${verdict[consumer]}`).join(', ');
}

/** The verdict: `semver: major`, a word for each consumer where they differ, and a line for targets that differ. */
export function verdictLines(changes: readonly AbiChange[], targets: readonly string[]): readonly string[] {
  const each = Object.entries(verdictsByTarget(changes, targets));
  const groups = groupTargets(
    each.map(([target, value]) => ({ targets: [target], value: bumps(value) })),
    (value) => value,
  );
  const lines = groups.map((group) => `  ${group.targets.join(', ')}: ${group.value}`);
  return [`semver: ${bumps(verdictOf(changes))}`, ...(groups.length > 1 ? lines : [])];
}

function bumps(verdict: Verdict): string {
  return verdict.rust === verdict.npm ? verdict.rust : consumerBumps(verdict);
}

/** What the verdict asks of the version, for each consumer; empty where nothing is asked. */
export function versionLines(
  judged: Readonly<Record<Consumer, VersionVerdict>>,
  recorded: string,
  current: string,
): readonly string[] {
  return CONSUMERS.flatMap(([consumer, words]) => {
    const { bump, needs, enough } = judged[consumer];
    if (bump === 'none') return [];
    const verb = enough ? 'is enough' : 'is too low';
    return [`${words}: ${recorded} → at least ${needs}; package.version ${current} ${verb}`];
  });
}

/** A change as JSON: with its sign and verdict, for programs that do not know the kinds. */
export function changeJson(change: AbiChange): Readonly<Record<string, string | readonly string[]>> {
  const verdict: Readonly<Record<Consumer, Bump>> = verdictOfChange(change);
  const { kind, item, name, header, targets, part, before, after } = change;
  return { change: CHANGE_KINDS[kind].sign, kind, item, name, header, targets, part, before, after, ...verdict };
}
