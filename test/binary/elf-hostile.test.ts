import { describe, expect, it } from 'vitest';
import { readElf } from '../../pipeline/binary/elf.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { DT, makeElf, makeElfParts, PT } from './make-elf.ts';

const SYMBOLS = [
  { name: 'one', data: 'x' },
  { name: 'two', version: 0 },
];
const VERSIONS = [{ library: 'libc.so.6', name: 'GLIBC_2.17' }];
const HUGE = 0xffff_ffff_ffff_fff0n;

/** The message with which a file is refused; anything but A3S1205 fails the test. */
function refusal(bytes: Uint8Array): string {
  try {
    readElf(bytes);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'A3S1205') return error.message;
    throw error;
  }
  return 'not refused';
}

function changed(change: (parts: ReturnType<typeof makeElfParts>) => void): Buffer {
  const parts = makeElfParts({ symbols: SYMBOLS, versions: VERSIONS, soname: 'libx.so', needed: ['libc.so.6'] });
  change(parts);
  return parts.bytes;
}

const OTHER_FILES: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['an empty file', '', /is not an ELF file: it is empty/],
  ['a web page', '<!DOCTYPE html><html>', /starts with '<!DOCTYPE html><html>', a web page/],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00', /Git LFS pointer/],
  ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 0]), /gzip file/],
  ['a Mach-O file', Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 0x0c]), /Mach-O/],
  ['a linker script', '/* GNU ld script\n*/ GROUP ( libc.so.6 )', /linker script/],
  ['a file of zeros', Buffer.alloc(4096), /starts with zeros/],
  ['text with terminal codes', '\x1b[31mred', /starts with '\.\[31mred'$/],
];

const HEADERS: readonly (readonly [string, (bytes: Buffer) => void, RegExp])[] = [
  ['that is 32-bit', (bytes) => bytes.writeUInt8(1, 4), /32-bit/],
  ['that is big-endian', (bytes) => bytes.writeUInt8(2, 5), /big-endian/],
  ['that is of another machine', (bytes) => bytes.writeUInt16LE(243, 18), /machine 243 \(RISC-V\)/],
  ['that is of an unknown machine', (bytes) => bytes.writeUInt16LE(9999, 18), /machine 9999 \(unknown\)/],
  ['that is a core dump', (bytes) => bytes.writeUInt16LE(4, 16), /core dump/],
  ['that is of another version', (bytes) => bytes.writeUInt32LE(2, 20), /ELF version 2/],
  ['with too many program headers', (bytes) => bytes.writeUInt16LE(0xffff, 56), /65535 program headers/],
  ['with odd program headers', (bytes) => bytes.writeUInt16LE(32, 54), /program headers of 32 bytes/],
  ['with headers beyond its end', (bytes) => bytes.writeBigUInt64LE(1n << 40n, 32), /truncated or damaged/],
  ['with an offset beyond 2^53', (bytes) => bytes.writeBigUInt64LE(HUGE, 32), /which no file can hold/],
  ['with sections beyond its end', setSections, /section header table needs 4194240 bytes/],
  [
    'with a segment beyond its end',
    (bytes) => bytes.writeBigUInt64LE(1n << 32n, 64 + 32),
    /segment 0 needs 4294967296/,
  ],
  ['with more data than memory', (bytes) => bytes.writeBigUInt64LE(1n, 64 + 40), /into 1 bytes of memory/],
  ['with two dynamic segments', (bytes) => bytes.writeUInt32LE(PT.DYNAMIC, 64 + 2 * 56), /more than one dynamic/],
  ['with overlapping segments', overlapSegments, /overlapping or unordered segments/],
  ['with a dynamic segment in two places', moveDynamic, /two places for its dynamic segment/],
  ['with an endless dynamic segment', (bytes) => bytes.writeBigUInt64LE(32n, 64 + 56 + 32), /without an end mark/],
];

function setSections(bytes: Buffer): void {
  bytes.writeBigUInt64LE(64n, 40);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(0xffff, 60);
}

function overlapSegments(bytes: Buffer): void {
  const stack = 64 + 2 * 56;
  bytes.writeUInt32LE(PT.LOAD, stack);
  bytes.writeBigUInt64LE(16n, stack + 40);
}

function moveDynamic(bytes: Buffer): void {
  const header = 64 + 56;
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(header + 16) - 8n, header + 16);
}

