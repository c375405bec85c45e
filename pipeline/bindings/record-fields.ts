import type { CType, RecordField } from './ir.ts';
import type { RawRecord } from './libclang/raw.ts';
import { type Extent, type Measure, roundUp } from './record-layout.ts';

/** A record whose members have types of the IR. */
export interface Draft {
  readonly raw: RawRecord;
  readonly types: readonly CType[];
}

/** Where a record's members are, and its size and alignment. */
export interface Settled extends Extent {
  readonly fields: readonly RecordField[];
}

/** The layouts of a record and of the anonymous members inside it, by name. */
export type SettledByName = ReadonlyMap<string, Settled>;

/**
 * Places what C has no words for (bit-fields, anonymous members) by the layout rules of the System V and AArch64
 * interfaces, and believes it only where everything that the compiler does tell (offsets of the other members, size,
 * alignment) comes out alike, and no other rule explains that as well.
 * @returns null when no rule gives what the compiler says, or several do.
 */
export function settleRecord(
  draft: Draft,
  anonymous: ReadonlyMap<string, Draft>,
  measure: Measure,
): SettledByName | null {
  const { size, align, packed, aligned, pragmas, name } = draft.raw;
  if (size === null || align === null) return null;
  const wanted = { size: Number(size), align: Number(align) };
  const tries = (pragmas ? [null, 1, 2, 4, 8] : [null]).flatMap((pragma) => {
    const found = new Map<string, Settled>();
    const pack = packed ? 1 : pragma;
    const placed = place(draft, { anonymous, measure, pack, pragma, base: 0, found });
    return placed === null ? [] : [{ placed, found }];
  });
  const fitting = tries.filter(
    ({ placed }) =>
      roundUp(placed.end, wanted.align) === wanted.size &&
      (aligned ? placed.align <= wanted.align : placed.align === wanted.align),
  );
  const [best = tries.find(isSure), ...others] = fitting;
  if (best === undefined || others.some((other) => !isSame(best, other))) return null;
  return new Map([...best.found, [name, { ...wanted, fields: best.placed.fields }]]);
}

interface Try {
  readonly placed: Placed;
  readonly found: SettledByName;
}

function isSame(one: Try, other: Try): boolean {
  const text = ({ placed, found }: Try) => JSON.stringify([placed.fields, [...found]]);
  return text(one) === text(other);
}

/** Whether every place was told by the compiler. */
function isSure({ placed, found }: Try): boolean {
  return found.size === 0 && placed.fields.every(({ bits }) => bits === undefined);
}

interface Rules {
  readonly anonymous: ReadonlyMap<string, Draft>;
  readonly measure: Measure;
  /** No member is aligned more than this; bit-fields then follow each other without a gap. */
  readonly pack: number | null;
  /** The pack of a `#pragma`, which holds for the records inside as well; that of an attribute does not. */
  readonly pragma: number | null;
  /** Bytes from the record that has a name to this one. */
  readonly base: number;
  readonly found: Map<string, Settled>;
}

interface Placed {
  readonly fields: readonly RecordField[];
  /** Bytes up to the end of the last member. */
  readonly end: number;
  readonly align: number;
}

function place({ raw, types }: Draft, rules: Rules): Placed | null {
  const fields: RecordField[] = [];
  let position = 0;
  let end = 0;
  let align = 1;
  let unnamed = 0;
  for (const [index, { name, bits, offset }] of raw.fields.entries()) {
    const type = types[index];
    if (type === undefined) return null;
    if (raw.union) position = 0;
    const known = offset === null ? null : Number(offset) - rules.base;
    const isMember = name === '' && bits === null;
    if (isMember) unnamed += 1;
    const extent = isMember ? placeAnonymous(type, position, rules) : rules.measure(type);
    if (extent === null) return null;
    const own = Math.min(extent.align, rules.pack ?? extent.align);
    if (bits === null) {
      const start = known ?? roundUp(position, own * 8) / 8;
      if (start * 8 < position) return null;
      fields.push({ name: isMember ? `anonymous_${unnamed}` : name, type, offset: start });
      position = (start + extent.size) * 8;
    } else {
      const start = bitStart(position, bits, extent, rules.pack);
      position = start + bits;
      if (name !== '') fields.push({ name, type, offset: Math.floor(start / 8), bits: { start, width: bits } });
    }
    if (name !== '' || isMember) align = Math.max(align, own);
    end = Math.max(end, Math.ceil(position / 8));
  }
  return { fields, end, align };
}

/** A bit-field does not cross the border of a unit of its type, except in a packed record. */
function bitStart(position: number, width: number, { size, align }: Extent, pack: number | null): number {
  const unit = align * 8;
  if (width === 0) return roundUp(position, unit);
  return pack === null && (position % unit) + width > size * 8 ? roundUp(position, unit) : position;
}

function placeAnonymous(type: CType, position: number, rules: Rules): Extent | null {
  const draft = type.kind === 'named' ? rules.anonymous.get(type.name) : undefined;
  // How far an attribute moves the end of a record without a name, nothing tells.
  if (draft === undefined || draft.raw.aligned) return null;
  const pack = draft.raw.packed ? 1 : rules.pragma;
  // Its alignment decides where it begins, and only then its members can be compared with what the compiler says.
  const alone = place(withoutOffsets(draft), { ...rules, pack, base: 0, found: new Map() });
  if (alone === null) return null;
  const own = Math.min(alone.align, rules.pack ?? alone.align);
  const base = rules.base + roundUp(position, own * 8) / 8;
  const placed = place(draft, { ...rules, pack, base });
  if (placed === null) return null;
  const extent = { size: roundUp(placed.end, placed.align), align: placed.align };
  rules.found.set(draft.raw.name, { ...extent, fields: placed.fields });
  return extent;
}

function withoutOffsets({ raw, types }: Draft): Draft {
  return { raw: { ...raw, fields: raw.fields.map((field) => ({ ...field, offset: null })) }, types };
}
