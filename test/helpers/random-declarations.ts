/** Random C declarations that both compilers must lay out alike; the same seed gives the same text. */
export function randomHeader(seed: number, count: number): string {
  const random = generator(seed);
  // Where a header has them at all, the parser does not tell which records they reach.
  const state: State = { random, records: [], used: 0, pragmas: seed % 3 === 0 };
  const parts = Array.from({ length: count }, (_, index) => declaration(state, index));
  return `#include <stdint.h>\n${parts.join('')}void fuzz_use(void);\n`;
}

interface Random {
  /** A whole number from 0 to less than `limit`. */
  readonly below: (limit: number) => number;
  readonly pick: <T>(values: readonly T[]) => T;
  readonly chance: (percent: number) => boolean;
}

interface State {
  readonly random: Random;
  /** Records so far, as C names them. */
  readonly records: string[];
  used: number;
  readonly pragmas: boolean;
}

/** The generator mulberry32: 32 bits of state, the same sequence everywhere. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  const pick = <T>(values: readonly T[]): T => {
    const value = values[below(values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  };
  return { below, pick, chance: (percent) => below(100) < percent };
}

function declaration(state: State, index: number): string {
  const kind = state.random.below(10);
  if (kind < 6) return record(state, index);
  return kind < 7 ? enumeration(state.random, index) : macro(state.random, index);
}

function record(state: State, index: number): string {
  const { random, records } = state;
  const keyword = random.chance(20) ? 'union' : 'struct';
  const attribute = random.pick(['', '', '', '', 'packed', 'aligned(16)', 'aligned(2)', 'packed, aligned(4)']);
  const written = attribute === '' ? '' : ` __attribute__((${attribute}))`;
  const name = `fuzz_${index}`;
  const flexible = keyword === 'struct' && random.chance(8) ? `  char head;\n  ${random.pick(SCALARS)} tail[];\n` : '';
  const text = `${keyword}${written} ${name} {\n${members(state, 1 + random.below(7), 2)}${flexible}};\n`;
  // A record with a flexible array inside another one is an extension that the compilers understand differently.
  if (flexible === '') records.push(`${keyword} ${name}`);
  if (!state.pragmas || !random.chance(30)) return text;
  return `#pragma pack(push, ${random.pick([1, 2, 4, 8])})\n${text}#pragma pack(pop)\n`;
}

const SCALARS = [
  'char',
  'signed char',
  'uint8_t',
  'short',
  'uint16_t',
  'int',
  'unsigned',
  'long',
  'uint64_t',
  'long long',
  'float',
  'double',
  'void *',
  '_Bool',
] as const;

/** Declared types of bit-fields, with the most bits that they hold. */
const BIT_TYPES = [
  ['unsigned char', 8],
  ['signed char', 8],
  ['short', 16],
  ['uint16_t', 16],
  ['int', 32],
  ['unsigned', 32],
  ['long', 64],
  ['uint64_t', 64],
  ['_Bool', 1],
] as const;

function members(state: State, count: number, depth: number): string {
  return Array.from({ length: count }, () => member(state, depth)).join('');
}

function member(state: State, depth: number): string {
  const { random, records } = state;
  state.used += 1;
  const name = `m${state.used}`;
  const kind = random.below(20);
  if (kind < 5) return bitField(random, name);
  if (kind < 7 && depth > 0) return nested(state, name, depth);
  if (kind < 9 && records.length > 0) return `  ${random.pick(records.slice(-20))} ${name}${dimension(random)};\n`;
  if (kind === 9) return `  ${random.pick(['int', 'void'])} (*${name}${dimension(random)})(int, char);\n`;
  const aligned = random.chance(6) ? ` __attribute__((aligned(${random.pick([2, 8, 16])})))` : '';
  return `  ${random.pick(SCALARS)} ${name}${dimension(random)}${aligned};\n`;
}

function bitField(random: Random, name: string): string {
  const [type, most] = random.pick(BIT_TYPES);
  if (random.chance(8)) return `  ${type} : ${random.below(most + 1)};\n`;
  return `  ${type} ${name} : ${1 + random.below(most)};\n`;
}

/** A record inside a record: with a member's name, or anonymous. */
function nested(state: State, name: string, depth: number): string {
  const keyword = state.random.pick(['struct', 'union']);
  const body = members(state, 1 + state.random.below(3), depth - 1);
  const own = state.random.chance(50) ? ` ${name}${dimension(state.random)}` : '';
  return `  ${keyword} {\n${body}  }${own};\n`;
}

function dimension(random: Random): string {
  return random.chance(20) ? `[${1 + random.below(5)}]${random.chance(25) ? '[2]' : ''}` : '';
}

function enumeration(random: Random, index: number): string {
  const values = Array.from({ length: 1 + random.below(5) }, (_, one) => {
    const value = random.chance(60) ? ` = ${random.pick(['', '-'])}${random.below(1 << random.below(31))}` : '';
    return `FUZZ_${index}_${one}${value}`;
  });
  return `enum${random.chance(30) ? '' : ` fuzz_${index}`} { ${values.join(', ')} };\n`;
}

function macro(random: Random, index: number): string {
  return `#define FUZZ_${index} ${expression(random, 3)}\n`;
}

const LITERALS = ['0', '1', '7', '255', '65535', '2147483647', '2147483648', '0xffffffff', '4294967295u', '1L', '077'];
const WIDE_LITERALS = ['0xffffffffffffffffULL', '9223372036854775807LL', "'a'", '1.5', '0.1f', '1e10', '3.0f', '2ul'];
const CASTS = ['int8_t', 'uint8_t', 'int16_t', 'uint32_t', 'int64_t', 'unsigned long', 'float', 'double', 'long long'];
const OPERATORS = ['+', '-', '*', '<', '==', '&&'];

/** Signed overflow and casts of a float out of range have no value in C; both are kept out by small operands. */
function expression(random: Random, depth: number): string {
  if (depth === 0) return random.pick(['1', '3', '7u', '12L', '5ul', '2.5', '0.25f', "'a'"]);
  const kind = random.below(8);
  if (kind < 2) return random.pick([...LITERALS, ...WIDE_LITERALS]);
  if (kind === 2) return `-${random.pick(['1', '5', '2.5', '7L'])}`;
  if (kind === 3) return `((${random.pick(CASTS)})${random.pick(LITERALS)})`;
  if (kind === 4) return `(1${random.pick(['', 'u', 'L', 'ull'])} << ${random.below(31)})`;
  const small = () => expression(random, 0);
  if (kind === 5) return `(${small()} ${random.pick(OPERATORS)} ${small()})`;
  if (kind === 6) return `(${random.below(2)} ? ${small()} : ${small()})`;
  return `(${random.below(100)} ${random.pick(['|', '&', '^', '%', '<<'])} ${1 + random.below(20)})`;
}
