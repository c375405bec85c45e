import { describe, expect, it } from 'vitest';
import { readElf } from '../../pipeline/binary/elf.ts';
import { guestKernelRelease, readSymbolData } from '../../pipeline/binary/symbol-data.ts';
import { makeElf, makeElfParts } from './make-elf.ts';

const BANNER = 'Linux version 6.12.98 (root@libkrunfw) (gcc 13.3.0) #1 SMP PREEMPT_DYNAMIC\n';

describe('readSymbolData', () => {
  const symbols = [
    { name: 'first', data: 'one', type: 1 },
    { name: 'second', data: 'zwölf', type: 1 },
    { name: 'imported' },
  ];

  it("returns the symbol's own bytes", () => {
    const bytes = makeElf({ symbols });
    const elf = readElf(bytes);
    expect(Buffer.from(readSymbolData(bytes, elf, 'first') ?? '').toString()).toBe('one');
    expect(Buffer.from(readSymbolData(bytes, elf, 'second') ?? '').toString()).toBe('zwölf');
  });

  it('returns null for a symbol that the file does not export', () => {
    const bytes = makeElf({ symbols });
    expect(readSymbolData(bytes, readElf(bytes), 'imported')).toBeNull();
    expect(readSymbolData(bytes, readElf(bytes), 'absent')).toBeNull();
  });

  it.each([0xffff_ffffn, 0xffff_ffff_ffff_ffffn])('refuses a forged size of %d bytes', (size) => {
    const parts = makeElfParts({ symbols });
    parts.bytes.writeBigUInt64LE(size, parts.symbols + 24 + 16);
    const elf = readElf(parts.bytes);
    expect(() => readSymbolData(parts.bytes, elf, 'first')).toThrow(expect.objectContaining({ code: 'A3S1205' }));
  });
});

describe('guestKernelRelease', () => {
  it('finds the release in a kernel inside a library, also where the banner stands twice', () => {
    const bytes = makeElf({ symbols: [{ name: 'KERNEL_BUNDLE', data: `\u0001${BANNER}\0padding${BANNER}`, type: 1 }] });
    expect(guestKernelRelease(bytes)).toBe('6.12.98');
  });

  it.each([
    ['Linux version 6.12.0-rc3+ (a@b)', '6.12.0-rc3+'],
    ['Linux version 6.6.59-libkrun_1.2~x (a@b)', '6.6.59-libkrun_1.2~x'],
    ['usage: Linux version unknown. Linux version 6.1.2 (a@b)', '6.1.2'],
  ])('reads %s', (text, release) => {
    expect(guestKernelRelease(Buffer.from(text))).toBe(release);
  });

  it.each([
    ['nothing', ''],
    ['a format string', 'Linux version %s (%s)'],
    ['a release without builder', 'Linux version 6.12.98'],
    ['an endless release', `Linux version 6.12.${'9'.repeat(500)} (a@b)`],
    ['a release with control characters', 'Linux version 6.12.98\u001b[2J (a@b)'],
    ['two different kernels', 'Linux version 6.12.98 (a@b) Linux version 6.12.99 (a@b)'],
  ])('returns null for %s', (_, text) => {
    expect(guestKernelRelease(Buffer.from(text))).toBeNull();
  });
});
