import { describe, expect, it } from 'vitest';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { FunctionItem, HeaderIr } from '../../pipeline/bindings/ir.ts';
import type { RawType } from '../../pipeline/bindings/libclang/raw.ts';
import type { Override } from '../../pipeline/bindings/overrides.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { pointer, rawFunction, rawUnit, scalar, standard } from './raw-unit.ts';

const INT = scalar('int');
const STRING = pointer(scalar('char', true));
const SIZE = standard('size_t', 'unsigned long');
const BYTES = pointer(standard('uint8_t', 'unsigned char', true));

function returning(words: string, returns: RawType = INT, overrides: readonly Override[] = []): FunctionItem {
  const comment = `/**\n * Does.\n *\n * Returns:\n *  ${words}\n */`;
  return theFunction(toIr(rawUnit([rawFunction('call', {}, { comment, returns })]), overrides));
}

function taking(parameters: Readonly<Record<string, RawType>>, docs: string, overrides: readonly Override[] = []) {
  const comment = `/**\n * Does.\n *\n * Arguments:\n${docs.replace(/^/gm, ' *  ')}\n */`;
  const { parameters: found } = theFunction(toIr(rawUnit([rawFunction('call', parameters, { comment })]), overrides));
  return found.map(({ role, nullable }) => ({ role, nullable }));
}

function theFunction({ items }: HeaderIr): FunctionItem {
  const item = items.find(({ kind }) => kind === 'function');
  return item?.kind === 'function' ? item : expect.unreachable('no function');
}

function failureOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    if (error instanceof BuildError) return error.failure;
  }
  return expect.unreachable('accepted');
}

describe('what a returned number means', () => {
  it.each([
    ['Zero on success or a negative error number on failure.', 'status'],
    ['Zero on success or a negative error code otherwise.', 'status'],
    ['The context ID on success or a negative error number on failure.', 'value'],
    ['The maximum number, or a negative error number on failure.', 'value'],
    ['- 1 : yes\n *  - 0 : no\n *  - <0: failure', 'boolean'],
  ])('is proven by %j', (words, meaning) => {
    expect(returning(words).meaning).toBe(meaning);
  });

  it.each([
    [scalar('void'), 'plain'],
    [scalar('unsigned int'), 'plain'],
    [pointer(scalar('void')), 'plain'],
    [scalar('double'), 'plain'],
  ])('needs no proof where it is no signed number', (returns, meaning) => {
    expect(returning('Something.', returns).meaning).toBe(meaning);
  });

  it('is taken from an override before the comment', () => {
    const overrides: Override[] = [{ function: 'call', returns: 'value', reason: 'read' }];
    expect(returning('Zero on success or a negative error number on failure.', INT, overrides).meaning).toBe('value');
  });

  it('is asked for all functions at once where nothing proves it', () => {
    const raw = rawUnit([rawFunction('first', {}, { returns: INT }), rawFunction('second', {}, { returns: INT })]);
    const failure = failureOf(() => toIr(raw, []));
    expect(failure.code).toBe('A3S3003');
    expect(failure.message).toMatch(/first: .*second: /);
  });
});

