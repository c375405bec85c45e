import { type BuildError, buildError } from '../plan/errors.ts';

/** Reads little-endian values out of a file that nobody has checked yet: no read ever leaves `bytes`. */
export interface ByteReader {
  readonly bytes: Uint8Array;
  /** The A3S1205 for this file; `message` says what is wrong with it. */
  error(message: string): BuildError;
  /** Throws A3S1205 unless `size` bytes at `offset` lie in the file; `what` names them in the message. */
  need(offset: number, size: number, what: string): void;
  u8(offset: number, what: string): number;
  u16(offset: number, what: string): number;
  u32(offset: number, what: string): number;
  u64(offset: number, what: string): bigint;
  /** A 64-bit offset, size or count as a number; throws A3S1205 where it is beyond 2^53 and thus beyond any file. */
  word(offset: number, what: string): number;
  /** A view (no copy) of `size` bytes at `offset`. */
  slice(offset: number, size: number, what: string): Uint8Array;
}

/** @param file name of the file for messages, where it is known */
export function createByteReader(bytes: Uint8Array, file?: string): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const error = (message: string): BuildError =>
    buildError('A3S1205', {
      message: file === undefined ? message : `${printable(file)}: ${message}`,
      ...(file === undefined ? {} : { where: { file } }),
    });
  const need = (offset: number, size: number, what: string): void => {
    const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(size) && offset >= 0 && size >= 0;
    if (!inside || offset > bytes.length || size > bytes.length - offset) {
      throw error(
        `${what} needs ${size} bytes at ${offset}, but the file ends at ${bytes.length}: truncated or damaged`,
      );
    }
  };
  const checked = (offset: number, size: number, what: string): number => {
    need(offset, size, what);
    return offset;
  };
  const u64 = (offset: number, what: string): bigint => view.getBigUint64(checked(offset, 8, what), true);
  return {
    bytes,
    error,
    need,
    u8: (offset, what) => view.getUint8(checked(offset, 1, what)),
    u16: (offset, what) => view.getUint16(checked(offset, 2, what), true),
    u32: (offset, what) => view.getUint32(checked(offset, 4, what), true),
    u64,
    word: (offset, what) => {
      const value = u64(offset, what);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw error(`${what} is ${value}, which no file can hold`);
      return Number(value);
    },
    slice: (offset, size, what) => bytes.subarray(checked(offset, size, what), offset + size),
  };
}

/** Text out of a file made safe for a terminal: anything that is not a plain printable character shows as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Bytes as text for a message: what is not printable ASCII shows as a dot. */
export function printableBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
}
