import type { ByteReader } from './byte-reader.ts';

/** Text at an offset of a string table; `what` names its user in messages. */
export type StringTable = (offset: bigint, what: string) => string;

/** The longest C++ symbol names are some ten thousand bytes. */
export const MAX_NAME = 65_536;
/**
 * Bytes of text read from one table in all. Names may share their tails, so that a small table can stand for more
 * text than it holds; this keeps a forged one from standing for gigabytes.
 */
export const MAX_TEXT = 64 * 1024 * 1024;

/**
 * Reads zero-terminated names out of `size` bytes at `start`.
 * @throws BuildError A3S1205 where the table, or a name that is asked for, lies outside.
 */
export function createStringTable(reader: ByteReader, start: number, size: number): StringTable {
  const { buffer, byteOffset, byteLength } = reader.slice(start, size, 'the string table');
  const table = Buffer.from(buffer, byteOffset, byteLength);
  let left = MAX_TEXT;
  return (offset, what) => {
    if (offset >= BigInt(size)) throw reader.error(`the name of ${what} lies outside the string table`);
    const from = Number(offset);
    const rest = table.subarray(from, from + MAX_NAME);
    const length = rest.indexOf(0);
    if (length < 0) throw reader.error(`the name of ${what} has no end`);
    left -= length;
    if (left < 0) throw reader.error(`holds more than ${MAX_TEXT} bytes of names`);
    return rest.toString('utf8', 0, length);
  };
}
