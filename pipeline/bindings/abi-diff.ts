import type { AbiLock } from './abi.ts';
import type { ChangeKind } from './abi-kinds.ts';
import { compareTypes, resolveType, type TypeDifference, type TypeNames, typeNamesOf, widths } from './abi-types.ts';

export type AbiItem = 'function' | 'constant' | 'record' | 'enum' | 'typedef';

/** One difference between two interfaces, with a meaning of its own. */
export interface AbiChange {
  readonly kind: ChangeKind;
  readonly item: AbiItem;
  readonly name: string;
  /** Which part of the item (`argument 2`, `field width`); empty for the whole. */
  readonly part: string;
  /** What it was, in one line; empty where there was nothing, or where words say nothing (`docs`). */
  readonly before: string;
  readonly after: string;
  /** Whether the npm package offers the item. */
  readonly node: boolean;
}

type Part = Pick<AbiChange, 'kind' | 'part' | 'before' | 'after'>;
type FunctionLock = AbiLock['functions'][number];
type ConstantLock = AbiLock['constants'][number];
type RecordLock = AbiLock['records'][number];
type EnumLock = AbiLock['enums'][number];
type TypedefLock = AbiLock['typedefs'][number];

/** Compares two types as written, and says how to show them. */
type Compare = (before: string, after: string) => { difference: TypeDifference; before: string; after: string };

/** How the items of one list are compared. */
interface List<T> {
  readonly item: AbiItem;
  readonly show: (entry: T) => string;
  readonly node: (entry: T) => boolean;
  readonly compare: (before: T, after: T, types: Compare) => readonly Part[];
}

/**
 * What differs from `before` to `after`, list by list, in the order of `before`, additions last. Order within the
 * headers is no difference, and neither are target, names of headers and what the lock says of files.
 */
export function diffAbi(before: AbiLock, after: AbiLock): readonly AbiChange[] {
  const types = comparer(typeNamesOf(before), typeNamesOf(after));
  return [
    ...diffList(FUNCTIONS, before.functions, after.functions, types),
    ...diffList(CONSTANTS, before.constants, after.constants, types),
    ...diffList(RECORDS, before.records, after.records, types),
    ...diffList(ENUMS, before.enums, after.enums, types),
    ...diffList(TYPEDEFS, before.typedefs, after.typedefs, types),
  ];
}

function comparer(old: TypeNames, now: TypeNames): Compare {
  return (before, after) => {
    const [oldType, newType] = [resolveType(before, old), resolveType(after, now)];
    const difference = compareTypes(oldType, newType);
    const renamed = before !== after && difference === 'none';
    // Two names for one type are told apart by their names, everything else by what the names stand for.
    if (renamed || difference === 'spelling') return { difference: 'spelling', before, after };
    const plain = difference !== 'same-width';
    return { difference, before: plain ? widths(oldType) : oldType, after: plain ? widths(newType) : newType };
  };
}

interface Described {
  readonly name: string;
  readonly deprecated?: true | undefined;
  readonly docs: string | null;
}

function diffList<T extends Described>(
  { item, show, node, compare }: List<T>,
  before: readonly T[],
  after: readonly T[],
  types: Compare,
): readonly AbiChange[] {
  const now = new Map(after.map((entry) => [entry.name, entry]));
  const then = new Set(before.map(({ name }) => name));
  const kept = before.flatMap((entry): readonly AbiChange[] => {
    const { name } = entry;
    const other = now.get(name);
    const about = { item, name, node: node(entry) };
    if (other === undefined) return [{ ...about, ...part(`${item}-removed`, '', show(entry), '') }];
    const parts = [...compare(entry, other, types), ...describedChanges(entry, other)];
    const offered = parts.map(({ kind }) => kind).some((kind) => kind === 'node-offered' || kind === 'node-withdrawn');
    return parts.map((one) => ({ ...about, ...one, node: offered ? one.kind.startsWith('node-') : about.node }));
  });
  const added = after
    .filter(({ name }) => !then.has(name))
    .map((entry) => ({ item, name: entry.name, node: node(entry), ...part(`${item}-added`, '', '', show(entry)) }));
  return [...kept, ...added];
}

function part(kind: ChangeKind, where = '', before = '', after = ''): Part {
  return { kind, part: where, before, after };
}

function describedChanges(before: Described, after: Described): readonly Part[] {
  if (before.deprecated !== after.deprecated) return [part(after.deprecated ? 'deprecated' : 'no-longer-deprecated')];
  return before.docs === after.docs ? [] : [part('docs')];
}

