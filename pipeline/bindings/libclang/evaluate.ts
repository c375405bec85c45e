import { type Clang, type CXCursor, type CXTranslationUnit, childrenOf, cursorKind, type ParseText } from './clang.ts';
import type { RawValue } from './raw.ts';
import { arrayLength, findStringLiteral, integerBehind, scalarOf } from './types.ts';

const PREFIX = 'a3s_build_probe_';
const NOT_CONSTANT: RawValue & { kind: 'none' } = { kind: 'none', reason: 'not a constant expression' };

/** How many failed expressions are looked at one by one, each at the price of one more parse. */
const RETRY_LIMIT = 32;

/** What one unit says of expressions and declarations. */
export interface Evaluated {
  /** In the order of the expressions. */
  readonly values: readonly RawValue[];
  /** The declarations beside them, as libclang prints them, where that was asked for. */
  readonly declared: readonly string[];
}

/**
 * Evaluates expressions by C's own rules, in the scope that `prelude` opens. The embedded libclang has no call for
 * that, so each expression becomes the initialiser of a variable, whose type says what it is, and the two lengths of an
 * array of pointers to arrays, whose type spells its value: 32 bits each, since an array cannot have 2^64 elements. A
 * floating value has no place in such a length, but the bits that make it up do, which takes one more parse. What fails
 * is tried again alone: a macro that opens a brace swallows the expressions after it.
 * @param print whether to print the declarations
 */
export async function evaluateAll(
  clang: Clang,
  parse: ParseText,
  prelude: string,
  expressions: readonly string[],
  print: boolean,
): Promise<Evaluated> {
  const probes = expressions.map(probe).join('');
  const first = await parse(prelude + probes, (unit) => {
    const { found, others } = readVariables(clang, unit);
    const declared = print ? others.map((cursor) => clang.api.printed(cursor)) : [];
    return { values: expressions.map((_, index) => readValue(clang, found, index)), declared };
  });
  const failed = first.values.filter(({ kind }) => kind === 'none').length;
  const retried = failed <= RETRY_LIMIT && expressions.length > 1;
  const values = await Promise.all(
    first.values.map((value, index) =>
      value.kind === 'none' && retried ? evaluateAlone(clang, parse, prelude, expressions[index] ?? '') : value,
    ),
  );
  return { ...first, values: await withImages(clang, parse, prelude, expressions, values) };
}

async function evaluateAlone(clang: Clang, parse: ParseText, prelude: string, expression: string): Promise<RawValue> {
  return parse(prelude + probe(expression, 0), (unit, diagnostics) => {
    const value = readValue(clang, readVariables(clang, unit).found, 0);
    const error = value === NOT_CONSTANT ? diagnostics()[0] : undefined;
    return error === undefined ? value : { kind: 'none', reason: `${NOT_CONSTANT.reason} (${error.text})` };
  });
}

/** The values with the bits of those that have a fraction. */
async function withImages(
  clang: Clang,
  parse: ParseText,
  prelude: string,
  expressions: readonly string[],
  values: readonly RawValue[],
): Promise<readonly RawValue[]> {
  const probes = values.map(({ kind }, index) =>
    kind === 'float' ? bitsProbe(imageOf(expressions[index] ?? ''), index) : '',
  );
  if (probes.every((text) => text === '')) return values;
  return parse(prelude + probes.join(''), (unit) => {
    const { found } = readVariables(clang, unit);
    return values.map((value, index) => {
      if (value.kind !== 'float') return value;
      const image = bitsOf(clang, found.get(`${PREFIX}value_${index}`));
      return image === null ? NOT_CONSTANT : { ...value, image: String(image) };
    });
  });
}

function imageOf(expression: string): string {
  return `__builtin_bit_cast(unsigned long long, (double)(${expression}))`;
}

/**
 * A declaration that the compiler refuses where the expression has another type or value than it had; null where that
 * cannot be asked. No `_Static_assert`, in which a floating value may not stand.
 */
export function assertionOf(expression: string, value: RawValue | undefined, index: number): string | null {
  if (value === undefined || value.kind === 'none') return null;
  const type = value.kind === 'string' ? 'char *' : value.type === 'bool' ? '_Bool' : value.type;
  const holds = `_Generic((${expression}), ${type}: ${comparisonOf(expression, value)}, default: 0)`;
  return `extern char ${PREFIX}holds_${index}[${holds} ? 1 : -1];\n`;
}

function comparisonOf(expression: string, value: Exclude<RawValue, { kind: 'none' }>): string {
  if (value.kind === 'string') return `__builtin_strcmp(${expression}, ${literalOf(value.text)}) == 0`;
  if (value.kind === 'float') return `${imageOf(expression)} == ${value.image}ULL`;
  return `(unsigned long long)(${expression}) == ${BigInt.asUintN(64, BigInt(value.value))}ULL`;
}

