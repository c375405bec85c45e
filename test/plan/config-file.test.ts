import { describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../pipeline/plan/config-file.ts';

const parse = (bindings: string, field?: string) =>
  parseConfigFile(
    field === undefined ? `{\n"bindings": ${bindings}\n}` : `{"${field}": {\n"bindings": ${bindings}}}`,
    'c',
    field,
  );

describe('the overrides of a configuration', () => {
  it('are read with the place of each', () => {
    const text = `{ "overrides": [
  { "function": "a", "returns": "status", "reason": "read" },
  { "function": "b", "parameters": { "x": { "role": { "kind": "buffer", "lengthIn": "n" }, "nullable": true } }, "reason": "read" }
] }`;
    for (const field of [undefined, 'a3s-build']) {
      const { bindings, overridePlaces } = parse(text, field);
      expect(bindings?.overrides).toEqual(JSON.parse(text).overrides);
      expect(overridePlaces).toEqual([
        { file: 'c', line: 3, column: 3 },
        { file: 'c', line: 4, column: 3 },
      ]);
    }
  });

  it.each([
    ['without a reason', '{"overrides":[\n{"function":"a","returns":"status"}]}', 3, 'reason'],
    ['with an empty reason', '{"overrides":[{"function":"a",\n"reason":" "}]}', 3, 'what the implementation does'],
    ['with an unknown meaning', '{"overrides":[{"function":"a","reason":"x",\n"returns":"errno"}]}', 3, 'status'],
    [
      'with an unknown role',
      '{"overrides":[{"function":"a","reason":"x","parameters":{"p":{\n"role":{"kind":"x"}}}}]}',
      3,
      'kind',
    ],
    [
      'with a length that no array has',
      '{"overrides":[{"function":"a","reason":"x","parameters":{"p":{"role":{"kind":"fixed-bytes",\n"length":0}}}}]}',
      3,
      'length',
    ],
    ['with a name that is none', '{"overrides":[{\n"function":"a b","reason":"x"}]}', 3, 'name of C'],
    [
      'twice for one function',
      '{"overrides":[{"function":"a","reason":"x"},{\n"function":"a","reason":"y"}]}',
      3,
      'a has an entry already',
    ],
    ['with an unknown field', '{"overrides":[{"function":"a","reason":"x",\n"return":"status"}]}', 3, 'return'],
  ])('are refused %s, with the line', (_what, text, line, words) => {
    const failure = expect.objectContaining({ code: 'A3S1101', where: expect.objectContaining({ line }) });
    expect(() => parse(text)).toThrow(expect.objectContaining({ failure, message: expect.stringContaining(words) }));
  });
});

it.each(['""', '"/etc/passwd"', '"a.h\\u0000"', '3'])('refuses %s as a further header', (path) => {
  const refused = expect.objectContaining({ code: 'A3S1101' });
  expect(() => parse(`{"headers":[${path}]}`)).toThrow(refused);
});
