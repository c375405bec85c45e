import type { CType, Item, Skipped } from './ir.ts';
import { arrange } from './rust-records.ts';

/**
 * Leaves out what passes a record by value that the bindings hold as bytes or with padding of their own: how a record
 * travels in registers depends on its members.
 */
export function withSoundCalls(items: readonly Item[], pointerBytes: number, skipped: Skipped[]): readonly Item[] {
  const named = new Map(items.map((item) => [item.name, item]));
  const known = new Map<string, boolean>();
  const isPlain = (type: CType): boolean => {
    if (type.kind === 'array') return isPlain(type.element);
    if (type.kind !== 'named') return true;
    const item = named.get(type.name);
    if (item?.kind === 'typedef') return isPlain(item.type);
    if (item?.kind !== 'record') return true;
    const answer =
      known.get(item.name) ??
      (arrange(item, named, pointerBytes)?.plain === true && item.fields.every((field) => isPlain(field.type)));
    known.set(item.name, answer);
    return answer;
  };
  return items.filter((item) => {
    const type = callsIn(item)
      .flatMap(({ returns, parameters }) => [returns, ...parameters])
      .find((passed) => !isPlain(passed));
    if (type === undefined) return true;
    const reason = `passes ${type.kind === 'named' ? type.name : 'a record'} by value, whose members have no exact binding`;
    skipped.push({ name: item.name, place: item.place, output: 'ir', reason });
    return false;
  });
}

interface Call {
  readonly returns: CType;
  readonly parameters: readonly CType[];
}

/** Every signature in an item: its own and those of the functions that it points to. */
function callsIn(item: Item): readonly Call[] {
  if (item.kind === 'function') {
    const parameters = item.parameters.map(({ type }) => type);
    return [{ returns: item.returns, parameters }, ...[item.returns, ...parameters].flatMap(signatures)];
  }
  if (item.kind === 'record') return item.fields.flatMap(({ type }) => signatures(type));
  return item.kind === 'typedef' ? signatures(item.type) : [];
}

function signatures(type: CType): readonly Call[] {
  if (type.kind === 'pointer') return signatures(type.pointee);
  if (type.kind === 'array') return signatures(type.element);
  return type.kind === 'function' ? [type, ...[type.returns, ...type.parameters].flatMap(signatures)] : [];
}

/** A type that is named but not part of the IR cannot be emitted; the items that use it are reported instead. */
export function withKnownTypes(items: readonly Item[], skipped: Skipped[]): readonly Item[] {
  const known = new Set(items.filter(({ kind }) => kind !== 'function' && kind !== 'constant').map(({ name }) => name));
  const unknown = items.filter((item) => namesIn(item).some((name) => !known.has(name)));
  if (unknown.length === 0) return items;
  for (const item of unknown) {
    const missing = namesIn(item).find((name) => !known.has(name));
    skipped.push({
      name: item.name,
      place: item.place,
      output: 'ir',
      reason: `uses the type ${missing}, which has no binding`,
    });
  }
  const rest = new Set(unknown);
  return withKnownTypes(
    items.filter((item) => !rest.has(item)),
    skipped,
  );
}

function namesIn(item: Item): readonly string[] {
  if (item.kind === 'function') return [item.returns, ...item.parameters.map(({ type }) => type)].flatMap(typeNames);
  if (item.kind === 'record') return item.fields.flatMap(({ type }) => typeNames(type));
  return item.kind === 'typedef' ? typeNames(item.type) : [];
}

function typeNames(type: CType): readonly string[] {
  switch (type.kind) {
    case 'named':
      return [type.name];
    case 'pointer':
      return typeNames(type.pointee);
    case 'array':
      return typeNames(type.element);
    case 'function':
      return [type.returns, ...type.parameters].flatMap(typeNames);
    default:
      return [];
  }
}
