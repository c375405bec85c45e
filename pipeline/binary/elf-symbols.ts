import type { ByteReader } from './byte-reader.ts';
import type { DynamicSegment } from './elf-dynamic.ts';
import { requireOffset } from './elf-header.ts';
import type { ExportedSymbol, ImportedSymbol, Segment, SymbolType } from './elf-types.ts';
import type { VersionTables } from './elf-versions.ts';
import type { StringTable } from './string-table.ts';

export interface DynamicSymbols {
  readonly exports: readonly ExportedSymbol[];
  readonly imports: readonly ImportedSymbol[];
}

const SYMBOL_SIZE = 24;
const VERSION_SIZE = 2;
const UNDEFINED_SECTION = 0;
const ABSOLUTE_SECTION = 0xfff1;
const BIND_GLOBAL = 1;
const BIND_WEAK = 2;
const BIND_UNIQUE = 10;
/** Visibility default and protected: the other two (internal, hidden) keep a symbol inside its file. */
const VISIBLE: ReadonlySet<number> = new Set([0, 3]);
const INDEX_MASK = 0x7fff;
const TYPES: readonly (SymbolType | undefined)[] = (() => {
  const types: (SymbolType | undefined)[] = ['none', 'object', 'function'];
  types[6] = 'thread-local';
  types[10] = 'indirect-function';
  return types;
})();

interface RawSymbol {
  readonly nameOffset: bigint;
  readonly bind: number;
  readonly type: SymbolType;
  readonly visible: boolean;
  readonly section: number;
  readonly address: bigint;
  readonly size: bigint;
}

/** Reads `count` dynamic symbols (the first one is always empty) with their versions. */
export function readSymbols(
  reader: ByteReader,
  segments: readonly Segment[],
  dynamic: DynamicSegment,
  tables: { readonly count: number; readonly strings: StringTable; readonly versions: VersionTables },
): DynamicSymbols {
  const exports: ExportedSymbol[] = [];
  const imports: ImportedSymbol[] = [];
  const address = dynamic.values.get('SYMTAB');
  const { count, strings, versions } = tables;
  if (address === undefined || count === 0) return { exports, imports };
  const table = { address, size: BigInt(count * SYMBOL_SIZE), what: `the table of ${count} symbols` };
  const start = requireOffset(reader, segments, table);
  const versionOf = versionReader(reader, segments, dynamic, { count, versions });
  for (let index = 1; index < count; index += 1) {
    const symbol = readSymbol(reader, start + index * SYMBOL_SIZE);
    const linkable = symbol.bind === BIND_GLOBAL || symbol.bind === BIND_WEAK || symbol.bind === BIND_UNIQUE;
    if (!linkable) continue;
    const name = strings(symbol.nameOffset, `symbol ${index}`);
    const version = versionOf(index);
    const weak = symbol.bind === BIND_WEAK;
    if (symbol.section === UNDEFINED_SECTION) {
      imports.push({ name, weak, version: version?.name ?? null, library: version?.library ?? null });
    } else if (symbol.visible && !(symbol.section === ABSOLUTE_SECTION && version?.name === name)) {
      // Linkers add an absolute symbol for each version that a file defines; it is no export of its own.
      const { type, address, size } = symbol;
      exports.push({ name, type, weak, address, size, version: version?.name ?? null });
    }
  }
  return { exports, imports };
}

function readSymbol(reader: ByteReader, at: number): RawSymbol {
  const what = 'the symbol table';
  const info = reader.u8(at + 4, what);
  return {
    nameOffset: BigInt(reader.u32(at, what)),
    bind: info >> 4,
    type: TYPES[info & 0xf] ?? 'other',
    visible: VISIBLE.has(reader.u8(at + 5, what) & 3),
    section: reader.u16(at + 6, what),
    address: reader.u64(at + 8, what),
    size: reader.u64(at + 16, what),
  };
}

function versionReader(
  reader: ByteReader,
  segments: readonly Segment[],
  { values }: DynamicSegment,
  { count, versions }: { readonly count: number; readonly versions: VersionTables },
) {
  const address = values.get('VERSYM');
  if (address === undefined) return () => undefined;
  const what = 'the table of symbol versions';
  const start = requireOffset(reader, segments, { address, size: BigInt(count * VERSION_SIZE), what });
  return (symbol: number) => {
    const index = reader.u16(start + symbol * VERSION_SIZE, what) & INDEX_MASK;
    const version = versions.byIndex.get(index);
    // 0 and 1 say "no version"; a base definition carries 1 too.
    if (version === undefined && index > 1) throw reader.error(`symbol ${symbol} has unknown version index ${index}`);
    return version;
  };
}
