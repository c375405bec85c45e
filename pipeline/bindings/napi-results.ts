import type { CType, FunctionItem } from './ir.ts';
import { resultTypeName } from './napi-names.ts';
import type { MappedParameter, OutValue } from './napi-parameter.ts';
import type { Resolve } from './napi-resolve.ts';
import { describeType, rustInteger, scalarResult } from './napi-rust.ts';

/** One value that a call gives JavaScript; `cName` is null for what C itself returns. */
export type ResultValue = Omit<OutValue, 'cName'> & { readonly cName: string | null };

/** What a function returns to JavaScript. */
export interface NodeResult {
  /** Method of the runtime's `Call` that reads C's own result, or null where it has no error meaning. */
  readonly method: 'status' | 'value' | 'boolean' | 'never' | null;
  /** Whether C returns nothing at all. */
  readonly isVoid: boolean;
  /** C's own result, where it is one, and what C wrote through pointers. */
  readonly values: readonly ResultValue[];
  /** Type inside the emitted function's `Result`, and TypeScript type. */
  readonly rust: string;
  readonly type: string;
}

/** Name of C's own result among several values. */
const OWN = { cName: null, jsName: 'result' } as const;

/** The result's conversion, or the reason why Node cannot offer the function. */
export function nodeResult(
  item: FunctionItem,
  mapped: readonly MappedParameter[],
  resolve: Resolve,
): NodeResult | string {
  const own = ownResult(item, resolve(item.returns));
  if (typeof own === 'string') return own;
  const outs = mapped.flatMap(({ out }) => (out === null ? [] : [out]));
  const values = [...own.values, ...outs];
  if (outs.length > 0 && item.meaning === 'never') return 'gives values through pointers but never returns';
  if (new Set(values.map(({ jsName }) => jsName)).size !== values.length) return 'two results have the same name';
  if (item.meaning === 'never') return { ...own, rust: '()', type: 'never' };
  const [first] = values;
  if (first === undefined) return { ...own, rust: '()', type: 'void' };
  if (values.length === 1) return { ...own, values, rust: first.rust, type: first.type };
  const name = resultTypeName(item.name);
  return { ...own, values, rust: name, type: name };
}

type OwnResult = Pick<NodeResult, 'method' | 'isVoid' | 'values'>;

function ownResult({ meaning }: FunctionItem, type: CType): OwnResult | string {
  if (meaning === 'plain') return plainResult(type);
  if (type.kind !== 'integer' || !type.signed || type.bits > 32) {
    return `returns ${describeType(type)}, where 0, a value or a negative errno is expected`;
  }
  const own = { method: meaning, isVoid: false } as const;
  if (meaning === 'value') {
    return { ...own, values: [{ ...OWN, rust: rustInteger(type), type: 'number', value: 'call.value(result)?' }] };
  }
  if (meaning === 'boolean') {
    return { ...own, values: [{ ...OWN, rust: 'bool', type: 'boolean', value: 'call.boolean(result)?' }] };
  }
  return { ...own, values: [] };
}

function plainResult(type: CType): OwnResult | string {
  if (type.kind === 'void') return { method: null, isVoid: true, values: [] };
  const result = scalarResult(type);
  if (result === null) return `returns ${describeType(type)}`;
  const { rust, type: tsType, convert } = result;
  return { method: null, isVoid: false, values: [{ ...OWN, rust, type: tsType, value: convert('result') }] };
}