const FUNCTIONS: List<FunctionLock> = {
  item: 'function',
  show: ({ parameters, returns, variadic }) => {
    const types = [...parameters.map(({ type }) => widths(type)), ...(variadic ? ['...'] : [])];
    return `(${types.join(', ')}) -> ${widths(returns)}`;
  },
  node: ({ node }) => node !== false,
  compare: (before, after, types) => [
    ...parameterListChanges(before, after, types),
    ...returnChanges(before, after, types),
    ...(before.variadic === after.variadic ? [] : [part('argument-list', 'variable arguments')]),
    ...(before.unprototyped === after.unprototyped ? [] : [part('prototype', 'prototype')]),
    ...(before.node === after.node ? [] : [part(after.node === false ? 'node-withdrawn' : 'node-offered', 'Node')]),
  ],
};

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

const CONSTANTS: List<ConstantLock> = {
  item: 'constant',
  show: ({ value }) => `= ${value}`,
  node: () => true,
  compare: (before, after, types) => {
    const isText = (entry: ConstantLock) => entry.type === 'string';
    if (before.value !== after.value || isText(before) !== isText(after)) {
      const show = (entry: ConstantLock) => (isText(entry) ? JSON.stringify(entry.value) : entry.value);
      return [part('constant-value', '', show(before), show(after))];
    }
    return typeChange('constant-type', '', before.type, after.type, types);
  },
};

/** Records and typedefs are for raw bindings: the npm package offers functions and constants. */
const notInNode = () => false;

const RECORDS: List<RecordLock> = {
  item: 'record',
  show: ({ size, fields }) =>
    `{ ${fields.map(({ name }) => name).join(', ')} }${size === null ? '' : `, ${size} bytes`}`,
  node: notInNode,
  compare: (before, after, types) => {
    const layout = ({ union, size, align }: RecordLock) =>
      `${union ? 'union, ' : ''}${size === null ? 'opaque' : `${size} bytes, aligned to ${align}`}`;
    const [old, now] = [layout(before), layout(after)];
    return [...(old === now ? [] : [part('record-layout', '', old, now)]), ...fieldChanges(before, after, types)];
  },
};

function fieldChanges(before: RecordLock, after: RecordLock, types: Compare): readonly Part[] {
  const now = new Map(after.fields.map((field) => [field.name, field]));
  const then = new Set(before.fields.map(({ name }) => name));
  const kept = before.fields.flatMap((field): readonly Part[] => {
    const where = `field ${field.name}`;
    const other = now.get(field.name);
    if (other === undefined) return [part('field-removed', where, widths(field.type))];
    const moved =
      field.offset === other.offset ? [] : [part('field-moved', where, `at ${field.offset}`, `at ${other.offset}`)];
    return [...typeChange('field-type', where, field.type, other.type, types), ...moved];
  });
  const added = after.fields.filter(({ name }) => !then.has(name));
  return [...kept, ...added.map(({ name, type }) => part('field-added', `field ${name}`, '', widths(type)))];
}

const ENUMS: List<EnumLock> = {
  item: 'enum',
  show: ({ values }) => `{ ${values.map(({ name }) => name).join(', ')} }`,
  node: () => true,
  compare: (before, after, types) => {
    const now = new Map(after.values.map(({ name, value }) => [name, value]));
    const then = new Set(before.values.map(({ name }) => name));
    const kept = before.values.flatMap(({ name, value }): readonly Part[] => {
      const other = now.get(name);
      if (other === undefined) return [part('enum-value-removed', name, value)];
      return other === value ? [] : [part('enum-value-changed', name, value, other)];
    });
    const added = after.values.filter(({ name }) => !then.has(name));
    return [
      ...typeChange('enum-type', '', before.type, after.type, types),
      ...kept,
      ...added.map(({ name, value }) => part('enum-value-added', name, '', value)),
    ];
  },
};

const TYPEDEFS: List<TypedefLock> = {
  item: 'typedef',
  show: ({ type }) => `= ${widths(type)}`,
  node: notInNode,
  // One that only stands for another that changed has not changed itself.
  compare: (before, after, types) =>
    before.type === after.type ? [] : typeChange('typedef-type', '', before.type, after.type, types),
};

function typeChange(kind: ChangeKind, where: string, old: string, now: string, types: Compare): readonly Part[] {
  const { difference, before, after } = types(old, now);
  if (difference === 'none') return [];
  return [part(difference === 'spelling' ? 'type-spelling' : kind, where, before, after)];
}
