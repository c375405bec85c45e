import { describe, expect, it } from 'vitest';
import { readDerEntitlements } from '../../pipeline/binary/der-entitlements.ts';
import { readMachO } from '../../pipeline/binary/macho.ts';
import { readPlist } from '../../pipeline/binary/plist.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import {
  command,
  entitlementsDer,
  entitlementsXml,
  type MadeMachO,
  type MadeMachOParts,
  makeMachOParts,
  tlv,
} from './make-macho.ts';

const SYMBOLS = [{ name: '_one', address: 64 }, { name: '_two' }];

/** The message with which a file is refused; anything but A3S1205 fails the test. */
function refusal(bytes: Uint8Array): string {
  try {
    readMachO(bytes);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'A3S1205') return error.message;
    throw error;
  }
  return 'not refused';
}

function changed(change: (bytes: Buffer, parts: MadeMachOParts) => void, made: MadeMachO = {}): Buffer {
  const parts = makeMachOParts({ symbols: SYMBOLS, rpaths: ['@loader_path'], ...made });
  change(parts.bytes, parts);
  return parts.bytes;
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0, 0);
  return bytes;
};

const OTHER_FILES: readonly (readonly [string, Buffer, RegExp])[] = [
  ['an empty file', Buffer.alloc(0), /is not a Mach-O file: it is empty/],
  ['a web page', Buffer.from('<!DOCTYPE html>'), /is not a Mach-O file: .* a web page/],
  ['a 32-bit file', word(0xfeedface), /32-bit/],
  ['a big-endian file', word(0xcffaedfe), /big-endian/],
  ['a universal file', word(0xbebafeca), /universal/],
  ['only a magic number', word(0xfeedfacf), /the Mach-O header needs 32 bytes/],
];

