import type { CType } from './ir.ts';
import type { RawScalar, RawType, RawUnit, RawWidths } from './libclang/raw.ts';
import { type Resolve, resolver } from './napi-resolve.ts';

type Bits = 8 | 16 | 32 | 64;

/** A type of the parser as a type of the IR, or the reason why there is none. */
export type TypeResult = { readonly type: CType } | { readonly reason: string };

/**
 * Resolves a type: standard typedefs become integers of a width that keep their spelling, the headers' own keep their
 * name. Nothing becomes `int` for want of something better.
 */
export function toCType(raw: RawType, widths: RawWidths): TypeResult {
  switch (raw.kind) {
    case 'scalar':
      return scalarType(raw.scalar, raw.scalar, widths);
    case 'standard':
      return standardType(raw.name, raw.type, widths);
    case 'named':
      return { type: { kind: 'named', name: raw.name } };
    case 'pointer':
      return map(toCType(raw.pointee, widths), (pointee) => ({
        kind: 'pointer',
        pointee,
        const: isConst(raw.pointee),
      }));
    case 'array':
      return map(toCType(raw.element, widths), (element) => ({
        kind: 'array',
        element,
        length: raw.length === null ? null : Number(raw.length),
      }));
    case 'function':
      return functionType(raw, widths);
    case 'other':
      return { reason: `no binding for the type ${raw.spelling}` };
  }
}

/** A parameter's type as the callee sees it: arrays and functions decay to pointers. */
export function toParameterType(raw: RawType, widths: RawWidths): TypeResult {
  if (raw.kind === 'array') {
    return toCType({ kind: 'pointer', pointee: raw.element, const: false }, widths);
  }
  if (raw.kind === 'function') return toCType({ kind: 'pointer', pointee: raw, const: false }, widths);
  return toCType(raw, widths);
}

/** Whether writing through a pointer to this type is forbidden; an array is const when its elements are. */
function isConst(raw: RawType): boolean {
  if (raw.kind === 'array') return isConst(raw.element);
  return 'const' in raw && raw.const;
}

function functionType(raw: RawType & { readonly kind: 'function' }, widths: RawWidths): TypeResult {
  const parameters: CType[] = [];
  for (const parameter of raw.parameters) {
    const result = toParameterType(parameter, widths);
    if ('reason' in result) return result;
    parameters.push(result.type);
  }
  return map(toCType(raw.returns, widths), (returns) => ({
    kind: 'function',
    parameters,
    returns,
    ...(raw.variadic ? { variadic: true } : {}),
  }));
}

function standardType(name: string, behind: RawType, widths: RawWidths): TypeResult {
  return behind.kind === 'scalar' ? scalarType(behind.scalar, name, widths) : toCType(behind, widths);
}

/** The integer type of a value or constant: null for anything else. */
export function integerType(scalar: RawScalar, widths: RawWidths): CType | null {
  const result = scalarType(scalar, scalar, widths);
  return 'type' in result && ['integer', 'char', 'bool'].includes(result.type.kind) ? result.type : null;
}

function scalarType(scalar: RawScalar, spelling: string, widths: RawWidths): TypeResult {
  if (scalar === 'void' || scalar === 'bool' || scalar === 'char') return { type: { kind: scalar } };
  if (scalar === 'float') return { type: { kind: 'float', bits: 32 } };
  if (scalar === 'double') return { type: { kind: 'float', bits: 64 } };
  const signed = !scalar.startsWith('unsigned');
  const base = scalar.replace(/^(un)?signed /, '');
  const bits = base === 'char' ? 8 : bitsOf(base, widths);
  return bits === null
    ? { reason: `the parser reports no usable width for ${scalar}` }
    : { type: { kind: 'integer', signed, bits, spelling } };
}

function bitsOf(base: string, widths: RawWidths): Bits | null {
  const bytes = Object.entries(widths).find(([name]) => name === base)?.[1];
  const bits = [16, 32, 64] as const;
  return bits.find((width) => width === (bytes ?? 0) * 8) ?? null;
}

function map(result: TypeResult, wrap: (type: CType) => CType): TypeResult {
  return 'type' in result ? { type: wrap(result.type) } : result;
}

/** Makes the resolver for the typedefs and enums that a parser reported. */
export function rawResolver({ items, widths }: RawUnit): Resolve {
  const known = new Map<string, CType>();
  for (const item of items) {
    const result = item.kind === 'typedef' || item.kind === 'enum' ? toCType(item.type, widths) : null;
    if (result !== null && 'type' in result) known.set(item.name, result.type);
  }
  return resolver((name) => known.get(name));
}