/** A literal in which no character means anything but itself. */
function literalOf(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  return `"${bytes.join('')}"`;
}

/** The declarations of a unit, as libclang prints them. */
export function readDeclared(clang: Clang, unit: CXTranslationUnit): readonly string[] {
  return readVariables(clang, unit).others.map((cursor) => clang.api.printed(cursor));
}

/** The variables of probes by name, and the other declarations. */
function readVariables(clang: Clang, unit: CXTranslationUnit) {
  const { api } = clang;
  const found = new Map<string, CXCursor>();
  const others: CXCursor[] = [];
  for (const cursor of childrenOf(clang, api.getTranslationUnitCursor(unit))) {
    const name = cursorKind(clang, cursor) === 'VarDecl' ? (api.getCursorSpelling(cursor) ?? '') : '';
    if (!name.startsWith(PREFIX)) others.push(cursor);
    else if (api.isInvalidDeclaration(cursor) === 0) found.set(name, cursor);
  }
  return { found, others };
}

function probe(expression: string, index: number): string {
  const type = `static __auto_type ${PREFIX}type_${index} = ${expression};\n`;
  return type + bitsProbe(`(unsigned long long)(${expression})`, index);
}

function bitsProbe(bits: string, index: number): string {
  return `static char (*${PREFIX}value_${index}[(${bits} >> 32) + 1])[(${bits} & 0xffffffffULL) + 1];\n`;
}

function readValue(clang: Clang, variables: ReadonlyMap<string, CXCursor>, index: number): RawValue {
  const variable = variables.get(`${PREFIX}type_${index}`);
  if (variable === undefined) return NOT_CONSTANT;
  const { api } = clang;
  const type = integerBehind(clang, api.getCanonicalType(api.getCursorType(variable)));
  const scalar = scalarOf(clang, type);
  if (scalar === null) return stringValue(clang, variable, api.getTypeSpelling(type) ?? '');
  if (scalar === 'void') return { kind: 'none', reason: `a value of type ${scalar} is not supported` };
  if (scalar === 'float' || scalar === 'double') return { kind: 'float', type: scalar, image: '' };
  const bits = bitsOf(clang, variables.get(`${PREFIX}value_${index}`));
  if (bits === null) return NOT_CONSTANT;
  const signed = !scalar.startsWith('unsigned') && scalar !== 'bool';
  return { kind: 'integer', type: scalar, value: String(signed ? BigInt.asIntN(64, bits) : bits) };
}

/** The value that a type such as `char (*[1])[17]` spells: high and low half, each one more than it is. */
function bitsOf({ api }: Clang, variable: CXCursor | undefined): bigint | null {
  const spelling = variable === undefined ? null : api.getTypeSpelling(api.getCursorType(variable));
  const [, high, low] = /^char \(\*\[(\d+)\]\)\[(\d+)\]$/.exec(spelling ?? '') ?? [];
  return high === undefined || low === undefined ? null : ((BigInt(high) - 1n) << 32n) | (BigInt(low) - 1n);
}

function stringValue(clang: Clang, variable: CXCursor, spelling: string): RawValue {
  const literal = /^(const )?char \*$/.test(spelling) ? findStringLiteral(clang, variable) : null;
  if (literal === null) return { kind: 'none', reason: `a value of type ${spelling} is not supported` };
  const bytes = literalBytes(clang.api.getCursorSpelling(literal) ?? '');
  const size = arrayLength(clang, clang.api.getCursorType(literal));
  if (bytes === null || size !== String(bytes.length + 1)) {
    return { kind: 'none', reason: 'string literal of an unusual form' };
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes) || bytes.includes(0)) {
    return { kind: 'none', reason: 'string that is not UTF-8, or holds a NUL' };
  }
  return { kind: 'string', text };
}

const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  '"': 34,
  "'": 39,
  '\\': 92,
};

/** The bytes of a literal as the parser prints it: quoted, with C escapes, octal for what has no escape. */
function literalBytes(spelling: string): Buffer | null {
  if (!/^"[\s\S]*"$/.test(spelling)) return null;
  const source = Buffer.from(spelling.slice(1, -1));
  const bytes: number[] = [];
  for (let index = 0; index < source.length; index += 1) {
    const byte = source[index] ?? 0;
    if (byte !== 0x5c) {
      bytes.push(byte);
      continue;
    }
    const octal = /^[0-7]{1,3}/.exec(source.subarray(index + 1, index + 4).toString('latin1'))?.[0];
    const simple = ESCAPES[String.fromCharCode(source[index + 1] ?? 0)];
    if (octal === undefined && simple === undefined) return null;
    bytes.push(octal === undefined ? (simple ?? 0) : Number.parseInt(octal, 8) & 0xff);
    index += octal?.length ?? 1;
  }
  return Buffer.from(bytes);
}
