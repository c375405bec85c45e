import { createHash } from 'node:crypto';

/** Writes small Mach-O files byte by byte, so that a test can state, and damage, any part of one. */

export interface MadeMachOSymbol {
  readonly name: string;
  /** Missing: the symbol is imported. */
  readonly address?: number;
  /** Number of the library that it comes from. */
  readonly ordinal?: number;
  readonly weak?: boolean;
  readonly private?: boolean;
}

export interface MadeSignature {
  readonly identifier?: string;
  readonly flags?: number;
  /** 1 SHA-1, 2 SHA-256. */
  readonly hashTypes?: readonly number[];
  readonly pageShift?: number;
  readonly entitlements?: string;
  readonly der?: Buffer;
  /** Parts added as they are, by slot. */
  readonly extra?: readonly (readonly [slot: number, blob: Buffer])[];
}

export interface MadeMachO {
  readonly cpu?: number;
  readonly subtype?: number;
  readonly type?: number;
  readonly flags?: number;
  readonly installName?: string | null;
  readonly libraries?: readonly string[];
  /** Of all libraries: LC_LOAD_DYLIB unless stated. */
  readonly loadCommand?: number;
  readonly rpaths?: readonly string[];
  /** Number of LC_BUILD_VERSION; null leaves the command out. */
  readonly platform?: number | null;
  /** Oldest system, as `[major, minor, patch]`. */
  readonly minimum?: readonly [number, number, number];
  readonly symbols?: readonly MadeMachOSymbol[];
  /** Where exports are written besides the symbol table. */
  readonly exportsIn?: 'trie' | 'info' | 'symbols';
  readonly text?: string | Buffer;
  /** Null: not signed. */
  readonly signature?: MadeSignature | null;
  readonly extraCommands?: readonly Buffer[];
}

/** Where the parts of a made file lie, for tests that overwrite one. */
export interface MadeMachOParts {
  readonly bytes: Buffer;
  readonly text: number;
  readonly exports: number;
  readonly symbols: number;
  readonly strings: number;
  readonly signature: number;
  /** Offset of the first load command with this number. */
  command(number: number): number;
}

const ARM64 = 0x0100000c;
export const HYPERVISOR = 'com.apple.security.hypervisor';
const HEADER = 32;

export function makeMachO(made: MadeMachO = {}): Buffer {
  return makeMachOParts(made).bytes;
}

export function makeMachOParts(made: MadeMachO = {}): MadeMachOParts {
  const { symbols = [], exportsIn = 'trie', signature = {}, text = 'text' } = made;
  const trie = exportsIn === 'symbols' ? Buffer.alloc(0) : exportTrie(symbols);
  const table = symbolTable(symbols);
  const body = (at: Places) => commands(made, at, { trie, table });
  const commandBytes = Buffer.concat(body(NOWHERE)).length;
  const at = { ...NOWHERE };
  at.text = HEADER + commandBytes;
  at.exports = align(at.text + Buffer.byteLength(text));
  at.symbols = align(at.exports + trie.length);
  at.strings = at.symbols + table.symbols.length;
  const end = at.strings + table.strings.length;
  at.signature = signature === null ? end : align(end);
  at.signatureSize = signature === null ? 0 : signatureSize(signature, at.signature);
  const list = body(at);
  const code = Buffer.alloc(at.signature);
  header(made, list.length, commandBytes).copy(code);
  Buffer.concat(list).copy(code, HEADER);
  Buffer.from(text as string).copy(code, at.text);
  trie.copy(code, at.exports);
  table.symbols.copy(code, at.symbols);
  table.strings.copy(code, at.strings);
  const bytes = signature === null ? code : Buffer.concat([code, superBlob(signature, code)]);
  return { bytes, ...at, command: (number) => findCommand(bytes, number) };
}

/** An entitlements document with keys that are all true. */
export function entitlementsXml(...keys: readonly string[]): string {
  const entries = keys.map((key) => `\t<key>${key}</key>\n\t<true/>\n`).join('');
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "x">\n';
  return `${head}<plist version="1.0">\n<dict>\n${entries}</dict>\n</plist>\n`;
}

