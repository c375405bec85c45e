import type { AbiInterface, AbiLock } from './abi.ts';
import {
  type AbiChange,
  type AbiItem,
  type Compare,
  comparer,
  nodeChange,
  type Part,
  part,
  typeChange,
} from './abi-change.ts';
import { type FunctionLock, functionChanges } from './abi-functions.ts';
import type { ChangeKind } from './abi-kinds.ts';
import { typeNamesOf, widths } from './abi-types.ts';
import { groupTargets } from './target-groups.ts';

type ConstantLock = AbiInterface['constants'][number];
type RecordLock = AbiInterface['records'][number];
type EnumLock = AbiInterface['enums'][number];
type TypedefLock = AbiInterface['typedefs'][number];

/** How the items of one list are compared. */
interface List<T> {
  readonly item: AbiItem;
  readonly show: (entry: T) => string;
  readonly node: (entry: T) => boolean;
  readonly compare: (before: T, after: T, types: Compare) => readonly Part[];
}

/**
 * What differs from `before` to `after` for the targets that both know: once for all targets with the same change, list
 * by list, in the order of `before`, additions last. Order within the headers is no difference, and neither are names
 * of headers and what the lock says of files.
 */
export function diffAbi(before: AbiLock, after: AbiLock): readonly AbiChange[] {
  const changes = after.interfaces.flatMap((now) =>
    before.interfaces.flatMap((old) => {
      const targets = now.targets.filter((target) => old.targets.includes(target));
      return targets.length === 0 ? [] : diffInterfaces(old, now).map((value) => ({ targets, value }));
    }),
  );
  return groupTargets(changes, (change) => JSON.stringify(change)).map(({ targets, value }) => ({ ...value, targets }));
}

type Change = Omit<AbiChange, 'targets'>;

function diffInterfaces(before: AbiInterface, after: AbiInterface): readonly Change[] {
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
  readonly header: string;
  readonly deprecated?: true | undefined;
  readonly docs: string | null;
}

function diffList<T extends Described>(
  { item, show, node, compare }: List<T>,
  before: readonly T[],
  after: readonly T[],
  types: Compare,
): readonly Change[] {
  const now = new Map(after.map((entry) => [entry.name, entry]));
  const then = new Set(before.map(({ name }) => name));
  const kept = before.flatMap((entry): readonly Change[] => {
    const { name } = entry;
    const other = now.get(name);
    const about = { item, name, node: node(entry), header: (other ?? entry).header };
    if (other === undefined) return [{ ...about, ...part(`${item}-removed`, '', show(entry), '') }];
    const parts = [...compare(entry, other, types), ...describedChanges(entry, other)];
    const offered = parts.map(({ kind }) => kind).some((kind) => kind === 'node-offered' || kind === 'node-withdrawn');
    const offers = (kind: ChangeKind) => (offered ? kind.startsWith('node-') : about.node);
    return parts.map((one) => ({ ...about, ...one, node: one.node ?? offers(one.kind) }));
  });
  const added = after
    .filter(({ name }) => !then.has(name))
    .map((entry) => ({
      item,
      name: entry.name,
      node: node(entry),
      header: entry.header,
      ...part(`${item}-added`, '', '', show(entry)),
    }));
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
  node: ({ node }) => node !== false,
  compare: (before, after, types) => [...valueChange(before, after, types), ...nodeChange(before, after, 'Node')],
};

function valueChange(before: ConstantLock, after: ConstantLock, types: Compare): readonly Part[] {
  const isText = (entry: ConstantLock) => entry.type === 'string';
  if (before.value !== after.value || isText(before) !== isText(after)) {
    const show = (entry: ConstantLock) => (isText(entry) ? JSON.stringify(entry.value) : entry.value);
    return [part('constant-value', '', show(before), show(after))];
  }
  return typeChange('constant-type', '', before.type, after.type, types);
}

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
    return [...typeChange('field-type', where, field.type, other.type, types), ...placeChange(field, other, where)];
  });
  const added = after.fields.filter(({ name }) => !then.has(name));
  return [...kept, ...added.map(({ name, type }) => part('field-added', `field ${name}`, '', widths(type)))];
}

type FieldLock = RecordLock['fields'][number];

/** A bit-field is where its bits are; the byte that it begins in says nothing more. */
function placeChange(before: FieldLock, after: FieldLock, where: string): readonly Part[] {
  if (before.bits !== after.bits) {
    const show = ({ bits, offset }: FieldLock) => (bits === undefined ? `bytes at ${offset}` : `bits: ${bits}`);
    return [part('field-bits', where, show(before), show(after))];
  }
  if (before.offset === after.offset) return [];
  return [part('field-moved', where, `at ${before.offset}`, `at ${after.offset}`)];
}

type ValueLock = EnumLock['values'][number];

const ENUMS: List<EnumLock> = {
  item: 'enum',
  show: ({ values }) => `{ ${values.map(({ name }) => name).join(', ')} }`,
  node: ({ values }) => values.length === 0 || values.some(inNode),
  compare: (before, after, types) => {
    const now = new Map(after.values.map((entry) => [entry.name, entry]));
    const then = new Set(before.values.map(({ name }) => name));
    const kept = before.values.flatMap((entry) => enumValueChanges(entry, now.get(entry.name)));
    const added = after.values.filter(({ name }) => !then.has(name));
    return [
      ...typeChange('enum-type', '', before.type, after.type, types),
      ...kept,
      ...added.map((entry) => ({ ...part('enum-value-added', entry.name, '', entry.value), node: inNode(entry) })),
    ];
  },
};

/** The npm package offers the values of an enum one by one. */
function enumValueChanges(before: ValueLock, after: ValueLock | undefined): readonly Part[] {
  const { name, value } = before;
  const node = inNode(before);
  if (after === undefined) return [{ ...part('enum-value-removed', name, value), node }];
  const changed = value === after.value ? [] : [{ ...part('enum-value-changed', name, value, after.value), node }];
  return [...changed, ...nodeChange(before, after, name).map((one) => ({ ...one, node: true }))];
}

function inNode({ node }: ValueLock): boolean {
  return node !== false;
}

const TYPEDEFS: List<TypedefLock> = {
  item: 'typedef',
  show: ({ type }) => `= ${widths(type)}`,
  node: notInNode,
  // One that only stands for another that changed has not changed itself.
  compare: (before, after, types) =>
    before.type === after.type ? [] : typeChange('typedef-type', '', before.type, after.type, types),
};
