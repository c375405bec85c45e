import { escapeSteering } from './comment-text.ts';
import { rustFloat } from './float-text.ts';
import type { ConstantItem, Docs, FunctionItem, HeaderIr, Item, Skipped } from './ir.ts';
import { isRustKeyword, jsFunctionName, jsParameterName, RESERVED_JS } from './napi-names.ts';
import type { MappedParameter } from './napi-parameter.ts';
import { findNamed, type Resolve } from './napi-resolve.ts';
import { type NodeResult, nodeResult } from './napi-results.ts';
import { mapParameter, RECORD_REASON } from './napi-types.ts';

/** A parameter as JavaScript sees it; those that only count a buffer, or take a result, are not among them. */
export interface NodeParameter {
  /** Name in C and, but for keywords, in the emitted Rust. */
  readonly cName: string;
  readonly jsName: string;
  /** TypeScript type without null and undefined. */
  readonly type: string;
  readonly nullable: boolean;
  /** Nullable, with only nullable parameters after it: may be left out. */
  readonly optional: boolean;
}

/** A function that the addon exports: the one description that the Rust and the TypeScript emitter share. */
export interface NodeFunction {
  readonly item: FunctionItem;
  readonly jsName: string;
  /** `raw` for calls that no application should make directly; null for the addon's top level. */
  readonly namespace: 'raw' | null;
  readonly parameters: readonly NodeParameter[];
  /** All parameters in C's order, with their conversion. */
  readonly mapped: readonly MappedParameter[];
  readonly result: NodeResult;
}

/** A constant that the addon exports under its C name. */
export interface NodeConstant {
  readonly name: string;
  /** Rust type and expression. */
  readonly rustType: string;
  readonly rustValue: string;
  /** TypeScript literal type. */
  readonly literal: string;
  /** JavaScript expression of the value. */
  readonly jsValue: string;
  readonly docs: Docs | null;
}

/** What the addon offers of the headers, and what it cannot. */
export interface NodeModel {
  readonly functions: readonly NodeFunction[];
  readonly constants: readonly NodeConstant[];
  readonly skipped: readonly Skipped[];
}

/** The two names that the addon defines itself: its own function, and the namespace of dangerous ones. */
export const OWN_NAMES = ['loadLibrary', 'raw'] as const;

/** Works out names, types and conversions for Node; pure and the same for every emitter. */
export function nodeModel(ir: HeaderIr): NodeModel {
  const functions: NodeFunction[] = [];
  const constants: NodeConstant[] = [];
  const skipped: Skipped[] = [];
  const taken = new Set<string>(OWN_NAMES);
  const resolve = findNamed(ir);
  const skip = (item: { name: string; place: Skipped['place'] }, reason: string): void => {
    skipped.push({ name: item.name, place: item.place, output: 'node', reason });
  };
  for (const item of ir.items) {
    const offered = item.kind === 'function' ? nodeFunction(item, resolve) : null;
    if (typeof offered === 'string') skip(item, offered);
    else if (offered !== null && taken.has(offered.jsName)) skip(item, `the name ${offered.jsName} is taken already`);
    else if (offered !== null) functions.push(offered);
    if (offered !== null && typeof offered !== 'string') taken.add(offered.jsName);
    if (item.kind === 'record' && item.layout !== null) skip(item, RECORD_REASON);
    for (const constant of constantsOf(item)) {
      const fault = constantFault(constant.name, taken);
      if (fault === null) constants.push(constant);
      else skip({ ...item, name: constant.name }, fault);
      taken.add(constant.name);
    }
  }
  return { functions, constants, skipped };
}

/** Why the addon cannot export a constant under its C name; null when it can. */
function constantFault(name: string, taken: ReadonlySet<string>): string | null {
  if (RESERVED_JS.has(name) || isRustKeyword(name)) return 'is a keyword';
  return taken.has(name) ? `the name ${name} is taken already` : null;
}

/** Where the addon exports a function. */
export function namespaceOf({ meaning }: Pick<FunctionItem, 'meaning'>): NodeFunction['namespace'] {
  return meaning === 'never' ? 'raw' : null;
}

