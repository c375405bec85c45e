import type { CType, Item, RecordField, RecordItem } from './ir.ts';
import { type Extent, measureWith, roundUp } from './record-layout.ts';

/** A member of the Rust record: one of C's, or bytes that hold bit-fields, or bytes that hold nothing. */
export type RustMember =
  | { readonly kind: 'field'; readonly field: RecordField }
  | { readonly kind: 'bytes'; readonly name: string; readonly offset: number; readonly length: number };

export interface RustRecord {
  /** Inside of `#[repr(…)]`. */
  readonly repr: string;
  readonly members: readonly RustMember[];
  /** Plain `repr(C)` with C's own members: travels in registers as C's record does. */
  readonly plain: boolean;
}

/** Every target of the plan has 64-bit pointers. */
const POINTER_BYTES = 8;

/**
 * How Rust lays a record out as C does, with padding spelled out where an attribute moved a member.
 * @returns null when no `repr` of Rust has that layout, or the record has no members to show.
 */
export function arrange(
  record: RecordItem,
  named: ReadonlyMap<string, Item>,
  pointerBytes: number = POINTER_BYTES,
): RustRecord | null {
  if (record.layout === null || record.fields.length === 0) return null;
  const slots = slotsOf(record, named, pointerBytes);
  if (slots === null) return null;
  const packable = !record.fields.some(({ type }) => isAligned(type, named, pointerBytes));
  const packs = packable ? [null, 1, 2, 4, 8] : [null];
  for (const pack of packs) {
    const found = tryPack(record, record.layout, slots, pack);
    if (found !== null) return found;
  }
  return null;
}

export function bitFieldsOf({ fields }: RecordItem): readonly string[] {
  return fields.flatMap(({ name, bits }) => (bits === undefined ? [] : [name]));
}

interface Slot extends Extent {
  readonly offset: number;
  readonly member: RustMember;
}

function slotsOf(record: RecordItem, named: ReadonlyMap<string, Item>, pointerBytes: number): readonly Slot[] | null {
  const measure = measureWith(pointerBytes, (name) => typeOrRecord(named.get(name)));
  const slots: Slot[] = [];
  let group: { start: number; end: number } | null = null;
  const close = () => {
    if (group !== null) slots.push(byteSlot(`bits_${group.start}`, group.start, group.end - group.start));
    group = null;
  };
  for (const [index, field] of record.fields.entries()) {
    if (field.bits === undefined) {
      close();
      const extent = measure(field.type);
      if (extent === null) return null;
      slots.push({ ...extent, offset: field.offset, member: { kind: 'field', field } });
      continue;
    }
    const end = Math.ceil((field.bits.start + field.bits.width) / 8);
    // The bit-fields of a union share their bytes, those of a struct follow each other.
    if (record.union) slots.push(byteSlot(`bits_of_${index}`, 0, end));
    else group = { start: group === null ? field.offset : (group as { start: number }).start, end };
  }
  close();
  return slots;
}

function byteSlot(name: string, offset: number, length: number): Slot {
  return { offset, size: length, align: 1, member: { kind: 'bytes', name, offset, length } };
}

function tryPack(record: RecordItem, layout: Extent, slots: readonly Slot[], pack: number | null): RustRecord | null {
  const members: RustMember[] = [];
  let position = 0;
  let largest = 0;
  let align = 1;
  const pad = (to: number) => {
    const member = { kind: 'bytes', name: `padding_${position}`, offset: position, length: to - position } as const;
    members.push(member);
    position = to;
  };
  for (const slot of slots) {
    const own = Math.min(slot.align, pack ?? slot.align);
    if (record.union) position = 0;
    if (slot.offset % own !== 0 || slot.offset < position) return null;
    if (roundUp(position, own) < slot.offset) pad(slot.offset);
    members.push(slot.member);
    position = slot.offset + slot.size;
    largest = Math.max(largest, position);
    align = Math.max(align, own);
  }
  if (align > layout.align || (pack !== null && align !== layout.align)) return null;
  const size = roundUp(largest, layout.align);
  if (size > layout.size || (record.union && size < layout.size)) return null;
  if (size < layout.size) pad(layout.size);
  const repr = pack !== null ? `C, packed(${pack})` : align < layout.align ? `C, align(${layout.align})` : 'C';
  return { repr, members, plain: repr === 'C' && members.every(({ kind }) => kind === 'field') };
}

/** Rust allows no record with `align` inside one with `packed`. */
function isAligned(type: CType, named: ReadonlyMap<string, Item>, pointerBytes: number): boolean {
  if (type.kind === 'array') return isAligned(type.element, named, pointerBytes);
  const item = type.kind === 'named' ? named.get(type.name) : undefined;
  if (item?.kind === 'typedef') return isAligned(item.type, named, pointerBytes);
  if (item?.kind !== 'record' || item.layout === null) return false;
  const arranged = arrange(item, named, pointerBytes);
  if (arranged === null || arranged.repr.includes('align(')) return true;
  return item.fields.some((field) => isAligned(field.type, named, pointerBytes));
}

function typeOrRecord(item: Item | undefined): CType | RecordItem | null {
  if (item?.kind === 'record') return item;
  return item?.kind === 'typedef' || item?.kind === 'enum' ? item.type : null;
}