type Change = (bytes: Buffer, parts: MadeMachOParts) => void;
type Refused = [name: string, message: RegExp, change: Change, made?: MadeMachO];
const CHANGES: Refused[] = [
  ['of another processor', /processor type 0x12/, (bytes) => bytes.writeUInt32LE(0x12, 4)],
  ['that is a core dump', /file type 4/, (bytes) => bytes.writeUInt32LE(4, 12)],
  ['with endless commands', /4294967295 load commands/, (bytes) => bytes.writeUInt32LE(0xffffffff, 16)],
  ['with gigabytes of commands', /4294967295 bytes of load commands/, (bytes) => bytes.writeUInt32LE(0xffffffff, 20)],
  [
    'with one command too many',
    /lies outside the list/,
    (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(16) + 1, 16),
  ],
  ['with one command too few', /belong to none/, (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(16) - 1, 16)],
  ['with a command of no size', /claims a size of 0 bytes/, (bytes) => bytes.writeUInt32LE(0, 36)],
  ['with a command of odd size', /claims a size of 73 bytes/, (bytes) => bytes.writeUInt32LE(73, 36)],
  ['with a command beyond the list', /claims a size of 65536 bytes/, (bytes) => bytes.writeUInt32LE(65536, 36)],
  [
    'with a name outside its command',
    /install name lies outside its load command/,
    (bytes, { command: find }) => bytes.writeUInt32LE(4000, find(0xd) + 8),
  ],
  [
    'with a name without an end',
    /an rpath has no end/,
    (bytes, { command: find }) =>
      bytes.fill(0x41, find(0x8000001c) + 12, find(0x8000001c) + bytes.readUInt32LE(find(0x8000001c) + 4)),
  ],
  ['that is a library without a name', /without an install name/, () => {}, { installName: null }],
  [
    'with two signatures',
    /more than one LC_CODE_SIGNATURE/,
    () => {},
    { extraCommands: [command(0x1d, Buffer.alloc(8))] },
  ],
  [
    'with two tables of exports',
    /two tables of exports/,
    () => {},
    { extraCommands: [command(0x22, Buffer.alloc(40))] },
  ],
  [
    'with too short a command',
    /LC_BUILD_VERSION has 8 bytes instead of 24/,
    () => {},
    { extraCommands: [command(0x32, Buffer.alloc(0))] },
  ],
  [
    'with more symbols than bytes',
    /table of 16777216 symbols/,
    (bytes, { command: find }) => bytes.writeUInt32LE(1 << 24, find(2) + 12),
  ],
  [
    'with a symbol outside the strings',
    /name of symbol 0 lies outside the string table/,
    (bytes, { symbols }) => bytes.writeUInt32LE(0xffff, symbols),
  ],
  [
    'with a symbol of an unknown library',
    /come from library 9 of 1/,
    (bytes, { symbols }) => bytes.writeUInt16LE(9 << 8, symbols + 16 + 6),
  ],
  [
    'with a segment beyond its end',
    /a segment needs 1099511627776 bytes/,
    (bytes) => bytes.writeBigUInt64LE(1n << 40n, 32 + 48),
  ],
  ['with more data than memory', /into 1 bytes of memory/, (bytes) => bytes.writeBigUInt64LE(1n, 32 + 32)],
  ['with overlapping segments', /overlapping segments/, (bytes) => bytes.writeBigUInt64LE(1n << 40n, 32 + 32)],
  ['whose exports run in a circle', /same place twice/, (bytes, { exports }) => writeEdge(bytes, exports, 0)],
  [
    'whose exports lie outside',
    /table of exports is truncated/,
    (bytes, { exports }) => writeEdge(bytes, exports, 0x3fff),
  ],
  [
    'whose export is longer than it says',
    /longer than it states/,
    (bytes, { exports }) => bytes.writeUInt8(0x81, exports + leafOf('_one')),
  ],
  [
    'whose export is of no kind',
    /unknown kind/,
    (bytes, { exports }) => bytes.writeUInt8(3, exports + leafOf('_one') + 3),
  ],
  ['whose signature is none', /code signature is none/, (bytes, { signature }) => bytes.writeUInt32BE(0, signature)],
  [
    'whose signature is too long',
    /states 65536 bytes/,
    (bytes, { signature }) => bytes.writeUInt32BE(65536, signature + 4),
  ],
  [
    'whose signature has too many parts',
    /claims 65536 parts/,
    (bytes, { signature }) => bytes.writeUInt32BE(65536, signature + 8),
  ],
  [
    'whose signature has a part outside',
    /part outside itself/,
    (bytes, { signature }) => bytes.writeUInt32BE(65536, signature + 16),
  ],
  [
    'whose signature has a slot twice',
    /two parts for one slot/,
    (bytes, { signature }) => bytes.writeUInt32BE(2, signature + 12),
  ],
  [
    'whose signature has no directory',
    /without a code directory/,
    (bytes, { signature }) => bytes.writeUInt32BE(99, signature + 12),
  ],
  [
    'whose directory is none',
    /code directory that is none/,
    (bytes, parts) => bytes.writeUInt32BE(1, directoryOf(parts)),
  ],
  [
    'whose directory has an unknown hash',
    /unknown hash type 9/,
    (bytes, parts) => bytes.writeUInt8(9, directoryOf(parts) + 37),
  ],
  [
    'whose directory has hashes outside',
    /hashes lie outside/,
    (bytes, parts) => bytes.writeUInt32BE(0xffffff, directoryOf(parts) + 16),
  ],
  [
    'whose directory has hashes in its header',
    /hashes lie outside/,
    (bytes, parts) => bytes.writeUInt32BE(50, directoryOf(parts) + 16),
  ],
  [
    'whose directory has a page too few',
    /0 page hashes instead of 1/,
    (bytes, parts) => bytes.writeUInt32BE(0, directoryOf(parts) + 28),
  ],
  [
    'whose directory has odd pages',
    /pages of 2\^60 bytes/,
    (bytes, parts) => bytes.writeUInt8(60, directoryOf(parts) + 39),
  ],
  [
    'whose directory covers too much',
    /which is more than all/,
    (bytes, parts) => bytes.writeUInt32BE(0xffffff, directoryOf(parts) + 32),
  ],
  [
    'whose directory has no identifier',
    /a name that does not end/,
    (bytes, parts) => bytes.writeUInt32BE(0xffffff, directoryOf(parts) + 20),
  ],
];

/** The root of the made table of exports: its size, one child, the child's name and where it is. */
const leafOf = (name: string): number => 2 + name.length + 1 + 3;

function writeEdge(bytes: Buffer, exports: number, to: number): void {
  Buffer.from([(to & 0x7f) | 0x80, ((to >> 7) & 0x7f) | 0x80, 0]).copy(bytes, exports + leafOf('_one') - 3);
}

function directoryOf({ bytes, signature }: MadeMachOParts): number {
  return signature + bytes.readUInt32BE(signature + 16);
}

