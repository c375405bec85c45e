import { describe, expect, it } from 'vitest';
import { describeMade, docsDigest, emitAbi, sha256Of, toLock } from '../../pipeline/bindings/abi.ts';
import { diffAbi } from '../../pipeline/bindings/abi-diff.ts';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { RawItem } from '../../pipeline/bindings/libclang/raw.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { rawFunction, rawUnit, scalar } from './raw-unit.ts';

const UNSIGNED = scalar('unsigned int');

function macro(name: string, value: string): RawItem {
  const place = { file: 'test.h', line: 1 };
  const integer = { kind: 'integer', type: 'int', value } as const;
  return { kind: 'macro', name, place, comment: null, deprecated: false, body: value, value: integer };
}

const ITEMS = [rawFunction('first', { a: UNSIGNED }, { comment: '/** Words of the header. */' }), macro('ONE', '1')];
const IR = toIr(rawUnit(ITEMS), []);
const TEXT = emitAbi([IR]).content;

function failureOf(text: string) {
  try {
    readAbi(text);
  } catch (error) {
    if (error instanceof BuildError) return error.failure;
  }
  return expect.unreachable('accepted');
}

describe('the lock', () => {
  it('is read back as it was written', () => {
    expect(readAbi(TEXT)).toEqual(toLock([IR]));
  });

  it('holds a digest in place of the words of a comment', () => {
    expect(TEXT).not.toContain('Words of the header');
    expect(TEXT).toContain(docsDigest(IR.items[0]?.docs ?? null) ?? 'no digest');
  });

  it.each([
    ['cut off', TEXT.slice(0, -20), {}],
    ['of another form', TEXT.replace('"form": 2', '"form": 1'), { line: 2 }],
    ['with a field it should not have', TEXT.replace('"form"', '"more": 1, "form"'), { line: 2 }],
    ['with a digest that is none', TEXT.replace(/"docs": "[0-9a-f]+"/, '"docs": "x"'), { line: 16 }],
    ['that is a list', '[]', {}],
    ['that is empty', '', {}],
  ])('is refused with its place when it is %s', (_what, text, where) => {
    expect(failureOf(text)).toMatchObject({ code: 'A3S3001', where: { file: 'abi.json', ...where } });
  });
});

describe('the difference of two locks', () => {
  const lock = toLock([IR]);
  const differs = (items: readonly RawItem[]) => diffAbi(lock, toLock([toIr(rawUnit(items), [])]));

  it('is empty for the same header, whatever its order', () => {
    expect(differs(ITEMS)).toEqual([]);
    expect(differs([...ITEMS].reverse())).toEqual([]);
  });

  const of = (item: string, name: string, more: object) => ({
    item,
    name,
    part: '',
    before: '',
    after: '',
    node: true,
    header: 'test.h',
    targets: ['linux-x64'],
    ...more,
  });

  it('names what was added and removed', () => {
    const added = rawFunction('second', {});
    expect(differs([...ITEMS, added])).toEqual([
      of('function', 'second', { kind: 'function-added', after: '() -> void' }),
    ]);
    expect(differs(ITEMS.slice(0, 1))).toEqual([of('constant', 'ONE', { kind: 'constant-removed', before: '= 1' })]);
  });

  it('says what a change is, before and after', () => {
    const changed = rawFunction('first', { a: scalar('int') }, { comment: '/** Other words. */' });
    expect(differs([changed, macro('ONE', '2')])).toEqual([
      of('function', 'first', { kind: 'parameter-narrower', part: 'argument 1', before: 'u32', after: 'i32' }),
      of('function', 'first', { kind: 'docs' }),
      of('constant', 'ONE', { kind: 'constant-value', before: '1', after: '2' }),
    ]);
  });

  it('does not count how the files were made', () => {
    const made = describeMade('1.0.0', '1.0.0', 'lock', [], [{ path: 'sys.rs', content: '' }]);
    expect(diffAbi(lock, readAbi(emitAbi([IR], made).content))).toEqual([]);
  });
});

describe('how the files were made', () => {
  const made = describeMade('1.0.0', '2.0.0', 'lock', [], [{ path: 'napi/src/lib.rs', content: 'text' }]);
  const text = emitAbi([IR], made).content;

  it('is read back as it was written, with the digest of each file', () => {
    expect(readAbi(text).made).toEqual(made);
    expect(made.files).toEqual([{ path: 'napi/src/lib.rs', sha256: sha256Of('text') }]);
  });

  it('differs with the program and with what the addon is built with', () => {
    const generators = [
      made,
      describeMade('1.0.0', '2.0.1', 'lock', [], []),
      describeMade('1.0.0', '2.0.0', 'other', [], []),
      describeMade('1.0.0', '2.0.0', 'lock', ['krun_gone'], []),
    ];
    expect(new Set(generators.map(({ generator }) => generator)).size).toBe(4);
  });

  it.each(['../x', '/etc/passwd', 'a/../b', 'a//b', '.hidden', ''])('cannot name the file %j', (path) => {
    expect(failureOf(text.replace('"napi/src/lib.rs"', JSON.stringify(path)))).toMatchObject({
      code: 'A3S3001',
      where: { file: 'abi.json', line: 8 },
    });
  });

  it('cannot name a version that is none', () => {
    expect(failureOf(text.replace('"package": "1.0.0"', '"package": "latest"')).code).toBe('A3S3001');
  });
});
