import type { CType, Parameter } from './ir.ts';
import { mapBuffer, mapBufferLength, mapFixedBytes } from './napi-buffers.ts';
import { rustName } from './napi-names.ts';
import { mapOut, mapOutBytes, mapOutLength } from './napi-outs.ts';
import { type MappedParameter, type RoleMap, readParameter } from './napi-parameter.ts';
import type { Resolve } from './napi-resolve.ts';
import { describeType, rustInteger } from './napi-rust.ts';

/** The parameter's conversion, or the reason why Node cannot offer it. */
export const mapParameter: RoleMap = (parameter, all, resolve) => ROLES[parameter.role.kind](parameter, all, resolve);

export const RECORD_REASON = 'a record of C, which may hold callbacks that libkrun makes on threads of its own';

const ROLES: Readonly<Record<Parameter['role']['kind'], RoleMap>> = {
  value: mapValue,
  string: (parameter) => text(parameter, 'string', 'string'),
  'string-array': (parameter) => text(parameter, 'Array<string>', 'strings'),
  'fixed-bytes': mapFixedBytes,
  buffer: mapBuffer,
  'buffer-length': mapBufferLength,
  record: () => RECORD_REASON,
  'record-length': () => RECORD_REASON,
  out: mapOut,
  'out-bytes': mapOutBytes,
  'out-length': mapOutLength,
  retained: () => 'memory that C goes on using after the call, when JavaScript may have moved or freed it',
};

function mapValue(parameter: Parameter, _all: readonly Parameter[], resolve: Resolve): MappedParameter | string {
  const type = resolve(parameter.type);
  const plain = (method: string, tsType: string): MappedParameter =>
    readParameter(parameter, rustName(parameter.name), tsType, method);
  if (parameter.nullable) return 'is documented as nullable but is no pointer';
  if (type.kind === 'bool') return plain('bool', 'boolean');
  if (type.kind === 'integer') return plain(rustInteger(type), type.bits === 64 ? 'number | bigint' : 'number');
  if (type.kind === 'float') return plain(`f${type.bits}`, 'number');
  return type.kind === 'pointer' ? 'a pointer whose use is not known' : `the C type ${describeType(type)} as a value`;
}

function text(parameter: Parameter, type: string, method: string): MappedParameter | string {
  if (parameter.type.kind !== 'pointer' && parameter.type.kind !== 'array') return 'is no pointer';
  const pointer = `${rustName(parameter.name)}.as_ptr()`;
  // C declares some inputs without const; libkrun only reads them, and the copy is ours in any case.
  const pass = isConst(parameter.type) ? pointer : `${pointer}.cast_mut()`;
  return readParameter(parameter, pass, type, parameter.nullable ? `nullable_${method}` : method);
}

function isConst(type: CType): boolean {
  return type.kind === 'array' || (type.kind === 'pointer' && type.const);
}
