import type { ByteReader } from './byte-reader.ts';
import type { DynamicSegment } from './elf-dynamic.ts';
import { requireOffset } from './elf-header.ts';
import type { Segment } from './elf-types.ts';

/** Text at an offset of the dynamic string table; `what` names its user in messages. */
export type StringTable = (offset: bigint, what: string) => string;

/** The longest C++ symbol names are some ten thousand bytes. */
const MAX_NAME = 65_536;
/**
 * Bytes of text read from one table in all. Names may share their tails, so that a small table can stand for more
 * text than it holds; this keeps a forged one from standing for gigabytes.
 */
const MAX_TEXT = 64 * 1024 * 1024;

export function createStringTable(
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
  const table = Buffer.from(reader.bytes.buffer, reader.bytes.byteOffset + start, Number(size));
  let left = MAX_TEXT;
  return (offset, what) => {
    if (offset >= size) throw reader.error(`the name of ${what} lies outside the string table`);
    const from = Number(offset);
    const rest = table.subarray(from, from + MAX_NAME);
    const length = rest.indexOf(0);
    if (length < 0) throw reader.error(`the name of ${what} has no end`);
    left -= length;
    if (left < 0) throw reader.error(`holds more than ${MAX_TEXT} bytes of names`);
    return rest.toString('utf8', 0, length);
  };
}
