import type { AbiInterface } from './abi.ts';
import { POINTER_SIZED } from './rust-text.ts';

/** How one type of a lock differs from another; the first of these that is true. */
export type TypeDifference =
  | 'none'
  /** Another name for what is the same type in C, Rust and JavaScript. */
  | 'spelling'
  /** Rust tells the types apart (`usize`, `u64`); width and sign are equal. */
  | 'same-width'
  | 'const-dropped'
  | 'const-added'
  /** Both are integers, and the new one holds every value of the old one. */
  | 'wider'
  | 'narrower'
  | 'other';

/** What the typedefs and enums of an interface stand for, by name. */
export type TypeNames = ReadonlyMap<string, string>;

export function typeNamesOf({ enums, typedefs }: AbiInterface): TypeNames {
  return new Map([...enums, ...typedefs].map(({ name, type }) => [name, type]));
}

/** Longest chain of typedefs followed, and longest text made of them: a hostile lock may double it at every step. */
const MAX_CHAIN = 64;
const MAX_TEXT = 16 * 1024;

/** The type with typedefs and enums replaced by what they stand for; records stay names. */
export function resolveType(type: string, names: TypeNames): string {
  let current = type;
  for (let step = 0; step < MAX_CHAIN && current.length < MAX_TEXT; step++) {
    const next = current.replace(/\bnamed ([\w$]+)/g, (whole, name: string) => names.get(name) ?? whole);
    if (next === current) break;
    current = next;
  }
  return current;
}

/** Compares two resolved types. */
export function compareTypes(before: string, after: string): TypeDifference {
  if (before === after) return 'none';
  const [old, now] = [rustType(before), rustType(after)];
  if (old === now) return 'spelling';
  const [oldWidths, nowWidths] = [widths(before), widths(after)];
  if (oldWidths === nowWidths) return 'same-width';
  if (withoutConst(oldWidths) === withoutConst(nowWidths)) {
    const kept = qualifiers(nowWidths);
    const dropped = qualifiers(oldWidths).some((word, index) => word === 'const' && kept[index] === 'mut');
    return dropped ? 'const-dropped' : 'const-added';
  }
  return compareIntegers(oldWidths, nowWidths);
}

const INTEGER = /\b([iu](?:8|16|32|64)) ([A-Za-z_]\w*(?: \w+)*)/g;

function rustType(type: string): string {
  return type.replace(INTEGER, (_whole, width: string, spelling: string) => POINTER_SIZED[spelling] ?? width);
}

/** The type without the spelling of its integers; for people too: `*const char`, `u32`. */
export function widths(type: string): string {
  return type.replace(INTEGER, '$1');
}

function withoutConst(type: string): string {
  return type.replace(/\*(?:const|mut) /g, '*');
}

function qualifiers(type: string): readonly string[] {
  return [...type.matchAll(/\*(const|mut) /g)].map(([, word = '']) => word);
}

function compareIntegers(before: string, after: string): TypeDifference {
  const [old, now] = [rangeOf(before), rangeOf(after)];
  if (old === null || now === null) return 'other';
  return now.low <= old.low && now.high >= old.high ? 'wider' : 'narrower';
}

function rangeOf(type: string): { readonly low: bigint; readonly high: bigint } | null {
  const [, sign, bits] = /^([iu])(\d+)$/.exec(type) ?? [];
  if (sign === undefined || bits === undefined) return null;
  const values = 1n << BigInt(bits);
  return sign === 'u' ? { low: 0n, high: values - 1n } : { low: -values / 2n, high: values / 2n - 1n };
}
