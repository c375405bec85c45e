import { describe, expect, it } from 'vitest';
import { emitSys } from '../../pipeline/bindings/emit-sys.ts';
import type { Docs, HeaderIr, Item } from '../../pipeline/bindings/ir.ts';

const place = { file: 'test.h', line: 1 };
const DOCS: Docs = { summary: '', details: '', parameters: {}, returns: '', deprecated: null };

function emit(item: Item, docs = true): string {
  const ir: HeaderIr = { target: 'linux-x64', headers: ['test.h'], items: [item], skipped: [] };
  return emitSys(ir, { docs }).content;
}

function documented(words: string): Item {
  const returns = { kind: 'void' } as const;
  const docs = { ...DOCS, summary: words, details: words, returns: words, deprecated: words, parameters: { a: words } };
  return {
    kind: 'function',
    name: 'call',
    place,
    parameters: [],
    returns,
    meaning: 'plain',
    variadic: false,
    prototyped: true,
    docs,
  };
}

describe('the raw Rust bindings', () => {
  it.each([
    '*/ fn evil() {}',
    'a\nfn evil() {}',
    'a\r\nfn evil() {}',
    'a\u2028b',
    '"#] fn evil',
    '\u202eevil',
    '```\nfn evil() {}\n```',
  ])('keep hostile words inside the comment: %j', (words) => {
    const lines = emit(documented(words)).split('\n');
    const outside = lines.filter((line) => !/^\s*\/\//.test(line)).join('\n');
    const declared = outside.slice(0, outside.indexOf('#[derive(Clone, Copy)]\npub struct Functions {'));
    expect(declared.trim()).toBe('unsafe extern "C" {\n    pub fn call();\n}');
    expect(outside.slice(declared.length)).not.toContain('evil');
    expect(lines.join('\n')).not.toMatch(/[\p{Cf}\r]|^\s*\/\/\/\s*```/mu);
  });

  it('carry no words of the header when asked for none', () => {
    expect(emit(documented('prose'), false)).not.toContain('prose');
  });

  it.each([
    ['plain', 'c"plain"'],
    ['a"b\\c', 'c"a\\"b\\\\c"'],
    ['line\nend\u0001é', 'c"line\\u{a}end\\u{1}\\u{e9}"'],
  ])('write the string %j as %s', (value, literal) => {
    const item: Item = { kind: 'constant', name: 'TEXT', place, value: { kind: 'string', value }, docs: null };
    expect(emit(item)).toContain(`pub const TEXT: &core::ffi::CStr = ${literal};\n`);
  });

  it('escape names that are words of Rust', () => {
    const type = { kind: 'integer', signed: true, bits: 32, spelling: 'int' } as const;
    const field = (name: string, offset: number) => ({ name, type, offset });
    const item: Item = {
      kind: 'record',
      name: 'match',
      place,
      union: false,
      layout: { size: 8, align: 4 },
      fields: [field('type', 0), field('self', 4)],
      docs: null,
    };
    expect(emit(item)).toContain('pub struct r#match {\n    pub r#type: c_int,\n    pub self_: c_int,\n}');
  });
});

describe('a number with a fraction', () => {
  it.each([
    ['0.1', 64, 'f64 = 0.1'],
    ['3', 32, 'f32 = 3.0'],
    ['1e+300', 64, 'f64 = 1e+300'],
    ['-0', 64, 'f64 = -0.0'],
    ['-inf', 32, 'f32 = f32::NEG_INFINITY'],
    ['nan', 64, 'f64 = f64::NAN'],
  ] as const)('is written so that Rust reads the same value: %s', (value, bits, text) => {
    const item: Item = { kind: 'constant', name: 'PART', place, value: { kind: 'float', value, bits }, docs: null };
    expect(emit(item)).toContain(`pub const PART: ${text};\n`);
  });
});
