import { describe, expect, it } from 'vitest';
import { docsDigest, emitAbi, readAbi, toLock } from '../../pipeline/bindings/abi.ts';
import { diffAbi } from '../../pipeline/bindings/abi-diff.ts';
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
const TEXT = emitAbi(IR).content;

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
    expect(readAbi(TEXT)).toEqual(toLock(IR));
  });

  it('holds a digest in place of the words of a comment', () => {
    expect(TEXT).not.toContain('Words of the header');
    expect(TEXT).toContain(docsDigest(IR.items[0]?.docs ?? null) ?? 'no digest');
  });

  it.each([
    ['cut off', TEXT.slice(0, -20), {}],
    ['of another form', TEXT.replace('"form": 1', '"form": 2'), { line: 2 }],
    ['with a field it should not have', TEXT.replace('"form"', '"more": 1, "form"'), { line: 2 }],
    ['with a digest that is none', TEXT.replace(/"docs": "[0-9a-f]+"/, '"docs": "x"'), { line: 13 }],
    ['that is a list', '[]', {}],
    ['that is empty', '', {}],
  ])('is refused with its place when it is %s', (_what, text, where) => {
    expect(failureOf(text)).toMatchObject({ code: 'A3S3001', where: { file: 'abi.json', ...where } });
  });
});

describe('the difference of two locks', () => {
  const lock = toLock(IR);
  const differs = (items: readonly RawItem[]) => diffAbi(lock, toLock(toIr(rawUnit(items), [])));

  it('is empty for the same header, whatever its order', () => {
    expect(differs(ITEMS)).toEqual([]);
    expect(differs([...ITEMS].reverse())).toEqual([]);
  });

  it('names what was added and removed', () => {
    const added = rawFunction('second', {});
    expect(differs([...ITEMS, added])).toEqual([{ kind: 'added', item: 'function', name: 'second', details: [] }]);
    expect(differs(ITEMS.slice(0, 1))).toEqual([{ kind: 'removed', item: 'constant', name: 'ONE', details: [] }]);
  });

  it('says what a change is, before and after', () => {
    const changed = rawFunction('first', { a: scalar('int') }, { comment: '/** Other words. */' });
    expect(differs([changed, macro('ONE', '2')])).toEqual([
      {
        kind: 'changed',
        item: 'function',
        name: 'first',
        details: ['parameters.0.type: "u32 unsigned int" → "i32 int"', 'docs'],
      },
      { kind: 'changed', item: 'constant', name: 'ONE', details: ['value: "1" → "2"'] },
    ]);
  });
});
