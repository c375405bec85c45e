import type { ChangeKind } from './abi-kinds.ts';
import { compareTypes, resolveType, type TypeDifference, type TypeNames, widths } from './abi-types.ts';

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
  /** The header that the item stands in, or stood in where it is gone. */
  readonly header: string;
  /** Those for which this is a change. */
  readonly targets: readonly string[];
}

/** A change without the item that it belongs to; `node` where it is not the item's own. */
export type Part = Pick<AbiChange, 'kind' | 'part' | 'before' | 'after'> & Partial<Pick<AbiChange, 'node'>>;

/** Compares two types as written, and says how to show them. */
export type Compare = (before: string, after: string) => { difference: TypeDifference; before: string; after: string };

/** @param old What the names of types stand for on the older side, and `now` on the newer one. */
export function comparer(old: TypeNames, now: TypeNames): Compare {
  return (before, after) => {
    // Most types are the same word for word, and stand for nothing else.
    if (before === after && !before.includes('named ')) return { difference: 'none', before, after };
    const [oldType, newType] = [resolveType(before, old), resolveType(after, now)];
    const difference = compareTypes(oldType, newType);
    const renamed = before !== after && difference === 'none';
    // Two names for one type are told apart by their names, everything else by what the names stand for.
    if (renamed || difference === 'spelling') return { difference: 'spelling', before, after };
    const plain = difference !== 'same-width';
    return { difference, before: plain ? widths(oldType) : oldType, after: plain ? widths(newType) : newType };
  };
}

export function part(kind: ChangeKind, where = '', before = '', after = ''): Part {
  return { kind, part: where, before, after };
}

/** The change of a type that belongs to `kind`, but for one that is only spelled in another way. */
export function typeChange(kind: ChangeKind, where: string, old: string, now: string, types: Compare): readonly Part[] {
  const { difference, before, after } = types(old, now);
  if (difference === 'none') return [];
  return [part(difference === 'spelling' ? 'type-spelling' : kind, where, before, after)];
}

interface Offered {
  readonly node?: false | undefined;
}

/** Whether the npm package begins or ceases to offer something that stays in the headers. */
export function nodeChange(before: Offered, after: Offered, where: string): readonly Part[] {
  if (before.node === after.node) return [];
  return [part(after.node === false ? 'node-withdrawn' : 'node-offered', where)];
}
