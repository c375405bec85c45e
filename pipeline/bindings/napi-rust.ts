import type { CType } from './ir.ts';
import { POINTER_SIZED } from './rust-text.ts';

/** Rust name of an integer type; the width of `size_t` and its like is the target's business, as in C. */
export function rustInteger(type: CType & { readonly kind: 'integer' }): string {
  return POINTER_SIZED[type.spelling] ?? `${type.signed ? 'i' : 'u'}${type.bits}`;
}

/** A number, boolean or fraction of C as JavaScript gets it. */
export interface ScalarResult {
  /** Type of the C value in Rust. */
  readonly cType: string;
  /** Type that Node's bindings turn into `type`. */
  readonly rust: string;
  /** TypeScript type. */
  readonly type: 'number' | 'bigint' | 'boolean';
  /** Rust expression of type `rust` for a C value. */
  readonly convert: (value: string) => string;
}

/** How a value that C gives reaches JavaScript, or null for what is no scalar. */
export function scalarResult(type: CType): ScalarResult | null {
  const same = (value: string): string => value;
  if (type.kind === 'bool') return { cType: 'bool', rust: 'bool', type: 'boolean', convert: same };
  if (type.kind === 'float') {
    const cType = `f${type.bits}`;
    return { cType, rust: 'f64', type: 'number', convert: type.bits === 64 ? same : (value) => `f64::from(${value})` };
  }
  if (type.kind !== 'integer') return null;
  const cType = rustInteger(type);
  if (type.bits < 64) return { cType, rust: cType, type: 'number', convert: same };
  // A number would lose digits.
  const width = type.signed ? 'i64' : 'u64';
  const cast = (value: string): string => (cType === width ? value : `${value} as ${width}`);
  if (!type.signed) return { cType, rust: 'u64', type: 'bigint', convert: cast };
  return { cType, rust: 'i64n', type: 'bigint', convert: (value) => `i64n(${cast(value)})` };
}

/** A C type in words, for reasons shown to people. */
export function describeType(type: CType): string {
  if (type.kind === 'integer') return type.spelling;
  if (type.kind === 'named') return type.name;
  if (type.kind === 'pointer') return `a pointer to ${describeType(type.pointee)}`;
  return type.kind;
}
