import { createHash } from 'node:crypto';
import type { ByteReader } from './byte-reader.ts';
import type { CodeDirectory, HashType } from './signature-types.ts';

/** A blob of a signature: its bytes with the header of eight. */
export interface Blob {
  readonly slot: number;
  readonly magic: number;
  readonly bytes: Buffer;
}

/** A code directory with the places of its hashes inside its own bytes. */
export interface DirectoryLayout {
  readonly directory: CodeDirectory;
  readonly bytes: Buffer;
  readonly hashSize: number;
  readonly hashesAt: number;
  readonly pages: number;
  readonly specialSlots: number;
}

interface HashKind {
  readonly name: HashType;
  readonly algorithm: 'sha1' | 'sha256' | 'sha384';
  readonly size: number;
  /** macOS takes the directory with the highest one. */
  readonly rank: number;
}

const HASHES: ReadonlyMap<number, HashKind> = new Map([
  [1, { name: 'sha1', algorithm: 'sha1', size: 20, rank: 0 }],
  [3, { name: 'sha256-truncated', algorithm: 'sha256', size: 20, rank: 1 }],
  [2, { name: 'sha256', algorithm: 'sha256', size: 32, rank: 2 }],
  [4, { name: 'sha384', algorithm: 'sha384', size: 48, rank: 3 }],
]);
const CD_HASH_SIZE = 20;
const FLAG_ADHOC = 0x2;
const FLAG_RUNTIME = 0x10000;
const FLAG_LINKER_SIGNED = 0x20000;
const SMALLEST = 44;
const VERSION_TEAM = 0x20200;
const VERSION_LIMIT_64 = 0x20300;
/** Powers of two: 4 KiB and 16 KiB are what systems use. */
const PAGE_SHIFTS = { least: 10, most: 16 };

/** The hash of bytes, by a directory's own hash function. */
export function hashWith(type: HashType, bytes: Uint8Array): Buffer {
  const kind = [...HASHES.values()].find(({ name }) => name === type);
  if (kind === undefined) throw new TypeError(`no such hash: ${type}`);
  return createHash(kind.algorithm).update(bytes).digest().subarray(0, kind.size);
}

/** Orders directories as macOS chooses among them: the strongest hash first. */
export function byStrength(one: DirectoryLayout, other: DirectoryLayout): number {
  const rank = ({ directory }: DirectoryLayout): number =>
    [...HASHES.values()].find(({ name }) => name === directory.hashType)?.rank ?? 0;
  return rank(other) - rank(one);
}

/** Reads a code directory; its numbers are big-endian, whatever the file's are. */
export function readDirectory(reader: ByteReader, { bytes }: Blob): DirectoryLayout {
  if (bytes.length < SMALLEST) throw reader.error(`has a code directory of ${bytes.length} bytes`);
  const word = (at: number): number => bytes.readUInt32BE(at);
  const [version, flags] = [word(8), word(12)];
  const kind = HASHES.get(bytes.readUInt8(37));
  if (kind === undefined || bytes.readUInt8(36) !== kind.size) {
    throw reader.error(`has a code directory of unknown hash type ${bytes.readUInt8(37)}`);
  }
  const [hashesAt, specialSlots, pages] = [word(16), word(24), word(28)];
  const tooEarly = hashesAt < SMALLEST + specialSlots * kind.size;
  if (tooEarly || hashesAt + pages * kind.size > bytes.length) {
    throw reader.error('has a code directory whose hashes lie outside it');
  }
  const pageSize = readPageSize(reader, bytes.readUInt8(39));
  const codeLimit = readLimit(reader, bytes, version);
  const wanted = pageSize === null ? Math.min(codeLimit, 1) : Math.ceil(codeLimit / pageSize);
  if (pages !== wanted) throw reader.error(`has a code directory with ${pages} page hashes instead of ${wanted}`);
  const directory: CodeDirectory = {
    identifier: textAt(reader, bytes, word(20)),
    team: version >= VERSION_TEAM && bytes.length >= 52 && word(48) !== 0 ? textAt(reader, bytes, word(48)) : null,
    adHoc: (flags & FLAG_ADHOC) !== 0,
    linkerSigned: (flags & FLAG_LINKER_SIGNED) !== 0,
    hardenedRuntime: (flags & FLAG_RUNTIME) !== 0,
    hashType: kind.name,
    pageSize,
    codeLimit,
    cdHash: hashWith(kind.name, bytes).subarray(0, CD_HASH_SIZE).toString('hex'),
  };
  return { directory, bytes, hashSize: kind.size, hashesAt, pages, specialSlots };
}

function readPageSize(reader: ByteReader, shift: number): number | null {
  if (shift === 0) return null;
  if (shift < PAGE_SHIFTS.least || shift > PAGE_SHIFTS.most) {
    throw reader.error(`has a code directory with pages of 2^${shift} bytes`);
  }
  return 2 ** shift;
}

function readLimit(reader: ByteReader, bytes: Buffer, version: number): number {
  const large = version >= VERSION_LIMIT_64 && bytes.length >= 64 ? bytes.readBigUInt64BE(56) : 0n;
  const limit = large === 0n ? BigInt(bytes.readUInt32BE(32)) : large;
  if (limit > BigInt(reader.bytes.length))
    throw reader.error(`has a code signature over ${limit} bytes, which is more than all`);
  return Number(limit);
}

function textAt(reader: ByteReader, bytes: Buffer, offset: number): string {
  const end = offset < bytes.length ? bytes.indexOf(0, offset) : -1;
  if (end < 0) throw reader.error('has a code directory with a name that does not end in it');
  return bytes.toString('utf8', offset, end);
}
