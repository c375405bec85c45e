import type { CType, Parameter } from './ir.ts';
import { jsFunctionName, rustName } from './napi-names.ts';
import type { MappedParameter, OutValue } from './napi-parameter.ts';
import type { Resolve } from './napi-resolve.ts';
import { describeType, scalarResult } from './napi-rust.ts';

/** A variable that C writes to; JavaScript passes nothing for it. */
function written(
  parameter: Parameter,
  local: MappedParameter['local'],
  out: Omit<OutValue, 'cName' | 'jsName'> | null,
): MappedParameter {
  const { name } = parameter;
  const pass = `&mut ${rustName(name)}`;
  const value = out === null ? null : { cName: name, jsName: jsFunctionName(name), ...out };
  return { parameter, from: null, local, out: value, pass };
}

/** The type behind a pointer through which C may write; null for anything else. */
function target(type: CType): CType | null {
  return type.kind === 'pointer' && !type.const ? type.pointee : null;
}

const FIRST_VALUES: Readonly<Record<string, string>> = { bool: 'false', f32: '0.0', f64: '0.0' };

/** One scalar. */
export function mapOut(parameter: Parameter, _all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const pointee = target(parameter.type);
  if (pointee === null) return 'an output that is no pointer through which C may write';
  const result = scalarResult(resolve(pointee));
  if (result === null) return `an output of the C type ${describeType(pointee)}`;
  const { cType, rust, type, convert } = result;
  const local = { type: cType, value: FIRST_VALUES[cType] ?? '0' };
  return written(parameter, local, { rust, type, value: convert(rustName(parameter.name)) });
}

/** A pointer to bytes of libkrun's own, which are copied. */
export function mapOutBytes(
  parameter: Parameter,
  all: readonly Parameter[],
  resolve: Resolve,
): MappedParameter | string {
  const { role } = parameter;
  const pointer = target(parameter.type);
  const byte = pointer?.kind === 'pointer' && pointer.const ? resolve(pointer.pointee) : null;
  if (role.kind !== 'out-bytes' || byte?.kind !== 'integer' || byte.signed || byte.bits !== 8) {
    return 'an output that is no pointer to const bytes';
  }
  const length = all.find((other) => other.name === role.lengthIn && other.role.kind === 'out-length');
  if (length === undefined) return `no output ${role.lengthIn} that counts its bytes`;
  const value = `unsafe { krun_node::copy_bytes(${rustName(parameter.name)}, ${rustName(length.name)}) }`;
  const local = { type: '*const u8', value: 'std::ptr::null()' };
  return written(parameter, local, { rust: 'Uint8Array', type: 'Uint8Array', value });
}

/** The count that belongs to {@link mapOutBytes}: its result has the length already. */
export function mapOutLength(
  parameter: Parameter,
  all: readonly Parameter[],
  resolve: Resolve,
): MappedParameter | string {
  const { role } = parameter;
  const pointee = target(parameter.type);
  const type = pointee === null ? null : scalarResult(resolve(pointee));
  if (role.kind !== 'out-length' || type?.cType !== 'usize') return 'an output count that is no size_t';
  if (!all.some((other) => other.name === role.of && other.role.kind === 'out-bytes')) {
    return `no output ${role.of} that it counts`;
  }
  return written(parameter, { type: 'usize', value: '0' }, null);
}
