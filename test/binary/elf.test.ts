import { describe, expect, it } from 'vitest';
import { readElf } from '../../pipeline/binary/elf.ts';
import { outcome, seededRandom } from './damage.ts';
import { makeElf, makeElfParts } from './make-elf.ts';

describe('readElf on hand-made files', () => {
  const FULL = {
    soname: 'libmade.so.2',
    needed: ['libc.so.6', 'libm.so.6'],
    symbols: [
      { name: 'made_data', data: 'abc', type: 1 },
      { name: 'pow', version: 0 },
      { name: 'maybe', version: 1, weak: true },
    ],
    versions: [
      { library: 'libm.so.6', name: 'GLIBC_2.29' },
      { library: 'libc.so.6', name: 'GLIBC_2.40', weak: true },
    ],
  };

  it('reads a library for the other machine', () => {
    expect(readElf(makeElf({ ...FULL, machine: 183 }))).toMatchObject({ machine: 'aarch64', soname: 'libmade.so.2' });
    expect(readElf(makeElf({ ...FULL, machine: 62 })).machine).toBe('x86_64');
  });

  it('joins symbols with the versions and libraries they need', () => {
    const elf = readElf(makeElf(FULL));
    expect(elf.imports).toEqual([
      { name: 'pow', weak: false, version: 'GLIBC_2.29', library: 'libm.so.6' },
      { name: 'maybe', weak: true, version: 'GLIBC_2.40', library: 'libc.so.6' },
    ]);
    expect(elf.versionNeeds.map(({ weak }) => weak)).toEqual([false, true]);
  });

  it('finds imports through relocations where no hash table counts them', () => {
    const symbols = [{ name: 'only_import' }];
    const { bytes, hash } = makeElfParts({
      symbols,
      extraDynamic: [
        [0x17n, 0n],
        [2n, 24n],
      ],
      without: [4n],
    });
    // The relocation is written over the unused hash table and what follows it; its symbol is number 1.
    const relocations = Buffer.concat([bytes, Buffer.alloc(24)]);
    const at = bytes.length;
    relocations.writeUInt32LE(1, at + 12);
    const jmprel = relocations.indexOf(Buffer.from([0x17, 0, 0, 0, 0, 0, 0, 0]), hash);
    relocations.writeBigUInt64LE(BigInt(at), jmprel + 8);
    for (const field of [32, 40]) relocations.writeBigUInt64LE(BigInt(relocations.length), 64 + field);
    expect(readElf(relocations).imports.map(({ name }) => name)).toEqual(['only_import']);
  });

  it('calls a library without needs a library, and a program with the PIE mark static', () => {
    expect(readElf(makeElf({ soname: 'libalone.so' }))).toMatchObject({ form: 'shared', isStatic: false });
    expect(readElf(makeElf({ flags1: 0x08000000n }))).toMatchObject({ form: 'static-pie', isStatic: true });
    expect(readElf(makeElf({ interpreter: '/lib/ld.so' }))).toMatchObject({ form: 'pie', interpreter: '/lib/ld.so' });
    expect(readElf(makeElf({ interpreter: '/lib/ld.so', soname: 'libc.so.6' })).form).toBe('shared');
    expect(readElf(makeElf({ type: 2, needed: ['libc.so.6'] })).form).toBe('executable');
    expect(readElf(makeElf({ type: 2 })).form).toBe('static-executable');
  });

  it('reads whether the stack may hold code, and knows the default of each machine', () => {
    expect(readElf(makeElf({ executableStack: true })).executableStack).toBe(true);
    expect(readElf(makeElf({ executableStack: false })).executableStack).toBe(false);
    const silent = (machine: number) => {
      const bytes = makeElf({ machine });
      bytes.writeUInt32LE(0, 64 + 2 * 56);
      return readElf(bytes).executableStack;
    };
    expect([silent(62), silent(183)]).toEqual([true, false]);
  });

  it('reads a view into a larger buffer', () => {
    const bytes = makeElf(FULL);
    const larger = Buffer.concat([Buffer.alloc(13, 0xff), bytes, Buffer.alloc(5, 0xff)]);
    expect(readElf(larger.subarray(13, 13 + bytes.length)).soname).toBe('libmade.so.2');
  });

  it('throws nothing but A3S1205 on damaged version tables', () => {
    const random = seededRandom(7);
    const outcomes = { read: 0, refused: 0 };
    for (let round = 0; round < 4000; round += 1) {
      const bytes = makeElf(FULL);
      for (let flip = 0; flip <= random(4); flip += 1) bytes.writeUInt8(random(256), random(bytes.length));
      outcomes[outcome(bytes)] += 1;
    }
    expect(outcomes.read).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(100);
  });
});
