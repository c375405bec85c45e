import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConstantItem, CType, HeaderIr, RecordItem } from '../../pipeline/bindings/ir.ts';

/** One thing that the IR says, and the C statement that prints what the compiler says. */
interface Fact {
  readonly what: string;
  readonly expected: string;
  readonly statement: string;
}

/** What the IR says, and the C compiler of this machine does not: empty when they agree. */
export function disagreements(ir: HeaderIr, header: string): readonly string[] {
  const facts = factsOf(ir, header);
  if (facts.length === 0) return [];
  const functions = facts.map(({ statement }, index) => `static void f${index}(void) { ${statement} }\n`);
  const calls = facts.map((_, index) => `  f${index}();\n`).join('');
  const printed = runC(`${header}\n${PRELUDE}${functions.join('')}int main(void) {\n${calls}  return 0;\n}\n`);
  return facts.flatMap(({ what, expected }, index) =>
    printed[index] === expected ? [] : [`${what}: ${expected}, but cc says ${printed[index]}`],
  );
}

const PRELUDE = `
#include <stddef.h>
#include <stdio.h>
#include <string.h>
static void bits(const unsigned char *bytes, size_t size) {
  long first = -1, count = 0;
  for (size_t i = 0; i < size * 8; i++)
    if (bytes[i / 8] >> (i % 8) & 1) { if (first < 0) first = (long)i; count++; }
  printf("%ld %ld\\n", first, count);
}
static void image(double value) { unsigned long long bits; memcpy(&bits, &value, 8); printf("%llx\\n", bits); }
#define TYPE(x) _Generic((x), _Bool: "bool", char: "char", signed char: "i8", unsigned char: "u8", short: "i16", \\
  unsigned short: "u16", int: "i32", unsigned: "u32", long: "i64", unsigned long: "u64", long long: "i64", \\
  unsigned long long: "u64", float: "f32", double: "f64", default: "?")
`;

function runC(source: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'a3s-facts-'));
  try {
    writeFileSync(join(folder, 'facts.c'), source);
    execFileSync('cc', [
      '-std=gnu17',
      '-w',
      '-Wno-packed-bitfield-compat',
      '-O0',
      '-o',
      join(folder, 'facts'),
      join(folder, 'facts.c'),
    ]);
    return execFileSync(join(folder, 'facts'), { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function factsOf({ items }: HeaderIr, header: string): readonly Fact[] {
  const records = new Map(items.flatMap((item) => (item.kind === 'record' ? [[item.name, item] as const] : [])));
  const nested = new Set(
    [...records.values()].flatMap((record) => record.fields.flatMap((field) => inner(record, field))),
  );
  return items.flatMap((item): readonly Fact[] => {
    if (item.kind === 'constant') return constantFacts(item);
    if (item.kind === 'enum') return item.values.map((one) => number(one.name, signed(one.value), one.name));
    if (item.kind !== 'record' || item.layout === null || nested.has(item.name)) return [];
    const tagged = header.includes(` ${item.name} {`);
    // What has neither a tag nor a typedef is reached through the record around it, if at all.
    if (!tagged && !header.includes(`} ${item.name};`)) return [];
    return recordFacts(item, tagged ? `${item.union ? 'union' : 'struct'} ${item.name}` : item.name, records);
  });
}

/** Name of the record without a name of its own that a member holds. */
function inner(record: RecordItem, { name, type }: RecordItem['fields'][number]): readonly string[] {
  const named = elementOf(type);
  return named === `${record.name}_${name}` ? [named] : [];
}

function elementOf(type: CType): string | null {
  if (type.kind === 'array') return elementOf(type.element);
  if (type.kind === 'pointer') return elementOf(type.pointee);
  return type.kind === 'named' ? type.name : null;
}

function recordFacts(record: RecordItem, c: string, records: ReadonlyMap<string, RecordItem>): readonly Fact[] {
  return [
    number(`size of ${c}`, String(record.layout?.size), `sizeof(${c})`),
    number(`alignment of ${c}`, String(record.layout?.align), `_Alignof(${c})`),
    ...memberFacts(record, c, 0, records),
  ];
}

function memberFacts(
  record: RecordItem,
  c: string,
  base: number,
  records: ReadonlyMap<string, RecordItem>,
): readonly Fact[] {
  return record.fields.flatMap((field): readonly Fact[] => {
    const what = `${field.name} of ${c}`;
    const child = records.get(elementOf(field.type) ?? '');
    if (child?.name === `${record.name}_${field.name}`) {
      if (field.name.startsWith('anonymous_')) return memberFacts(child, c, base + field.offset, records);
      const depth = '[0]'.repeat(dimensions(field.type));
      return recordFacts(child, `__typeof__(((${c} *)0)->${field.name}${depth})`, records);
    }
    if (field.bits === undefined) return [number(what, String(base + field.offset), `offsetof(${c}, ${field.name})`)];
    const { start, width } = field.bits;
    const statement = `${c} v; memset(&v, 0, sizeof v); v.${field.name} = -1; bits((unsigned char *)&v, sizeof v);`;
    return [{ what, expected: `${base * 8 + start} ${width}`, statement }];
  });
}

/** As `%lld` prints it. */
function signed(value: string): string {
  return String(BigInt.asIntN(64, BigInt(value)));
}

function dimensions(type: CType): number {
  if (type.kind === 'array') return 1 + dimensions(type.element);
  return type.kind === 'pointer' ? 1 + dimensions(type.pointee) : 0;
}

function number(what: string, expected: string, c: string): Fact {
  return { what, expected, statement: `printf("%lld\\n", (long long)(${c}));` };
}

function constantFacts({ name, value }: ConstantItem): readonly Fact[] {
  if (value.kind === 'string') return [];
  const type = (expected: string): Fact => ({
    what: `type of ${name}`,
    expected,
    statement: `printf("%s\\n", TYPE(${name}));`,
  });
  if (value.kind === 'float') {
    const text = value.value.replace('inf', 'Infinity');
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value.bits === 32 ? Math.fround(Number(text)) : Number(text));
    const expected = view.getBigUint64(0).toString(16);
    return [type(`f${value.bits}`), { what: name, expected, statement: `image(${name});` }];
  }
  const { type: integer } = value;
  const kind = integer.kind === 'integer' ? `${integer.signed ? 'i' : 'u'}${integer.bits}` : integer.kind;
  return [type(kind), number(name, signed(value.value), name)];
}