/** The same in DER. */
export function entitlementsDer(...keys: readonly string[]): Buffer {
  const pairs = keys.map((key) => tlv(0x30, tlv(0x0c, Buffer.from(key)), Buffer.from([1, 1, 0xff])));
  return tlv(0x70, Buffer.from([2, 1, 1]), tlv(0xb0, ...pairs));
}

export function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const all = Buffer.concat(content);
  const length = all.length < 0x80 ? [all.length] : [0x82, all.length >> 8, all.length & 0xff];
  if (all.length >= 0x80 && all.length < 0x100) length.splice(0, 2, 0x81);
  return Buffer.concat([Buffer.from([tag, ...length]), all]);
}

interface Places {
  text: number;
  exports: number;
  symbols: number;
  strings: number;
  signature: number;
  signatureSize: number;
}

const NOWHERE: Places = { text: 0, exports: 0, symbols: 0, strings: 0, signature: 0, signatureSize: 0 };

function align(offset: number): number {
  return (offset + 15) & ~15;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value >>> 0, index * 4);
  });
  return bytes;
}

function header({ cpu = ARM64, subtype = 0, type = 6, flags = 0x80 }: MadeMachO, count: number, size: number): Buffer {
  return words(0xfeedfacf, cpu, subtype, type, count, size, flags, 0);
}

/** A load command: number, size, fields, and a text behind them. */
export function command(number: number, fields: Buffer, text?: string): Buffer {
  const body = Buffer.concat([fields, text === undefined ? Buffer.alloc(0) : Buffer.from(`${text}\0`)]);
  const size = (8 + body.length + 7) & ~7;
  return Buffer.concat([words(number, size), body], size);
}

function segment(name: string, address: number, size: number, offset: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write(name, 0, 'latin1');
  [address, size, offset, size].forEach((value, index) => {
    bytes.writeBigUInt64LE(BigInt(value), 16 + index * 8);
  });
  return command(0x19, bytes);
}

function commands(
  made: MadeMachO,
  at: Places,
  { trie, table }: { trie: Buffer; table: ReturnType<typeof symbolTable> },
): Buffer[] {
  const { type = 6, exportsIn = 'trie', libraries = ['/usr/lib/libSystem.B.dylib'], rpaths = [] } = made;
  const { installName = type === 6 ? '@rpath/libmade.1.dylib' : null, platform = 1, minimum = [11, 0, 0] } = made;
  const dylib = (number: number, name: string) => command(number, words(24, 2, 0x10000, 0x10000), name);
  const end = at.signature + at.signatureSize;
  return [
    segment('__TEXT', 0, at.exports, 0),
    segment('__LINKEDIT', at.exports, end - at.exports, at.exports),
    ...(installName === null ? [] : [dylib(0xd, installName)]),
    ...(exportsIn === 'trie' ? [command(0x80000033, words(at.exports, trie.length))] : []),
    ...(exportsIn === 'info' ? [command(0x80000022, words(0, 0, 0, 0, 0, 0, 0, 0, at.exports, trie.length))] : []),
    command(0x2, words(at.symbols, table.count, at.strings, table.strings.length)),
    ...libraries.map((name) => dylib(made.loadCommand ?? 0xc, name)),
    ...rpaths.map((path) => command(0x8000001c, words(12), path)),
    ...(platform === null
      ? []
      : [command(0x32, words(platform, (minimum[0] << 16) | (minimum[1] << 8) | minimum[2], 0xe0500, 0))]),
    ...(made.extraCommands ?? []),
    ...(made.signature === null ? [] : [command(0x1d, words(at.signature, at.signatureSize))]),
  ];
}

function findCommand(bytes: Buffer, number: number): number {
  let at = HEADER;
  while (bytes.readUInt32LE(at) !== number >>> 0) at += bytes.readUInt32LE(at + 4);
  return at;
}

