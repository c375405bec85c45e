import { buildError } from '../../plan/errors.ts';
import type { Target } from '../../plan/targets.ts';
import type { RawItem, RawUnit, RawWidths } from './raw.ts';
import { type UnitRequest, unitRequest } from './request.ts';

/**
 * A small header of which everything is known beforehand. A parser that has lost its include folder, its target or a
 * part of its interface still returns plausible declarations (unknown types become `int`), so it is trusted only
 * after it has read this one rightly.
 */
const CANARY = `#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>
#define CANARY_NEGATIVE -1
#define CANARY_SHIFT 1 << 4
#define CANARY_LARGE 0xffffffffffffffffULL
#define CANARY_HALF 0.5f
#define CANARY_TEXT "a\\"b"
struct canary { uint8_t first; uint64_t second; };
/* words */
int32_t canary_call(uint8_t a, int64_t b, size_t c, bool d, uid_t e, const char *const f[], struct canary *g);
int canary_old();
`;

export function canaryRequest(target: Target): UnitRequest {
  return unitRequest(target, [{ name: 'canary.h', content: CANARY }]);
}

/**
 * @param fix what to do about a parser that fails; the error table's own advice when left out.
 * @throws BuildError A3S3004 naming the first thing that the parser got wrong.
 */
export function checkCanary(unit: RawUnit, fix?: string): void {
  const items = new Map(unit.items.map((item) => [item.name, item]));
  const failed = CHECKS.find(({ holds }) => !holds(items, unit));
  if (failed === undefined) return;
  const message = `the header parser reads a known header wrongly: ${failed.what}`;
  throw buildError('A3S3004', { message, ...(fix === undefined ? {} : { fix }) });
}

/**
 * Checks what every unit tells of its target. A width that could not be read at all is left to whoever needs it.
 * @throws BuildError A3S3004 naming the target.
 */
export function checkWidths({ widths, target }: RawUnit, fix?: string): void {
  const wrong = Object.entries(WIDTHS).find(([type, width]) => ![0, width].includes(widths[type as keyof RawWidths]));
  if (wrong === undefined) return;
  throw buildError('A3S3004', {
    message: `the header parser takes ${wrong[0]} for another type than ${target} has`,
    cause: 'The parser does not know the target, or a header redefines the words of C.',
    ...(fix === undefined ? {} : { fix }),
  });
}

/** Of all targets. */
const WIDTHS: RawWidths = { short: 2, int: 4, long: 8, 'long long': 8, pointer: 8 };

type Items = ReadonlyMap<string, RawItem>;

const CHECKS: readonly { readonly what: string; readonly holds: (items: Items, unit: RawUnit) => boolean }[] = [
  { what: 'it reports errors', holds: (_items, unit) => unit.diagnostics.length === 0 },
  { what: 'widths of types', holds: (_items, { widths }) => same(widths, WIDTHS) },
  { what: 'a negative constant', holds: (items) => hasValue(items, 'CANARY_NEGATIVE', 'integer int -1') },
  { what: 'a shift', holds: (items) => hasValue(items, 'CANARY_SHIFT', 'integer int 16') },
  {
    what: 'a 64-bit constant',
    holds: (items) => hasValue(items, 'CANARY_LARGE', 'integer unsigned long long 18446744073709551615'),
  },
  { what: 'a fraction', holds: (items) => hasValue(items, 'CANARY_HALF', 'float float 4602678819172646912') },
  { what: 'a string', holds: (items) => hasValue(items, 'CANARY_TEXT', 'string a"b') },
  { what: 'the layout of a record', holds: hasLayout },
  { what: 'the types of parameters', holds: hasParameters },
  { what: 'a plain comment', holds: (items) => items.get('canary_call')?.comment?.includes('words') === true },
  {
    what: 'a declaration without a prototype',
    holds: (items) => {
      const item = items.get('canary_old');
      return item?.kind === 'function' && !item.prototyped;
    },
  },
];

function hasValue(items: Items, name: string, expected: string): boolean {
  const item = items.get(name);
  if (item?.kind !== 'macro') return false;
  const { value } = item;
  if (value.kind === 'string') return `string ${value.text}` === expected;
  if (value.kind === 'float') return `float ${value.type} ${value.image}` === expected;
  return value.kind === 'integer' && `integer ${value.type} ${value.value}` === expected;
}

function hasLayout(items: Items): boolean {
  const item = items.get('canary');
  if (item?.kind !== 'record') return false;
  return item.size === '16' && item.align === '8' && item.fields.map(({ offset }) => offset).join() === '0,8';
}

function hasParameters(items: Items): boolean {
  const item = items.get('canary_call');
  if (item?.kind !== 'function') return false;
  const found = item.parameters.map(({ type }) => (type.kind === 'standard' ? type.name : describe(type)));
  const expected = [
    'uint8_t',
    'int64_t',
    'size_t',
    'bool',
    'uid_t',
    'array of const pointer to const char',
    'pointer to canary',
  ];
  return same(found, expected);
}

function describe(type: (RawItem & { kind: 'function' })['returns']): string {
  const prefix = 'const' in type && type.const ? 'const ' : '';
  if (type.kind === 'pointer') return `${prefix}pointer to ${describe(type.pointee)}`;
  if (type.kind === 'array') return `array of ${describe(type.element)}`;
  if (type.kind === 'scalar') return `${prefix}${type.scalar}`;
  return type.kind === 'named' ? type.name : type.kind;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
