import { describe, expect, it } from 'vitest';
import { compareTypes, resolveType } from '../../pipeline/bindings/abi-types.ts';

describe('two types', () => {
  it.each([
    ['u32 uint32_t', 'u32 uint32_t', 'none'],
    ['u32 uint32_t', 'u32 unsigned int', 'spelling'],
    ['*const u64 unsigned long', '*const u64 uint64_t', 'spelling'],
    ['u64 size_t', 'u64 uint64_t', 'same-width'],
    ['i64 ssize_t', 'i64 long long', 'same-width'],
    ['*const char', '*mut char', 'const-dropped'],
    ['*const *mut char', '*const *const char', 'const-added'],
    ['*const *mut char', '*mut *const char', 'const-dropped'],
    ['u8 uint8_t', 'i16 short', 'wider'],
    ['u32 uint32_t', 'u64 size_t', 'wider'],
    ['i32 int', 'u32 unsigned int', 'narrower'],
    ['i64 long', 'i32 int', 'narrower'],
    ['bool', 'u8 uint8_t', 'other'],
    ['f32', 'f64', 'other'],
    ['[u8 uint8_t; 6]', '[u8 uint8_t; 8]', 'other'],
    ['*mut fn(u32 uint32_t) -> i32 int', '*mut fn(u32 unsigned int) -> i32 int32_t', 'spelling'],
    ['*mut fn(u32 uint32_t) -> void', '*mut fn(u64 uint64_t) -> void', 'other'],
    ['named machine', '*mut named machine', 'other'],
  ] as const)('%j and %j: %s', (before, after, difference) => {
    expect(compareTypes(before, after)).toBe(difference);
  });
});

describe('a name', () => {
  it('is followed to what it stands for, also inside other types', () => {
    const names = new Map([
      ['id', 'named number'],
      ['number', 'u32 uint32_t'],
    ]);
    expect(resolveType('*const fn(named id, named record) -> named id', names)).toBe(
      '*const fn(u32 uint32_t, named record) -> u32 uint32_t',
    );
  });

  it('that stands for itself, or doubles at every step, ends all the same', () => {
    expect(resolveType('named a', new Map([['a', 'named a']]))).toBe('named a');
    const doubling = new Map(Array.from({ length: 60 }, (_, n) => [`t${n}`, `fn(named t${n + 1}) -> named t${n + 1}`]));
    expect(resolveType('named t0', doubling).length).toBeLessThan(100_000);
  });
});
