import { buildError } from '../plan/errors.ts';
import { printable } from './byte-reader.ts';
import { fileOffsetOf } from './elf-header.ts';
import type { ElfFile } from './elf-types.ts';

/**
 * The bytes of an exported data symbol, as a view into `bytes`; null where the file exports no such symbol.
 *
 * @throws BuildError A3S1205 where the symbol's bytes are not all in the file (zero-filled memory, or a forged size)
 */
export function readSymbolData(bytes: Uint8Array, elf: ElfFile, name: string): Uint8Array | null {
  const symbol = elf.exports.find((candidate) => candidate.name === name);
  if (symbol === undefined) return null;
  const offset = fileOffsetOf(elf.segments, symbol.address, symbol.size);
  if (offset === null || offset + Number(symbol.size) > bytes.length) {
    throw buildError('A3S1205', { message: `the ${symbol.size} bytes of '${printable(name)}' are not in the file` });
  }
  return bytes.subarray(offset, offset + Number(symbol.size));
}

/** Linux starts its banner with this, then the release as `uname -r` prints it, then who built it in parentheses. */
const BANNER = 'Linux version ';
/** Linux itself limits a release to 64 characters (__NEW_UTS_LEN). */
const RELEASE = /^(\d+\.\d+\.\d+[0-9A-Za-z.+_~-]{0,56}) \(/;
const LONGEST = 64 + ' ('.length;

/**
 * Release of the Linux kernel that a file embeds uncompressed, as `uname -r` prints it in the guest (e.g. `6.12.98`);
 * null where there is no kernel banner, or where two banners disagree.
 */
export function guestKernelRelease(bytes: Uint8Array): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let release: string | null = null;
  for (let at = buffer.indexOf(BANNER); at >= 0; at = buffer.indexOf(BANNER, at + BANNER.length)) {
    const start = at + BANNER.length;
    const found = RELEASE.exec(buffer.toString('latin1', start, start + LONGEST))?.[1];
    if (found === undefined) continue;
    if (release !== null && release !== found) return null;
    release = found;
  }
  return release;
}
