import { toCType } from './c-types.ts';
import type { CType, Item, RecordItem, Skipped } from './ir.ts';
import type { RawRecord, RawTypedef, RawUnit, RawWidths } from './libclang/raw.ts';
import { type Draft, type Settled, settleRecord } from './record-fields.ts';
import { type Extent, measureWith } from './record-layout.ts';
import { arrange, bitFieldsOf } from './rust-records.ts';

/**
 * Gives every record its members. Where one of them has no type in the IR or no certain place, all are left out: only
 * size and alignment are kept, and the reason is reported.
 */
export function withFields(items: readonly Item[], raw: RawUnit, skipped: Skipped[]): readonly Item[] {
  const records = new Map<string, RawRecord>();
  for (const item of raw.items) {
    if (item.kind === 'record' && (item.complete || !records.has(item.name))) records.set(item.name, item);
  }
  const typedefs = raw.items.filter((item) => item.kind === 'typedef');
  const settled = settleAll(items, records, typedefs, raw.widths);
  return items.flatMap((item): readonly Item[] => {
    if (item.kind !== 'record') return [item];
    const found = settled.get(item.name);
    if (found !== undefined)
      return [{ ...item, layout: { size: found.size, align: found.align }, fields: found.fields }];
    // An anonymous member that found no place is reported with the record around it.
    if (records.get(item.name)?.anonymous) return [];
    if (item.layout !== null) {
      const reason = `${reasonOf(records.get(item.name), raw.widths)}: only size and alignment are kept`;
      skipped.push({ ...whatOf(item), output: 'ir', reason });
    }
    return [item];
  });
}

function reasonOf(raw: RawRecord | undefined, widths: RawWidths): string {
  for (const { name, type } of raw?.fields ?? []) {
    const result = toCType(type, widths);
    if ('reason' in result) return `member ${name}: ${result.reason}`;
  }
  return 'the places of its bit-fields or anonymous members are not certain';
}

function whatOf({ name, place }: RecordItem) {
  return { name, place };
}

function settleAll(
  items: readonly Item[],
  records: ReadonlyMap<string, RawRecord>,
  typedefs: readonly RawTypedef[],
  widths: RawWidths,
): ReadonlyMap<string, Settled> {
  const types = new Map<string, CType>();
  const layouts = new Map<string, RecordItem>();
  for (const item of items) {
    if (item.kind === 'typedef' || item.kind === 'enum') types.set(item.name, item.type);
    if (item.kind === 'record') layouts.set(item.name, item);
  }
  const plain = measureWith(widths.pointer, (name) => types.get(name) ?? layouts.get(name) ?? null);
  const moved = new Map<string, Extent>();
  for (const { name, align } of typedefs) {
    const extent = plain({ kind: 'named', name });
    if (extent !== null && align !== null) moved.set(name, { ...extent, align: Number(align) });
  }
  const measure = measureWith(
    widths.pointer,
    (name) => moved.get(name) ?? types.get(name) ?? layouts.get(name) ?? null,
  );
  const drafts = new Map<string, Draft>();
  for (const raw of records.values()) {
    const found = raw.fields.map(({ type }) => toCType(type, widths));
    const known = found.flatMap((result) => ('type' in result ? [result.type] : []));
    if (known.length === found.length) drafts.set(raw.name, { raw, types: known });
  }
  const settled = new Map<string, Settled>();
  for (const draft of drafts.values()) {
    if (draft.raw.anonymous || !draft.raw.complete) continue;
    for (const [name, found] of settleRecord(draft, drafts, measure) ?? []) settled.set(name, found);
  }
  return settled;
}

/** What the Rust bindings cannot say about a record that the IR knows. */
export function rustGaps(items: readonly Item[], pointerBytes: number): readonly Skipped[] {
  const named = new Map(items.map((item) => [item.name, item]));
  return items.flatMap((item): readonly Skipped[] => {
    if (item.kind !== 'record' || item.layout === null || item.fields.length === 0) return [];
    if (arrange(item, named, pointerBytes) === null) {
      return [{ ...whatOf(item), output: 'rust', reason: 'packed and aligned as no Rust record is: kept as bytes' }];
    }
    const bits = bitFieldsOf(item);
    if (bits.length === 0) return [];
    return [{ ...whatOf(item), output: 'rust', reason: `bit-fields are kept as bytes: ${bits.join(', ')}` }];
  });
}
