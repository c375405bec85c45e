import { type Clang, type CXCursor, type CXTranslationUnit, childrenOf, type ParseText } from './clang.ts';
import type { RawValue } from './raw.ts';
import { arrayLength, findStringLiteral, integerBehind, scalarOf } from './types.ts';

const PREFIX = 'a3s_build_probe_';
const NOT_CONSTANT: RawValue & { kind: 'none' } = { kind: 'none', reason: 'not a constant expression' };

/** How many failed expressions are looked at one by one, each at the price of one more parse. */
const RETRY_LIMIT = 32;

/**
 * Evaluates expressions by C's own rules, in the scope that `prelude` opens. The embedded libclang has no call for
 * that, so each expression becomes the initialiser of a variable, whose type says what it is, and the two lengths of an
 * array of pointers to arrays, whose type spells its value: 32 bits each, since an array cannot have 2^64 elements. What fails is tried
 * again alone: a macro that opens a brace swallows the expressions after it.
 */
export async function evaluateAll(
  clang: Clang,
  parse: ParseText,
  prelude: string,
  expressions: readonly string[],
): Promise<readonly RawValue[]> {
  const probes = expressions.map(probe).join('');
  const values = await parse(prelude + probes, (unit) => readValues(clang, unit, expressions.length));
  const failed = values.filter(({ kind }) => kind === 'none').length;
  if (failed === 0 || failed > RETRY_LIMIT || expressions.length === 1) return values;
  return Promise.all(
    values.map((value, index) =>
      value.kind === 'none' ? evaluateAlone(clang, parse, prelude, expressions[index] ?? '') : value,
    ),
  );
}

async function evaluateAlone(clang: Clang, parse: ParseText, prelude: string, expression: string): Promise<RawValue> {
  return parse(prelude + probe(expression, 0), (unit, diagnostics) => {
    const [value = NOT_CONSTANT] = readValues(clang, unit, 1);
    const error = value === NOT_CONSTANT ? diagnostics()[0] : undefined;
    return error === undefined ? value : { kind: 'none', reason: `${NOT_CONSTANT.reason} (${error.text})` };
  });
}

function readValues(clang: Clang, unit: CXTranslationUnit, count: number): readonly RawValue[] {
  const { api } = clang;
  const variables = new Map<string, CXCursor>();
  for (const cursor of childrenOf(clang, api.getTranslationUnitCursor(unit))) {
    const name = api.getCursorSpelling(cursor) ?? '';
    if (name.startsWith(PREFIX) && api.isInvalidDeclaration(cursor) === 0) variables.set(name, cursor);
  }
  return Array.from({ length: count }, (_, index) => readValue(clang, variables, index));
}

function probe(expression: string, index: number): string {
  const variable = `${PREFIX}type_${index}`;
  const value = `(${expression})`;
  // A floating value has no place in an array's length, but the bits that make it up do.
  const image = `__builtin_bit_cast(unsigned long long, (double)_Generic(${variable}, float: ${value}, double: ${value}, default: 0))`;
  const wide = `(_Generic(${variable}, float: 1, double: 1, default: 0) ? ${image} : (unsigned long long)${value})`;
  return (
    `static __auto_type ${variable} = ${expression};\n` +
    `static char (*${PREFIX}value_${index}[(${wide} >> 32) + 1])[(${wide} & 0xffffffffULL) + 1];\n`
  );
}

function readValue(clang: Clang, variables: ReadonlyMap<string, CXCursor>, index: number): RawValue {
  const variable = variables.get(`${PREFIX}type_${index}`);
  if (variable === undefined) return NOT_CONSTANT;
  const { api } = clang;
  const type = integerBehind(clang, api.getCanonicalType(api.getCursorType(variable)));
  const scalar = scalarOf(clang, type);
  if (scalar === null) return stringValue(clang, variable, api.getTypeSpelling(type) ?? '');
  if (scalar === 'void') return { kind: 'none', reason: `a value of type ${scalar} is not supported` };
  const bits = bitsOf(clang, variables.get(`${PREFIX}value_${index}`));
  if (bits === null) return NOT_CONSTANT;
  if (scalar === 'float' || scalar === 'double') return { kind: 'float', type: scalar, image: String(bits) };
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
