import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AbiLock, toLock } from '../../pipeline/bindings/abi.ts';
import type { AbiChange } from '../../pipeline/bindings/abi-change.ts';
import { diffAbi } from '../../pipeline/bindings/abi-diff.ts';
import { exportChanges } from '../../pipeline/bindings/abi-exports.ts';
import { type Bump, CHANGE_KINDS } from '../../pipeline/bindings/abi-kinds.ts';
import { verdictOf } from '../../pipeline/bindings/abi-verdict.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import { parseUnits } from '../../pipeline/bindings/libclang/embedded.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from '../helpers/bundle-worker.ts';
import { MUTANTS, TAKEN_BACK } from './abi-mutants.ts';

const HEADER = readFileSync(new URL('../fixtures/abi/machine.h', import.meta.url), 'utf8');

let original: AbiLock;
let mutated: readonly AbiLock[];

beforeAll(async () => {
  const units = [HEADER, ...MUTANTS.map(({ find, replace }) => mutate(find, replace))].map((content) => ({
    headers: [{ name: 'machine.h', content }],
    target: TARGETS['linux-x64'],
  }));
  const raw = await parseUnits(units, { workerPath: await bundleWorker() });
  const [first, ...others] = raw.map((unit, index) => toLock([toIr(unit, MUTANTS[index - 1]?.overrides ?? [])]));
  original = first ?? expect.unreachable('nothing was parsed');
  mutated = others;
});

function mutate(find: string, replace: string): string {
  expect(HEADER.split(find), `"${find}" must stand in the header exactly once`).toHaveLength(2);
  return HEADER.replace(find, replace);
}

function changesOf(index: number): readonly AbiChange[] {
  return diffAbi(original, mutated[index] ?? original);
}

describe('a header', () => {
  it.each(MUTANTS.map((mutant, index) => ({ ...mutant, index })))(
    'of which $what needs rust $rust, npm $npm',
    ({ index, kinds, rust, npm }) => {
      const changes = changesOf(index);
      expect(changes.map(({ kind }) => kind)).toEqual(kinds);
      expect(verdictOf(changes)).toEqual({ rust, npm });
    },
  );

  it.each(TAKEN_BACK)('of which the edit "$what" is taken back needs rust $rust, npm $npm', (expected) => {
    const changes = diffAbi(mutated[MUTANTS.findIndex(({ what }) => what === expected.what)] ?? original, original);
    expect(changes.map(({ kind }) => kind)).toEqual(expected.kinds);
    expect(verdictOf(changes)).toEqual({ rust: expected.rust, npm: expected.npm });
  });
});

/** A library is no header, but what it exports of one changes too. */
const EXPORTED = [
  { kind: 'export-removed', notExported: ['machine_free'], reviewed: [], rust: 'major', npm: 'major' },
  { kind: 'export-added', notExported: [], reviewed: ['machine_free'], rust: 'minor', npm: 'minor' },
  { kind: 'export-removed', notExported: ['machine_set_screen'], reviewed: [], rust: 'major', npm: 'patch' },
] as const;

it.each(EXPORTED)(
  'has a library: $kind, $notExported, needs rust $rust, npm $npm',
  ({ rust, npm, kind, ...library }) => {
    const changes = exportChanges(original, original, { target: 'linux-x64', ...library });
    expect(changes.map((change) => change.kind)).toEqual([kind]);
    expect(verdictOf(changes)).toEqual({ rust, npm });
  },
);

it('has mutants for every kind of change', () => {
  const kinds = [...MUTANTS, ...TAKEN_BACK].flatMap((mutant) => mutant.kinds);
  const covered = new Set<string>([...kinds, ...EXPORTED.map(({ kind }) => kind)]);
  expect(Object.keys(CHANGE_KINDS).filter((kind) => !covered.has(kind))).toEqual([]);
});

it('is judged by its highest change', () => {
  const all = MUTANTS.flatMap((_mutant, index) => changesOf(index));
  expect(verdictOf(all)).toEqual({ rust: 'major', npm: 'major' } satisfies Record<string, Bump>);
  expect(verdictOf([])).toEqual({ rust: 'none', npm: 'none' });
});