function nodeFunction(item: FunctionItem, resolve: Resolve): NodeFunction | string {
  if (item.variadic) return 'takes a variable number of arguments';
  const jsName = jsFunctionName(item.name);
  if (RESERVED_JS.has(jsName)) return `${jsName} is a keyword`;
  const mapped: MappedParameter[] = [];
  for (const parameter of item.parameters) {
    const one = mapParameter(parameter, item.parameters, resolve);
    if (typeof one === 'string') return `parameter ${parameter.name}: ${one}`;
    mapped.push(one);
  }
  const result = nodeResult(item, mapped, resolve);
  if (typeof result === 'string') return result;
  const parameters = visibleParameters(mapped);
  const names = new Set(parameters.map((parameter) => parameter.jsName));
  if (names.size !== parameters.length) return 'two parameters have the same name in JavaScript';
  return { item, jsName, namespace: namespaceOf(item), parameters, mapped, result };
}

function visibleParameters(mapped: readonly MappedParameter[]): readonly NodeParameter[] {
  const visible = mapped.flatMap(({ parameter, from }) => (from === null ? [] : [{ parameter, from }]));
  const lastRequired = visible.findLastIndex(({ parameter }) => !parameter.nullable);
  return visible.map(({ parameter, from }, index) => ({
    cName: parameter.name,
    jsName: jsParameterName(parameter.name),
    type: from.type,
    nullable: parameter.nullable,
    optional: parameter.nullable && index > lastRequired,
  }));
}

function constantsOf(item: Item): readonly NodeConstant[] {
  if (item.kind === 'constant') return [nodeConstant(item.name, item.value, item.docs)];
  if (item.kind !== 'enum') return [];
  return item.values.map(({ name, value }) => nodeConstant(name, { kind: 'integer', value }, null));
}

export type ConstantValue =
  | { readonly kind: 'integer'; readonly value: string }
  | Exclude<ConstantItem['value'], { kind: 'integer' }>;

/** A constant as the addon exports it. */
export function nodeConstant(name: string, value: ConstantValue, docs: Docs | null): NodeConstant {
  if (value.kind === 'string') {
    const literal = escapeSteering(JSON.stringify(value.value));
    return { name, rustType: '&str', rustValue: rustString(value.value), literal, jsValue: literal, docs };
  }
  if (value.kind === 'float') {
    // JavaScript has no floats of 32 bits: the value as it is, not the short decimal that a float would round.
    const number = Number(value.value);
    const exact = Number.isFinite(number) ? String(value.bits === 32 ? Math.fround(number) : number) : value.value;
    const literal = Number.isFinite(number) ? exact : 'number';
    const jsValue = Number.isFinite(number) ? exact : (NOT_FINITE[value.value] ?? 'NaN');
    return { name, rustType: 'f64', rustValue: rustFloat(exact, 64), literal, jsValue, docs };
  }
  const number = BigInt(value.value);
  const fit = INTEGER_TYPES.find(({ low, high }) => number >= low && number <= high);
  // A header cannot hold a wider integer: C has none.
  if (fit === undefined) {
    const [rustValue, jsValue] = [rustString(value.value), JSON.stringify(value.value)];
    return { name, rustType: '&str', rustValue, literal: 'string', jsValue, docs };
  }
  const literal = `${number}${fit.suffix}`;
  return { name, rustType: fit.rust, rustValue: fit.write(number), literal, jsValue: literal, docs };
}

/** Floats that have no digits, as the headers' picture and as JavaScript writes them. */
export const NOT_FINITE: Readonly<Record<string, string>> = { inf: 'Infinity', '-inf': '-Infinity', nan: 'NaN' };

const bits = (count: number): bigint => 1n << BigInt(count);

/** In order of preference; the last two become a bigint, since a number would lose digits. */
const INTEGER_TYPES = [
  { rust: 'i32', low: -bits(31), high: bits(31) - 1n, suffix: '', write: String },
  { rust: 'u32', low: 0n, high: bits(32) - 1n, suffix: '', write: String },
  { rust: 'i64', low: -(bits(53) - 1n), high: bits(53) - 1n, suffix: '', write: String },
  { rust: 'u64', low: 0n, high: bits(64) - 1n, suffix: 'n', write: String },
  { rust: 'i64n', low: -bits(63), high: -1n, suffix: 'n', write: (value: bigint) => `i64n(${value})` },
] as const;

/** A Rust string literal; everything but plain printable ASCII is written as an escape. */
export function rustString(text: string): string {
  const body = text.replace(/[^ !#-[\]-~]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return `"${body}"`;
}
