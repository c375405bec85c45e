import type { CType, FunctionItem, Parameter } from './ir.ts';
import { rustName } from './napi-names.ts';
import type { Resolve } from './napi-resolve.ts';

/** How one C parameter is passed from JavaScript. */
export interface MappedParameter {
  readonly parameter: Parameter;
  /** The parameter's type in the Rust function-pointer type. */
  readonly rustType: string;
  /** Conversion of the JavaScript argument; null when the value follows from another argument. */
  readonly from: {
    /** TypeScript type without null and undefined. */
    readonly type: string;
    /** Method of the runtime's `Argument`, with type arguments. */
    readonly method: string;
    /** The call needs the converted value as `mut`. */
    readonly mutable: boolean;
  } | null;
  /** Rust expression handed to C. */
  readonly pass: string;
}

/** What a function returns to JavaScript. */
export interface MappedReturn {
  /** The C result's type in the Rust function-pointer type; empty for `void`. */
  readonly rustType: string;
  /** Type inside the emitted function's `Result`. */
  readonly result: string;
  /** TypeScript type. */
  readonly type: string;
  /** Method of the runtime's `Function` that reads the result, or null to wrap it as it is. */
  readonly method: 'status' | 'value' | 'boolean' | 'never' | null;
  /** Rust expression of the value when there is no method. */
  readonly wrap: string;
}

type RoleMap = (parameter: Parameter, all: readonly Parameter[], resolve: Resolve) => MappedParameter | string;

/** The parameter's conversion, or the reason why Node cannot offer it. */
export const mapParameter: RoleMap = (parameter, all, resolve) => ROLES[parameter.role.kind](parameter, all, resolve);

export const RECORD_REASON = 'a record of C, which may hold callbacks that libkrun makes on threads of its own';

const ROLES: Readonly<Record<Parameter['role']['kind'], RoleMap>> = {
  value: mapValue,
  string: (parameter) => text(parameter, '*const c_char', '*mut c_char', 'string', 'string'),
  'string-array': (parameter) =>
    text(parameter, '*const *const c_char', '*mut *const c_char', 'Array<string>', 'strings'),
  'fixed-bytes': mapFixedBytes,
  buffer: mapBuffer,
  'buffer-length': mapBufferLength,
  record: () => RECORD_REASON,
  'record-length': () => RECORD_REASON,
};

/** Rust name of an integer type. `size_t` is `usize`, whose width the target chooses as C does. */
function rustInteger(type: CType & { kind: 'integer' }): string {
  if (type.spelling === 'size_t') return 'usize';
  return `${type.signed ? 'i' : 'u'}${type.bits}`;
}

function mapValue(parameter: Parameter, _all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const type = resolve(parameter.type);
  const pass = rustName(parameter.name);
  const plain = (rustType: string, tsType: string): MappedParameter => ({
    parameter,
    rustType,
    from: { type: tsType, method: rustType, mutable: false },
    pass,
  });
  if (parameter.nullable) return 'is documented as nullable but is no pointer';
  if (type.kind === 'bool') return plain('bool', 'boolean');
  if (type.kind === 'integer') return plain(rustInteger(type), type.bits === 64 ? 'number | bigint' : 'number');
  if (type.kind === 'float') return plain(`f${type.bits}`, 'number');
  return type.kind === 'pointer' ? 'a pointer whose use is not known' : `the C type ${describe(type)} as a value`;
}

function text(
  parameter: Parameter,
  constant: string,
  mutable: string,
  type: string,
  method: string,
): MappedParameter | string {
  if (parameter.type.kind !== 'pointer' && parameter.type.kind !== 'array') return 'is no pointer';
  const name = rustName(parameter.name);
  const isConst = parameter.type.kind === 'array' || parameter.type.const;
  // C declares some inputs without const; libkrun only reads them, and the copy is ours in any case.
  return {
    parameter,
    rustType: isConst ? constant : mutable,
    from: { type, method: parameter.nullable ? `nullable_${method}` : method, mutable: false },
    pass: isConst ? `${name}.as_ptr()` : `${name}.as_ptr().cast_mut()`,
  };
}

/** The element of a pointer or array to bytes: whether it is const, or null for other elements. */
function byteElement(type: CType, resolve: Resolve): { readonly constant: boolean } | null {
  const inner = type.kind === 'pointer' ? type.pointee : type.kind === 'array' ? type.element : null;
  if (inner === null) return null;
  const element = resolve(inner);
  const isByte = element.kind === 'void' || (element.kind === 'integer' && element.bits === 8 && !element.signed);
  return isByte ? { constant: type.kind === 'pointer' && type.const } : null;
}

