import type { AbiLock } from './abi.ts';
import { type AbiChange, type AbiItem, type Compare, comparer, type Part, part, typeChange } from './abi-change.ts';
import { type FunctionLock, functionChanges } from './abi-functions.ts';
import { typeNamesOf, widths } from './abi-types.ts';

type ConstantLock = AbiLock['constants'][number];
type RecordLock = AbiLock['records'][number];
type EnumLock = AbiLock['enums'][number];
type TypedefLock = AbiLock['typedefs'][number];

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
  compare: functionChanges,
};

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
