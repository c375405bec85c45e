import type { AbiInterface } from './abi.ts';
import { type Compare, nodeChange, type Part, part } from './abi-change.ts';
import type { ChangeKind } from './abi-kinds.ts';
import { type TypeDifference, widths } from './abi-types.ts';

export type FunctionLock = AbiInterface['functions'][number];

/** What differs between two declarations of one function. */
export function functionChanges(before: FunctionLock, after: FunctionLock, types: Compare): readonly Part[] {
  return [
    ...parameterListChanges(before, after, types),
    ...returnChanges(before, after, types),
    ...(before.variadic === after.variadic ? [] : [part('argument-list', 'variable arguments')]),
    ...(before.unprototyped === after.unprototyped ? [] : [part('prototype', 'prototype')]),
    ...nodeChange(before, after, 'Node'),
  ];
}

type Parameter = FunctionLock['parameters'][number];

function parameterListChanges(before: FunctionLock, after: FunctionLock, types: Compare): readonly Part[] {
  const [old, now] = [before.parameters, after.parameters];
  if (old.length === now.length) {
    return old.flatMap((parameter, index) => parameterChanges(parameter, now[index], index, old, types));
  }
  const show = ({ name, type }: Parameter) => `${widths(type)} ${name}`;
  const list = (parameters: readonly Parameter[]) => `(${parameters.map(show).join(', ')})`;
  return [part(old.length < now.length ? 'parameter-added' : 'parameter-removed', 'arguments', list(old), list(now))];
}

const PARAMETER_KINDS: Readonly<Record<TypeDifference, ChangeKind | null>> = {
  none: null,
  spelling: 'type-spelling',
  'same-width': 'same-width',
  'const-dropped': 'const-dropped',
  'const-added': 'const-added',
  wider: 'parameter-wider',
  narrower: 'parameter-narrower',
  other: 'parameter-type',
};

function parameterChanges(
  before: Parameter,
  after: Parameter | undefined,
  index: number,
  all: readonly Parameter[],
  types: Compare,
): readonly Part[] {
  if (after === undefined) return [];
  const where = `argument ${index + 1}`;
  const type = types(before.type, after.type);
  const kind = PARAMETER_KINDS[type.difference];
  const changes = kind === null ? [] : [part(kind, where, type.before, type.after)];
  if (before.name !== after.name) {
    const moved = all.some(({ name }) => name === after.name);
    changes.push(part(moved ? 'parameter-moved' : 'parameter-renamed', where, before.name, after.name));
  }
  // Another type has another use; the type says enough then.
  const sameType = kind === null || kind.startsWith('const-') || kind === 'type-spelling';
  if (sameType && useOf(before.role) !== useOf(after.role)) {
    changes.push(part('parameter-use', where, before.role, after.role));
  }
  if (before.nullable !== after.nullable) changes.push(part(after.nullable ? 'null-allowed' : 'null-refused', where));
  return changes;
}

/** A role without the name of the parameter that it belongs to, which may be renamed. */
function useOf(role: string): string {
  return role.replace(/ (?:of|counted by) .*$/, '');
}

const RETURN_KINDS: Readonly<Record<TypeDifference, ChangeKind | null>> = {
  ...PARAMETER_KINDS,
  'const-dropped': 'return-type',
  'const-added': 'return-type',
  wider: 'return-type',
  narrower: 'return-type',
  other: 'return-type',
};

function returnChanges(before: FunctionLock, after: FunctionLock, types: Compare): readonly Part[] {
  const type = types(before.returns, after.returns);
  const kind = RETURN_KINDS[type.difference];
  const changes = kind === null ? [] : [part(kind, 'return', type.before, type.after)];
  if (before.meaning === after.meaning) return changes;
  const meaning = after.meaning === 'never' ? 'never-returns' : 'return-class';
  return [...changes, part(meaning, 'return', before.meaning, after.meaning)];
}
