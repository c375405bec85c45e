import type { ByteReader } from './byte-reader.ts';
import { singleCommand } from './macho-commands.ts';
import type { MachOHeader } from './macho-header.ts';
import type { LoadedLibrary, MachOExport, MachOImport } from './macho-types.ts';
import { createStringTable } from './string-table.ts';

const SYMBOL_SIZE = 16;
const WHAT = 'the symbol table';
/** Parts of n_type. */
const DEBUGGING = 0xe0;
const PRIVATE = 0x10;
const TYPE = 0x0e;
const EXTERNAL = 0x01;
const TYPE_UNDEFINED = 0;
const TYPE_ABSOLUTE = 2;
/** Parts of n_desc. */
const WEAK_IMPORT = 0x40;
const WEAK_EXPORT = 0x80;
/** Ordinals that name no library. */
const ORDINALS: ReadonlyMap<number, 'self' | 'executable' | 'any'> = new Map([
  [0, 'self'],
  [0xfe, 'any'],
  [0xff, 'executable'],
]);

export interface MachOSymbols {
  readonly imports: readonly MachOImport[];
  /** Symbols that are visible to others, for files without a table of exports. */
  readonly visible: readonly MachOExport[];
}

/** Reads LC_SYMTAB. */
export function readMachOSymbols(
  reader: ByteReader,
  header: MachOHeader,
  libraries: readonly LoadedLibrary[],
): MachOSymbols {
  const imports: MachOImport[] = [];
  const visible: MachOExport[] = [];
  const command = singleCommand(reader, header, 'SYMTAB', 24);
  if (command === null) return { imports, visible };
  const [start, count, stringsAt, stringsSize] = [8, 12, 16, 20].map((field) => reader.u32(command.at + field, WHAT));
  if (start === undefined || count === undefined || stringsAt === undefined || stringsSize === undefined) {
    return { imports, visible };
  }
  reader.need(start, count * SYMBOL_SIZE, `the table of ${count} symbols`);
  const strings = createStringTable(reader, stringsAt, stringsSize);
  for (let index = 0; index < count; index += 1) {
    const at = start + index * SYMBOL_SIZE;
    const type = reader.u8(at + 4, WHAT);
    if ((type & DEBUGGING) !== 0 || (type & EXTERNAL) === 0) continue;
    const description = reader.u16(at + 6, WHAT);
    const value = reader.u64(at + 8, WHAT);
    const name = strings(BigInt(reader.u32(at, WHAT)), `symbol ${index}`);
    // An undefined symbol with a value is no import but a common block, which only objects have.
    if ((type & TYPE) === TYPE_UNDEFINED) {
      if (value !== 0n) continue;
      const from = header.twoLevel ? libraryOf(reader, description >>> 8, libraries) : 'any';
      imports.push({ name, weak: (description & WEAK_IMPORT) !== 0, from });
    } else if ((type & PRIVATE) === 0) {
      const kind = (type & TYPE) === TYPE_ABSOLUTE ? 'absolute' : 'regular';
      visible.push({ name, weak: (description & WEAK_EXPORT) !== 0, kind, address: value });
    }
  }
  return { imports, visible };
}

function libraryOf(reader: ByteReader, ordinal: number, libraries: readonly LoadedLibrary[]): MachOImport['from'] {
  const special = ORDINALS.get(ordinal);
  if (special !== undefined) return special;
  const library = libraries[ordinal - 1];
  if (library === undefined) throw reader.error(`a symbol is to come from library ${ordinal} of ${libraries.length}`);
  return { library: library.name };
}