describe('readElf refuses', () => {
  it.each(OTHER_FILES)('%s and says what it is', (_, content, message) => {
    expect(refusal(Buffer.from(content))).toMatch(message);
  });

  it.each(HEADERS)('a file %s', (_, change, message) => {
    expect(refusal(changed(({ bytes }) => change(bytes)))).toMatch(message);
  });

  it('names the file in message and place, with control characters made visible', () => {
    const read = () => readElf(Buffer.from('no'), 'lib\u001b[2J.so');
    expect(read).toThrow(/^lib\\u\{1b\}\[2J\.so: is not an ELF file/);
    expect(read).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ where: { file: 'lib\u001b[2J.so' } }) }),
    );
  });

  it.each([
    ['two sonames', [[DT.SONAME, 1n]], /two DT_SONAME/],
    ['a soname outside the strings', [[DT.RPATH, 1n << 40n]], /DT_RPATH lies outside the string table/],
    ['a library name outside the strings', [[DT.NEEDED, HUGE]], /DT_NEEDED lies outside the string table/],
    [
      'relocations outside the file',
      [
        [DT.RELA, 0n],
        [DT.RELASZ, 1n << 50n],
      ],
      /relocation table .* outside the mapped file/,
    ],
    [
      'relocations at the end of the address space',
      [
        [DT.RELA, HUGE],
        [DT.RELASZ, 24n],
      ],
      /outside the mapped file/,
    ],
    ['a GNU hash table outside the file', [[DT.GNU_HASH, HUGE]], /GNU hash table .* outside the mapped file/],
    ['versions without their number', [[DT.VERNEED, 64n]], /DT_VERNEED without DT_VERNEEDNUM/],
    [
      'too many versions',
      [
        [DT.VERNEED, 64n],
        [DT.VERNEEDNUM, HUGE],
      ],
      /records in DT_VERNEED/,
    ],
  ] as const)('a library with %s', (_, extraDynamic, message) => {
    expect(refusal(makeElf({ soname: 'libx.so', extraDynamic }))).toMatch(message);
  });

  it('a library with two string tables', () => {
    expect(refusal(makeElf({ extraDynamic: [[DT.STRTAB, 0n]] }))).toMatch(/two DT_STRTAB/);
  });

  it('names without a string table', () => {
    expect(refusal(makeElf({ soname: 'libx.so', without: [DT.SYMTAB] }))).toBe('not refused');
    const bytes = changed(({ bytes: all, dynamic }) => {
      const strtab = all.indexOf(Buffer.from([5, 0, 0, 0, 0, 0, 0, 0]), dynamic);
      all.writeUInt32LE(0x1234, strtab);
    });
    expect(refusal(bytes)).toMatch(/no string table/);
  });

  it('a name that does not end inside the string table', () => {
    const bytes = changed(({ bytes: all }) => all.fill(0x41, all.length - 10));
    expect(refusal(bytes)).toMatch(/has no end/);
  });

  it('more symbols than the file holds, and more than any program has', () => {
    const claim = (count: number) => refusal(changed(({ bytes, hash }) => bytes.writeUInt32LE(count, hash + 4)));
    expect(claim(100_000)).toMatch(/table of 100000 symbols .* outside the mapped file/);
    expect(claim(0xffff_ffff)).toMatch(/4294967295 dynamic symbols/);
  });

  it('symbols of another size', () => {
    expect(refusal(makeElf({ without: [DT.SYMENT], extraDynamic: [[DT.SYMENT, 16n]] }))).toMatch(/symbols of 16 bytes/);
  });

  it('a symbol whose version nobody defines', () => {
    const bytes = changed(({ bytes: all, symbolVersions }) => all.writeUInt16LE(0x7000, symbolVersions + 2));
    expect(refusal(bytes)).toMatch(/unknown version index 28672/);
  });

  it('version records that run in a circle, end early or share an index', () => {
    const versions = [...VERSIONS, { library: 'libm.so.6', name: 'GLIBC_2.29' }];
    const change = (write: (bytes: Buffer, at: number) => void) => {
      const parts = makeElfParts({ versions });
      write(parts.bytes, parts.versionNeeds);
      return refusal(parts.bytes);
    };
    expect(change((bytes, at) => bytes.writeUInt32LE(0, at + 12))).toMatch(/ends before its 2 records/);
    expect(change((bytes, at) => bytes.writeUInt32LE(0xffff_ffff, at + 12))).toMatch(/truncated or damaged/);
    expect(change((bytes, at) => bytes.writeUInt16LE(2, at + 32 + 22))).toMatch(/version index 2 twice/);
  });

  it('a GNU hash table whose last chain never ends', () => {
    // One bucket, first symbol 1, no filter; the chain runs over even numbers to the end of the file.
    const parts = makeElfParts({
      symbols: [{ name: 'a', data: 'z'.repeat(64) }],
      without: [DT.HASH],
      extraDynamic: [[DT.GNU_HASH, 0n]],
    });
    const { bytes, dynamic } = parts;
    const table = Buffer.concat([bytes, Buffer.alloc(400)]);
    for (const field of [32, 40]) table.writeBigUInt64LE(BigInt(table.length), 64 + field);
    table.writeBigUInt64LE(BigInt(bytes.length), table.indexOf(Buffer.from('f5feff6f00000000', 'hex'), dynamic) + 8);
    table.writeUInt32LE(1, bytes.length);
    table.writeUInt32LE(1, bytes.length + 4);
    table.writeUInt32LE(1, bytes.length + 16);
    expect(refusal(table)).toMatch(/GNU hash table needs 4 bytes .* truncated or damaged/);
  });

  it('a loader path without an end or of endless length', () => {
    const path = (length: number) => makeElf({ interpreter: 'x'.repeat(length) });
    expect(refusal(path(5000))).toMatch(/loader path of 5001 bytes/);
    const open = path(10);
    open.writeBigUInt64LE(10n, 64 + 3 * 56 + 32);
    expect(refusal(open)).toMatch(/malformed loader path/);
  });

  it('a small file whose symbols stand for gigabytes of names, quickly', () => {
    const name = 'n'.repeat(60_000);
    const parts = makeElfParts({
      symbols: Array.from({ length: 2000 }, () => ({ name: 'x', data: '' })),
      needed: [name],
    });
    const nameAt = parts.bytes.indexOf(name) - parts.strings;
    for (let index = 1; index <= 2000; index += 1) parts.bytes.writeUInt32LE(nameAt, parts.symbols + index * 24);
    const started = performance.now();
    expect(refusal(parts.bytes)).toMatch(/bytes of names/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
