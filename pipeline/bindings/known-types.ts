import type { CType, FunctionItem, Item, Skipped } from './ir.ts';
import { hasNaturalLayout, measureWith } from './record-layout.ts';

/** Fields whose offsets do not follow from their types are dropped: a binding would read the wrong bytes. */
export function withSoundRecords(items: readonly Item[], pointerBytes: number, skipped: Skipped[]): readonly Item[] {
  const named = new Map(
    items.flatMap((item) => ('layout' in item || 'type' in item ? [[item.name, item] as const] : [])),
  );
  const measure = measureWith(pointerBytes, (name) => {
    const item = named.get(name);
    return item === undefined ? null : item.kind === 'record' ? item : item.type;
  });
  const sound = items.map((item) => {
    if (item.kind !== 'record' || item.fields.length === 0 || hasNaturalLayout(item, measure)) return item;
    const reason = 'packed or aligned by an attribute: only size and alignment are kept';
    skipped.push({ name: item.name, place: item.place, output: 'ir', reason });
    return { ...item, fields: [] };
  });
  const blobs = new Set(
    sound.flatMap((item) => (item.kind === 'record' && item.fields.length === 0 ? [item.name] : [])),
  );
  return sound.filter((item) => {
    const name = item.kind === 'function' ? byValue(item).find((type) => blobs.has(type)) : undefined;
    if (name === undefined) return true;
    // How a record travels in registers depends on its fields.
    const reason = `passes ${name} by value, whose fields have no binding`;
    skipped.push({ name: item.name, place: item.place, output: 'ir', reason });
    return false;
  });
}

function byValue({ returns, parameters }: FunctionItem): readonly string[] {
  return [returns, ...parameters.map(({ type }) => type)].flatMap((type) => (type.kind === 'named' ? [type.name] : []));
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
