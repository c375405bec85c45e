import type { ByteReader } from './byte-reader.ts';
import type { DynamicSegment, DynamicTag } from './elf-dynamic.ts';
import { requireOffset } from './elf-header.ts';
import type { Segment, VersionNeed } from './elf-types.ts';
import type { StringTable } from './string-table.ts';

/** A version as symbols refer to it: needed from a library, or (library null) defined by this file. */
export interface SymbolVersion {
  readonly name: string;
  readonly library: string | null;
}

export interface VersionTables {
  readonly needs: readonly VersionNeed[];
  /** By the index that `.gnu.version` gives for each symbol. */
  readonly byIndex: ReadonlyMap<number, SymbolVersion>;
}

interface Place {
  readonly start: number;
  readonly count: number;
}

/** Size of the records of `.gnu.version_r` (both kinds), and of the two kinds of `.gnu.version_d`. */
const NEED_SIZE = 16;
const DEFINITION_SIZE = 20;
const DEFINITION_NAME_SIZE = 8;
const FLAG_BASE = 1;
const FLAG_WEAK = 2;
/** Bit 15 of a version index is a flag (hidden), so that no more versions than this can be told apart. */
const INDEX_MASK = 0x7fff;

export function readVersions(
  reader: ByteReader,
  segments: readonly Segment[],
  dynamic: DynamicSegment,
  strings: StringTable,
): VersionTables {
  const byIndex = new Map<number, SymbolVersion>();
  const add = (index: number, version: SymbolVersion): void => {
    if (byIndex.has(index)) throw reader.error(`gives version index ${index} twice`);
    byIndex.set(index, version);
  };
  const definitions = findTable(reader, segments, dynamic, 'VERDEF', DEFINITION_SIZE);
  if (definitions !== null) readDefinitions(reader, definitions, strings, add);
  const needs: VersionNeed[] = [];
  const needTable = findTable(reader, segments, dynamic, 'VERNEED', NEED_SIZE);
  if (needTable !== null) {
    readNeeds(reader, needTable, strings, (index, need) => {
      add(index, { name: need.version, library: need.library });
      needs.push(need);
    });
  }
  return { needs, byIndex };
}

function findTable(
  reader: ByteReader,
  segments: readonly Segment[],
  { values }: DynamicSegment,
  tag: Extract<DynamicTag, 'VERDEF' | 'VERNEED'>,
  recordSize: number,
): Place | null {
  const address = values.get(tag);
  if (address === undefined) return null;
  const count = values.get(`${tag}NUM`);
  if (count === undefined) throw reader.error(`has DT_${tag} without DT_${tag}NUM`);
  if (count > BigInt(INDEX_MASK)) throw reader.error(`claims ${count} records in DT_${tag}`);
  const what = `the version table DT_${tag}`;
  return { start: requireOffset(reader, segments, { address, size: BigInt(recordSize), what }), count: Number(count) };
}

function readNeeds(
  reader: ByteReader,
  place: Place,
  strings: StringTable,
  add: (index: number, need: VersionNeed) => void,
): void {
  const what = 'the table of needed versions';
  walk(reader, place, { what, nextAt: 12, size: NEED_SIZE }, (at) => {
    const library = strings(BigInt(reader.u32(at + 4, what)), what);
    const names = { start: at + reader.u32(at + 8, what), count: reader.u16(at + 2, what) };
    walk(reader, names, { what, nextAt: 12, size: NEED_SIZE }, (name) => {
      const weak = (reader.u16(name + 4, what) & FLAG_WEAK) !== 0;
      const version = strings(BigInt(reader.u32(name + 8, what)), what);
      add(reader.u16(name + 6, what) & INDEX_MASK, { library, version, weak });
    });
  });
}

function readDefinitions(
  reader: ByteReader,
  place: Place,
  strings: StringTable,
  add: (index: number, version: SymbolVersion) => void,
): void {
  const what = 'the table of defined versions';
  walk(reader, place, { what, nextAt: 16, size: DEFINITION_SIZE }, (at) => {
    // The base definition is the file's own name, not a version of any symbol.
    if ((reader.u16(at + 2, what) & FLAG_BASE) !== 0) return;
    const name = at + reader.u32(at + 12, what);
    reader.need(name, DEFINITION_NAME_SIZE, what);
    add(reader.u16(at + 4, what) & INDEX_MASK, { name: strings(BigInt(reader.u32(name, what)), what), library: null });
  });
}

/** Follows a list of records, each of which holds the distance to the next: always forward, `count` of them at most. */
function walk(
  reader: ByteReader,
  { start, count }: Place,
  record: { readonly what: string; readonly nextAt: number; readonly size: number },
  visit: (at: number) => void,
): void {
  let at = start;
  for (let index = 0; index < count; index += 1) {
    reader.need(at, record.size, record.what);
    visit(at);
    const distance = reader.u32(at + record.nextAt, record.what);
    if (distance === 0 && index + 1 < count) throw reader.error(`${record.what} ends before its ${count} records`);
    at += distance;
  }
}
