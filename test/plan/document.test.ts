import { expect, it } from 'vitest';
import * as z from 'zod/v4/mini';
import { parseDocument } from '../../pipeline/plan/document.ts';
import { BuildError, type Failure } from '../../pipeline/plan/errors.ts';

const schema = z.strictObject({
  name: z.string(),
  list: z.optional(z.array(z.strictObject({ size: z.int() }))),
});

function failure(text: string, part?: string): Failure {
  try {
    parseDocument(text, 'pins.json', schema, 'A3S1102', part);
  } catch (error) {
    if (error instanceof BuildError) return error.failure;
    throw error;
  }
  throw new Error('there was no failure');
}

it('gives the value that the schema accepts', () => {
  expect(parseDocument('{"name":"x","list":[{"size":1}]}', 'f', schema, 'A3S1102')).toEqual({
    name: 'x',
    list: [{ size: 1 }],
  });
});

it.each([
  ['a missing comma', '{\n  "name": "x"\n  "list": []\n}', 3, 3],
  ['an end too early', '{\n  "name": "x"', 2, 14],
  ['nothing', '', 1, 1],
  ['a trailing comma', '{"name":"x",}', 1, 13],
  ['a comment', '{"name":"x"} // why', 1, 14],
  ['a value of the wrong kind', '{\n  "name": 7\n}', 2, 11],
  ['a value deep inside', '{"name":"x",\n"list":[{"size":1},\n {"size":1.5}]}', 3, 10],
  ['a field that is missing', '{\n  "list": []\n}', 1, 1],
  ['a field that is unknown', '{"name":"x",\n "nmae":"y"}', 2, 9],
  ['a field named like a property of all objects', '{"name":"x",\n "__proto__":{}}', 2, 14],
  ['the wrong kind of document', ' []', 1, 2],
  ['a key that stands twice', '{"name":"x",\n "name":"y"}', 2, 2],
  ['a key that stands twice deep inside', '{"name":"x","list":[{"size":1,\n"size":2}]}', 2, 1],
  ['a key that stands twice in another spelling', '{"name":"x",\n "n\\u0061me":"y"}', 2, 2],
])('names file, line and column of %s', (_name, text, line, column) => {
  const found = failure(text);
  expect({ code: found.code, where: found.where }).toEqual({
    code: 'A3S1102',
    where: { file: 'pins.json', line, column },
  });
  expect(found.message).not.toMatch(/\n/);
});

it('looks at one field of a document where that is asked for', () => {
  const text = '{"a":1,"a":2,\n "ours":{"name":7}}';
  expect(failure(text, 'ours').where).toEqual({ file: 'pins.json', line: 2, column: 17 });
  expect(failure(text, 'ours').message).toContain('"ours.name"');
  expect(failure('{"ours":null}', 'ours').where).toEqual({ file: 'pins.json', line: 1, column: 9 });
});