describe('readMachO refuses', () => {
  it.each(OTHER_FILES)('%s and says what it is', (_, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
  });

  it.each<Refused>(CHANGES)('a file %s', (_, message, change, made) => {
    expect(refusal(changed(change, made))).toMatch(message);
  });

  it('names the file in message and place', () => {
    expect(() => readMachO(Buffer.from('no'), 'lib\u001b[2J.dylib')).toThrow(
      /^lib\\u\{1b\}\[2J\.dylib: is not a Mach-O/,
    );
  });

  it('a small table of exports that stands for gigabytes of names, quickly', () => {
    const name = `_${'n'.repeat(40_000)}`;
    const depth = 4000;
    // A chain of nodes, each of which adds a long name to all before it.
    const node = Buffer.concat([Buffer.from([0, 1]), Buffer.from(`${name}\0`)]);
    const size = node.length + 4;
    const chain = Buffer.alloc(40 * size + depth);
    for (let index = 0; index < 40; index += 1) {
      const next = (index + 1) * size;
      node.copy(chain, index * size);
      Buffer.from([
        (next & 0x7f) | 0x80,
        ((next >> 7) & 0x7f) | 0x80,
        ((next >> 14) & 0x7f) | 0x80,
        (next >> 21) & 0x7f,
      ]).copy(chain, index * size + node.length);
    }
    const { bytes, exports, text } = makeMachOParts({ text: chain });
    bytes.writeUInt32LE(text, bytes.indexOf(word(exports), 32 + 72 * 2));
    bytes.writeUInt32LE(chain.length, bytes.indexOf(word(text), 32 + 72 * 2) + 4);
    const started = performance.now();
    expect(refusal(bytes)).toMatch(/too long names/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('readPlist', () => {
  const inside = (body: string) => readPlist(`<?xml version="1.0"?>\n<plist version="1.0">${body}</plist>`);

  it('reads what entitlements are made of', () => {
    const body =
      '<dict><key>a&amp;b</key><true/><key>list</key><array><string> x </string><integer>-7</integer></array><key>in</key><dict/><key>none</key><string/><key>f</key><false/></dict>';
    expect(inside(body)).toEqual({ 'a&b': true, list: [' x ', -7], in: {}, none: '', f: false });
  });

  it('keeps a key that objects have by themselves', () => {
    const read = inside('<dict><key>__proto__</key><true/></dict>');
    expect(Object.keys(read ?? {})).toEqual(['__proto__']);
  });

  it.each([
    ['nothing', ''],
    ['another top', '<array/>'],
    ['a key twice', '<dict><key>a</key><true/><key>a</key><false/></dict>'],
    ['a key without a value', '<dict><key>a</key></dict>'],
    ['a value without a key', '<dict><true/></dict>'],
    ['an open element', '<dict>'],
    ['a comment', '<dict><!-- x --></dict>'],
    ['CDATA', '<dict><key><![CDATA[a]]></key><true/></dict>'],
    ['an unknown entity', '<dict><key>&x;</key><true/></dict>'],
    ['a bare ampersand', '<dict><key>a & b</key><true/></dict>'],
    ['attributes', '<dict a="b"></dict>'],
    ['an unknown value', '<dict><key>a</key><date>x</date></dict>'],
    ['a number that is none', '<dict><key>a</key><integer>x</integer></dict>'],
    ['text between', '<dict>x<key>a</key><true/></dict>'],
    ['depth without end', `<dict><key>a</key>${'<array>'.repeat(50)}${'</array>'.repeat(50)}</dict>`],
  ])('refuses %s', (_, body) => {
    expect(inside(body)).toBeNull();
  });

  it('refuses declarations of entities, and text behind the end', () => {
    expect(readPlist('<!DOCTYPE plist [<!ENTITY x "y">]><plist><dict/></plist>')).toBeNull();
    expect(readPlist(`${entitlementsXml('a')}<plist/>`)).toBeNull();
  });
});

describe('readDerEntitlements', () => {
  const key = tlv(0x0c, Buffer.from('a'));
  const whole = (...pairs: readonly Buffer[]) => tlv(0x70, Buffer.from([2, 1, 1]), tlv(0xb0, ...pairs));

  it('reads what entitlements are made of', () => {
    const values = [
      tlv(1, Buffer.from([0])),
      tlv(2, Buffer.from([5])),
      tlv(0x0c, Buffer.from('s')),
      tlv(0x30, key, key),
      tlv(0xb0),
    ];
    const pairs = values.map((value, index) => tlv(0x30, tlv(0x0c, Buffer.from(`${index}`)), value));
    expect(readDerEntitlements(whole(...pairs))).toEqual({ 0: false, 1: 5, 2: 's', 3: ['a', 'a'], 4: {} });
    expect(readDerEntitlements(entitlementsDer('x'.repeat(300)))).toEqual({ ['x'.repeat(300)]: true });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['another tag', tlv(0x30)],
    ['another version', tlv(0x70, Buffer.from([2, 1, 2]), tlv(0xb0))],
    ['a key twice', whole(tlv(0x30, key, key), tlv(0x30, key, key))],
    ['a key without a value', whole(tlv(0x30, key))],
    ['an unknown value', whole(tlv(0x30, key, tlv(9)))],
    ['bytes behind the end', Buffer.concat([whole(), Buffer.from([0])])],
    ['a length beyond the end', Buffer.from([0x70, 0x7f])],
    ['a length of more bytes than needed', Buffer.from([0x70, 0x81, 5, 2, 1, 1, 0xb0, 0])],
    ['a length without an end', Buffer.from([0x70, 0x80, 0, 0])],
  ])('refuses %s', (_, bytes) => {
    expect(readDerEntitlements(bytes)).toBeNull();
  });
});