/** Three bytes for each number, so that no place depends on a size. */
function wideUleb(value: number): Buffer {
  return Buffer.from([(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, (value >> 14) & 0x7f]);
}

/** A tree of one level: each name is one edge. */
function exportTrie(symbols: readonly MadeMachOSymbol[]): Buffer {
  const exported = symbols.filter((symbol) => symbol.address !== undefined && symbol.private !== true);
  const leaves = exported.map(({ address = 0, weak }) =>
    Buffer.concat([wideUleb(4), Buffer.from([weak ? 4 : 0]), wideUleb(address), Buffer.from([0])]),
  );
  const rootSize = 2 + exported.reduce((sum, { name }) => sum + Buffer.byteLength(name) + 1 + 3, 0);
  const edges = exported.map(({ name }, index) =>
    Buffer.concat([Buffer.from(`${name}\0`), wideUleb(rootSize + index * 8)]),
  );
  return Buffer.concat([Buffer.from([0, exported.length]), ...edges, ...leaves]);
}

function symbolTable(symbols: readonly MadeMachOSymbol[]) {
  let strings = ' \0';
  const entries = symbols.map(({ name, address, ordinal = 1, weak = false, private: hidden = false }) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(Buffer.byteLength(strings), 0);
    strings += `${name}\0`;
    bytes.writeUInt8((address === undefined ? 0 : 0xe) | 1 | (hidden ? 0x10 : 0), 4);
    bytes.writeUInt8(address === undefined ? 0 : 1, 5);
    const description = address === undefined ? (ordinal << 8) | (weak ? 0x40 : 0) : weak ? 0x80 : 0;
    bytes.writeUInt16LE(description, 6);
    bytes.writeBigUInt64LE(BigInt(address ?? 0), 8);
    return bytes;
  });
  return { count: symbols.length, symbols: Buffer.concat(entries), strings: Buffer.from(strings) };
}

function bigWords(...values: readonly number[]): Buffer {
  return words(...values).swap32();
}

function blob(magic: number, content: Buffer): Buffer {
  return Buffer.concat([bigWords(magic, 8 + content.length), content]);
}

function signatureSize(signature: MadeSignature, codeSize: number): number {
  return superBlob(signature, Buffer.alloc(codeSize)).length;
}

function superBlob(signature: MadeSignature, code: Buffer): Buffer {
  const { entitlements, der, extra = [], hashTypes = [2] } = signature;
  const parts: (readonly [number, Buffer])[] = [
    [2, blob(0xfade0c01, bigWords(0))],
    ...(entitlements === undefined ? [] : [[5, blob(0xfade7171, Buffer.from(entitlements))] as const]),
    ...(der === undefined ? [] : [[7, blob(0xfade7172, der)] as const]),
  ];
  const directories = hashTypes.map(
    (type, index) => [index === 0 ? 0 : 0x1000 + index - 1, codeDirectory(signature, type, code, parts)] as const,
  );
  const all = [...directories, ...parts, ...extra];
  let offset = 12 + all.length * 8;
  const index = all.map(([slot, { length }]) => {
    offset += length;
    return bigWords(slot, offset - length);
  });
  return Buffer.concat([bigWords(0xfade0cc0, offset, all.length), ...index, ...all.map(([, bytes]) => bytes)]);
}

function codeDirectory(
  { identifier = 'made', flags = 2, pageShift = 12 }: MadeSignature,
  type: number,
  code: Buffer,
  parts: readonly (readonly [number, Buffer])[],
): Buffer {
  const hash = (bytes: Buffer) =>
    createHash(type === 1 ? 'sha1' : 'sha256')
      .update(bytes)
      .digest();
  const size = type === 1 ? 20 : 32;
  const special = Math.max(0, ...parts.map(([slot]) => slot));
  const slots = Array.from({ length: special }, (_, index) => {
    const part = parts.find(([slot]) => slot === special - index);
    return part === undefined ? Buffer.alloc(size) : hash(part[1]);
  });
  const page = pageShift === 0 ? Math.max(code.length, 1) : 2 ** pageShift;
  const pages = Array.from({ length: Math.ceil(code.length / page) }, (_, index) =>
    hash(code.subarray(index * page, (index + 1) * page)),
  );
  const name = Buffer.from(`${identifier}\0`);
  const fixed = 88;
  const hashes = fixed + name.length + special * size;
  const head = bigWords(0x20400, flags, hashes, fixed, special, pages.length, code.length);
  const kind = Buffer.from([size, type, 0, pageShift]);
  const rest = Buffer.alloc(fixed - 8 - head.length - kind.length);
  return blob(0xfade0c02, Buffer.concat([head, kind, rest, name, ...slots, ...pages]));
}
