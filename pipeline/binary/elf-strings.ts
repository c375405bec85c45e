import type { ByteReader } from './byte-reader.ts';
import type { DynamicSegment } from './elf-dynamic.ts';
import { requireOffset } from './elf-header.ts';
import type { Segment } from './elf-types.ts';
import { createStringTable, type StringTable } from './string-table.ts';

/** The string table of the dynamic segment. */
export function dynamicStrings(
  reader: ByteReader,
  segments: readonly Segment[],
  { values }: DynamicSegment,
): StringTable {
  const address = values.get('STRTAB');
  const size = values.get('STRSZ');
  if (address === undefined || size === undefined) {
    return (_, what) => {
      throw reader.error(`has a name for ${what}, but no string table`);
    };
  }
  const start = requireOffset(reader, segments, { address, size, what: 'the string table' });
  return createStringTable(reader, start, Number(size));
}