function pointerTo(type: CType, resolve: Resolve, constant: boolean): string {
  const inner = type.kind === 'pointer' ? resolve(type.pointee) : null;
  return `${constant ? '*const' : '*mut'} ${inner?.kind === 'void' ? 'c_void' : 'u8'}`;
}

function mapFixedBytes(parameter: Parameter, _all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const element = byteElement(parameter.type, resolve);
  if (parameter.role.kind !== 'fixed-bytes' || element === null) return 'an array whose elements are not bytes';
  const name = rustName(parameter.name);
  const method = `${parameter.nullable ? 'nullable_' : ''}fixed_bytes::<${parameter.role.length}>`;
  return {
    parameter,
    rustType: pointerTo(parameter.type, resolve, element.constant),
    from: { type: 'Uint8Array', method, mutable: !element.constant },
    pass: bytesPointer(name, parameter.type, resolve, element.constant),
  };
}

function mapBuffer(parameter: Parameter, all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const { role } = parameter;
  const element = byteElement(parameter.type, resolve);
  if (role.kind !== 'buffer' || element === null) return 'a buffer whose elements are not bytes';
  // Writing back into JavaScript's memory needs another contract than the copies made here.
  if (!element.constant) return 'a buffer that C may write to';
  const counted = all.some((other) => other.name === role.lengthIn && other.role.kind === 'buffer-length');
  if (!counted) return `no parameter ${role.lengthIn} that counts its bytes`;
  const name = rustName(parameter.name);
  return {
    parameter,
    rustType: pointerTo(parameter.type, resolve, true),
    from: { type: 'Uint8Array', method: parameter.nullable ? 'nullable_bytes' : 'bytes', mutable: false },
    pass: bytesPointer(name, parameter.type, resolve, true),
  };
}

function bytesPointer(name: string, type: CType, resolve: Resolve, constant: boolean): string {
  const pointer = constant ? `${name}.as_ptr()` : `${name}.as_mut_ptr()`;
  const isVoid = type.kind === 'pointer' && resolve(type.pointee).kind === 'void';
  return isVoid ? `${pointer}.cast()` : pointer;
}

function mapBufferLength(parameter: Parameter, all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const { role } = parameter;
  const type = resolve(parameter.type);
  if (role.kind !== 'buffer-length' || type.kind !== 'integer') return 'a length that is no integer';
  if (rustInteger(type) !== 'usize') return `a length of type ${type.spelling}, which may be too small for the buffer`;
  const buffer = all.find((other) => other.name === role.of && other.role.kind === 'buffer');
  if (buffer === undefined) return `no buffer ${role.of} that it counts`;
  return { parameter, rustType: 'usize', from: null, pass: `${rustName(buffer.name)}.len()` };
}

/** The result's conversion, or the reason why Node cannot offer the function. */
export function mapReturn(item: FunctionItem, resolve: Resolve): MappedReturn | string {
  const type = resolve(item.returns);
  if (item.meaning === 'plain') return plainReturn(type);
  if (type.kind !== 'integer' || !type.signed || type.bits > 32) {
    return `returns ${describe(type)}, where 0, a value or a negative errno is expected`;
  }
  const rustType = rustInteger(type);
  const method = item.meaning;
  const results = {
    status: { result: '()', type: 'void' },
    value: { result: rustType, type: 'number' },
    boolean: { result: 'bool', type: 'boolean' },
    never: { result: '()', type: 'never' },
  } as const;
  return { rustType, ...results[method], method, wrap: '' };
}

function plainReturn(type: CType): MappedReturn | string {
  const plain = (rustType: string, result: string, tsType: string, wrap: string): MappedReturn => ({
    rustType,
    result,
    type: tsType,
    method: null,
    wrap,
  });
  if (type.kind === 'void') return plain('', '()', 'void', '()');
  if (type.kind === 'bool') return plain('bool', 'bool', 'boolean', 'result');
  if (type.kind === 'float') return plain(`f${type.bits}`, 'f64', 'number', 'f64::from(result)');
  if (type.kind !== 'integer') return `returns ${describe(type)}`;
  const rustType = rustInteger(type);
  if (type.bits < 64) return plain(rustType, rustType, 'number', 'result');
  if (type.signed) return plain(rustType, 'i64n', 'bigint', 'i64n(result)');
  return plain(rustType, 'u64', 'bigint', rustType === 'usize' ? 'result as u64' : 'result');
}

/** A C type in words, for reasons shown to people. */
function describe(type: CType): string {
  if (type.kind === 'integer') return type.spelling;
  if (type.kind === 'named') return type.name;
  if (type.kind === 'pointer') return `a pointer to ${describe(type.pointee)}`;
  return type.kind;
}
