import type { ByteReader } from './byte-reader.ts';
import { type ProgramHeader, requireOffset } from './elf-header.ts';
import type { Segment } from './elf-types.ts';

/** Tags of the dynamic segment that are read; numbers from the System V ABI and the GNU extensions to it. */
const TAGS = {
  STRTAB: 5n,
  STRSZ: 10n,
  SYMTAB: 6n,
  SYMENT: 11n,
  HASH: 4n,
  GNU_HASH: 0x6ffffef5n,
  RELA: 7n,
  RELASZ: 8n,
  JMPREL: 23n,
  PLTRELSZ: 2n,
  SONAME: 14n,
  RPATH: 15n,
  RUNPATH: 29n,
  FLAGS_1: 0x6ffffffbn,
  VERSYM: 0x6ffffff0n,
  VERDEF: 0x6ffffffcn,
  VERDEFNUM: 0x6ffffffdn,
  VERNEED: 0x6ffffffen,
  VERNEEDNUM: 0x6fffffffn,
} as const;

export type DynamicTag = keyof typeof TAGS;

const NAMES: ReadonlyMap<bigint, DynamicTag> = new Map(
  (Object.keys(TAGS) as DynamicTag[]).map((name) => [TAGS[name], name]),
);
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const ENTRY_SIZE = 16;
const PT_DYNAMIC = 2;
/** Real files have a few dozen entries, and one more for each library needed. */
const MAX_ENTRIES = 4096;

/** The dynamic segment: what the loader is told, still as numbers. */
export interface DynamicSegment {
  readonly values: ReadonlyMap<DynamicTag, bigint>;
  /** Offsets of the needed sonames in the string table. */
  readonly needed: readonly bigint[];
}

const EMPTY: DynamicSegment = { values: new Map(), needed: [] };

/**
 * Reads the dynamic segment, or an empty one where the file has none.
 * A tag given twice is refused: loaders differ in which one they take.
 */
export function readDynamic(
  reader: ByteReader,
  headers: readonly ProgramHeader[],
  segments: readonly Segment[],
): DynamicSegment {
  const found = headers.filter(({ type }) => type === PT_DYNAMIC);
  const header = found[0];
  if (header === undefined) return EMPTY;
  if (found.length > 1) throw reader.error('has more than one dynamic segment');
  const size = BigInt(header.fileSize);
  const start = requireOffset(reader, segments, { address: header.address, size, what: 'the dynamic segment' });
  if (start !== header.offset) {
    throw reader.error(
      'gives two places for its dynamic segment: not a file that the loader can use (debug data only?)',
    );
  }
  return readEntries(reader, start, Math.floor(header.fileSize / ENTRY_SIZE));
}

function readEntries(reader: ByteReader, start: number, room: number): DynamicSegment {
  const values = new Map<DynamicTag, bigint>();
  const needed: bigint[] = [];
  for (let index = 0; index < room; index += 1) {
    if (index >= MAX_ENTRIES) throw reader.error(`has more than ${MAX_ENTRIES} entries in its dynamic segment`);
    const at = start + index * ENTRY_SIZE;
    const tag = reader.u64(at, 'the dynamic segment');
    const value = reader.u64(at + 8, 'the dynamic segment');
    if (tag === DT_NULL) return { values, needed };
    if (tag === DT_NEEDED) needed.push(value);
    const name = NAMES.get(tag);
    if (name === undefined) continue;
    if (values.has(name)) throw reader.error(`has two DT_${name} entries in its dynamic segment`);
    values.set(name, value);
  }
  throw reader.error('has a dynamic segment without an end mark');
}
