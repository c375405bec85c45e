import type { CType, Parameter } from './ir.ts';
import { rustName } from './napi-names.ts';
import { type MappedParameter, readParameter } from './napi-parameter.ts';
import type { Resolve } from './napi-resolve.ts';
import { describeType, rustInteger } from './napi-rust.ts';

interface Element {
  readonly type: CType;
  readonly constant: boolean;
}

/** What is behind a pointer or inside an array; null for other types. */
function elementOf(type: CType, resolve: Resolve): Element | null {
  if (type.kind === 'array') return { type: resolve(type.element), constant: true };
  return type.kind === 'pointer' ? { type: resolve(type.pointee), constant: type.const } : null;
}

function isByte(type: CType): boolean {
  return type.kind === 'void' || (type.kind === 'integer' && type.bits === 8 && !type.signed);
}

export function mapFixedBytes(
  parameter: Parameter,
  _all: readonly Parameter[],
  resolve: Resolve,
): MappedParameter | string {
  const element = elementOf(parameter.type, resolve);
  if (parameter.role.kind !== 'fixed-bytes' || element === null || !isByte(element.type)) {
    return 'an array whose elements are not bytes';
  }
  const method = `${parameter.nullable ? 'nullable_' : ''}fixed_bytes::<${parameter.role.length}>`;
  const pointer = `${rustName(parameter.name)}${element.constant ? '.as_ptr()' : '.as_mut_ptr()'}`;
  const pass = element.type.kind === 'void' ? `${pointer}.cast()` : pointer;
  return readParameter(parameter, pass, 'Uint8Array', method, !element.constant);
}

/** The typed array of JavaScript that has the same elements, and its element in Rust. */
function typedArray(type: CType): { readonly array: string; readonly rust: string } | null {
  if (isByte(type)) return { array: 'Uint8Array', rust: 'u8' };
  if (type.kind === 'float') return { array: `Float${type.bits}Array`, rust: `f${type.bits}` };
  if (type.kind !== 'integer') return null;
  const array = `${type.bits === 64 ? 'Big' : ''}${type.signed ? 'Int' : 'Uint'}${type.bits}Array`;
  return { array, rust: `${type.signed ? 'i' : 'u'}${type.bits}` };
}

export function mapBuffer(parameter: Parameter, all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const { role } = parameter;
  const element = elementOf(parameter.type, resolve);
  const typed = element === null ? null : typedArray(element.type);
  if (role.kind !== 'buffer' || element === null || typed === null) {
    return `a buffer whose elements are ${element === null ? 'not known' : describeType(element.type)}`;
  }
  // Writing back into JavaScript's memory needs another contract than the copies made here.
  if (!element.constant) return 'a buffer that C may write to';
  const length = all.find((other) => other.name === role.lengthIn && other.role.kind === 'buffer-length');
  const count = length === undefined ? null : countType(length.type, resolve);
  if (count === null) return `no parameter ${role.lengthIn} that counts its elements`;
  // `void` and `size_t` have another name in Rust than the element.
  const sameName =
    element.type.kind === 'float' || (element.type.kind === 'integer' && rustInteger(element.type) === typed.rust);
  const pass = `${rustName(parameter.name)}.as_ptr()${sameName ? '' : '.cast()'}`;
  const method = `${parameter.nullable ? 'nullable_' : ''}elements::<${typed.rust}, ${count}>`;
  return readParameter(parameter, pass, typed.array, method);
}

function countType(type: CType, resolve: Resolve): string | null {
  const resolved = resolve(type);
  return resolved.kind === 'integer' ? rustInteger(resolved) : null;
}

/** Never passed by JavaScript: the runtime has checked that the array's length is a value of this type. */
export function mapBufferLength(
  parameter: Parameter,
  all: readonly Parameter[],
  resolve: Resolve,
): MappedParameter | string {
  const { role } = parameter;
  if (role.kind !== 'buffer-length' || countType(parameter.type, resolve) === null)
    return 'a length that is no integer';
  const buffer = all.find((other) => other.name === role.of && other.role.kind === 'buffer');
  if (buffer === undefined) return `no buffer ${role.of} that it counts`;
  return { parameter, from: null, local: null, out: null, pass: `${rustName(buffer.name)}.count()` };
}