describe('what a pointer is for', () => {
  it('is a string when it is a const char *', () => {
    expect(taking({ path: STRING }, '"path" - where')).toEqual([{ role: { kind: 'string' }, nullable: false }]);
  });

  it('is a buffer or a record when the size beside it says so', () => {
    expect(taking({ data: BYTES, count: SIZE }, '"data" - it\n"count" - the size of it in bytes')).toEqual([
      { role: { kind: 'buffer', lengthIn: 'count' }, nullable: false },
      { role: { kind: 'buffer-length', of: 'data' }, nullable: false },
    ]);
    const record = { data: pointer(scalar('void', true)), count: SIZE };
    expect(taking(record, '"data" - it\n"count" - sizeof() it')).toEqual([
      { role: { kind: 'record', lengthIn: 'count' }, nullable: false },
      { role: { kind: 'record-length', of: 'data' }, nullable: false },
    ]);
  });

  it('is bytes of a fixed number by comment or by declaration', () => {
    const fixed = [{ role: { kind: 'fixed-bytes', length: 6 }, nullable: false }];
    expect(taking({ mac: BYTES }, '"mac" - an array of 6 uint8_t entries')).toEqual(fixed);
    const declared: RawType = { kind: 'array', element: standard('uint8_t', 'unsigned char', true), length: '6' };
    expect(taking({ mac: declared }, '"mac" - address')).toEqual(fixed);
  });

  it.each([
    ['char * that may be written to', { name: pointer(scalar('char')) }, '"name" - a null-terminated string'],
    ['int *', { out: pointer(INT) }, '"out" - something'],
    ['array of strings without a stated end', { list: pointer(pointer(scalar('char', true))) }, '"list" - strings'],
    [
      'bytes that may be written to',
      { mac: pointer(standard('uint8_t', 'unsigned char')) },
      '"mac" - an array of 6 uint8_t',
    ],
    ['string with a size beside it', { text: STRING, size: SIZE }, '"text" - words'],
    ['bytes whose size is not explained', { data: BYTES, size: SIZE }, '"data" - it\n"size" - of it'],
  ])('is asked for: %s', (_what, parameters, docs) => {
    expect(failureOf(() => taking(parameters as Record<string, RawType>, docs)).code).toBe('A3S3003');
  });

  it('is taken from an override', () => {
    const overrides: Override[] = [
      { function: 'call', parameters: { out: { role: { kind: 'value' } } }, reason: 'read' },
    ];
    expect(taking({ out: pointer(INT) }, '"out" - x', overrides)).toEqual([
      { role: { kind: 'value' }, nullable: false },
    ]);
  });
});

describe('whether null may be passed', () => {
  it.each([
    ['the path, or NULL if not needed', true],
    ['the type (can be "auto" or NULL)', true],
    ['Must be NULL if "fd" is not -1.', true],
    ['x. If NULL, one is made.', true],
    ['the path', false],
    ['the path, must not be NULL', false],
  ])('is proven by %j', (words, nullable) => {
    expect(taking({ path: STRING }, `"path" - ${words}`)[0]?.nullable).toBe(nullable);
  });

  it('is asked where NULL is mentioned in no known way', () => {
    expect(failureOf(() => taking({ path: STRING }, '"path" - NULL is special')).code).toBe('A3S3003');
  });

  it('is never true of a number', () => {
    expect(taking({ fd: INT }, '"fd" - -1 or NULL')).toEqual([{ role: { kind: 'value' }, nullable: false }]);
  });
});

describe('overrides', () => {
  it.each<Override>([
    { function: 'gone', returns: 'status', reason: 'read' },
    { function: 'call', parameters: { gone: { nullable: true } }, reason: 'read' },
  ])('that match nothing any more are errors', (override) => {
    const failure = failureOf(() => toIr(rawUnit([rawFunction('call', {})]), [override]));
    expect(failure).toMatchObject({ code: 'A3S3003', message: expect.stringContaining('gone') });
  });
});

describe('a header', () => {
  it('with errors gives no bindings', () => {
    const place = { file: 'test.h', line: 2, column: 3 };
    const raw = rawUnit([rawFunction('call', {})], { diagnostics: [{ severity: 'error', place, text: 'no' }] });
    expect(failureOf(() => toIr(raw, []))).toMatchObject({ code: 'A3S3002', where: place });
  });

  it('without functions gives none either', () => {
    expect(failureOf(() => toIr(rawUnit([rawFunction('call', {}, { external: false })]), [])).code).toBe('A3S3002');
  });

  it('reports the functions whose types it cannot bind, and keeps the others', () => {
    const named: RawType = { kind: 'named', name: 'nowhere', const: false };
    const raw = rawUnit([
      rawFunction('unknown', { value: named }),
      rawFunction('strange', { value: { kind: 'other', spelling: '__int128' } }),
      rawFunction('good', {}),
    ]);
    const ir = toIr(raw, []);
    expect(ir.items.map(({ name }) => name)).toEqual(['good']);
    expect(ir.skipped.map(({ name }) => name).toSorted()).toEqual(['strange', 'unknown']);
  });

  it('does not trust a width that the parser does not report', () => {
    const raw = rawUnit([rawFunction('call', { value: scalar('long') }), rawFunction('good', {})]);
    const ir = toIr({ ...raw, widths: { ...raw.widths, long: 0 } }, []);
    expect(ir.skipped).toMatchObject([{ name: 'call' }]);
  });
});
