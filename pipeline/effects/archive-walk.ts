import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ReadEntry } from 'tar';
import { buildError } from '../plan/errors.ts';
import type { ArchiveLimits } from './archive-checks.ts';
import { diskError } from './files.ts';

const BLOCK = 512;
const ZEROS = Buffer.alloc(BLOCK);
/** Unpacked bytes at most of an archive of which one member is wanted; the known ones have under 100 MB. */
export const WALK_CAP = 1024 * 1024 * 1024;

/** Unpacked bytes at most: contents, plus headers, long names and padding of every entry, plus the end. */
export function rawCap(limits: ArchiveLimits): number {
  return limits.bytes + limits.entries * 16 * BLOCK + 1024 * 1024;
}

/**
 * Hands every entry to `visit`, which must take it in at once (`resume` or a `data` listener) and may throw. Refuses
 * what tar readers differ about: a missing end, anything after the end, entries of unknown kinds, packing inside packing.
 */
export async function walkArchive(archive: string, cap: number, visit: (entry: ReadEntry) => void): Promise<void> {
  const { Parser } = await import('tar');
  let fault: unknown;
  let half = false;
  let ended = false;
  const parser = new Parser({ strict: true, zstd: false, onReadEntry: visit });
  parser.on('error', (error: unknown) => {
    fault ??= error;
  });
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    fault ??= refusal(archive, `it holds an entry of the unknown type ${JSON.stringify(entry.type)}`);
  });
  parser.on('nullBlock', () => {
    half = true;
  });
  parser.on('eof', () => {
    ended = true;
  });
  const write = (bytes: Buffer): void => {
    const endsHere = half;
    parser.write(bytes);
    if (fault !== undefined) throw fault;
    if (endsHere && !ended) throw refusal(archive, 'there is an end in its middle');
  };
  try {
    await unpacked(archive, cap, (blocks) => {
      for (let at = 0; at < blocks.length; ) {
        const zeros = ended ? at : nextZeros(blocks, at);
        if (zeros > at) write(blocks.subarray(at, zeros));
        const block = blocks.subarray(zeros, zeros + BLOCK);
        if (block.length === 0) return;
        if (!ended) write(block);
        else if (!block.equals(ZEROS)) throw refusal(archive, 'there is something after its end');
        at = zeros + BLOCK;
      }
    });
    if (!ended) throw refusal(archive, 'its end is missing');
  } catch (error) {
    if (isFormatFault(error)) throw refusal(archive, error.message, error);
    throw diskError(archive, error);
  }
}

/** Offset of the first block of zeros from `at`, which may be the archive's end; the length where there is none. */
function nextZeros(blocks: Buffer, at: number): number {
  for (let offset = at; offset < blocks.length; offset += BLOCK) {
    if (blocks[offset] === 0 && blocks.subarray(offset, offset + BLOCK).equals(ZEROS)) return offset;
  }
  return blocks.length;
}

/** Reads the archive, unpacks it where it is gzipped, and hands on whole blocks. */
async function unpacked(archive: string, cap: number, take: (blocks: Buffer) => void): Promise<void> {
  const { createGunzip } = await import('node:zlib');
  const magic = Buffer.from([0x1f, 0x8b]);
  let total = 0;
  let fault: unknown;
  const consume = async (source: AsyncIterable<Buffer>): Promise<void> => {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of source) {
      total += chunk.length;
      if (total > cap) throw refusal(archive, `it unpacks to more than ${cap} bytes`);
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (total === bytes.length && bytes.subarray(0, 2).equals(magic)) throw refusal(archive, 'it is packed twice');
      const whole = bytes.length - (bytes.length % BLOCK);
      rest = bytes.subarray(whole);
      take(bytes.subarray(0, whole));
    }
    if (rest.length > 0) throw refusal(archive, 'it ends in the middle of a block');
  };
  if (!(await startsWith(archive, magic))) return consume(createReadStream(archive));
  const gunzip = createGunzip();
  const file = createReadStream(archive);
  // pipeline() reports what `consume` threw as an abort; the fault itself says more.
  const noted = (source: AsyncIterable<Buffer>): Promise<void> =>
    consume(source).catch((error: unknown) => {
      fault = error;
    });
  await pipeline(file, gunzip, noted).catch((error: unknown) => {
    fault ??= error;
  });
  if (fault !== undefined) throw fault;
  if (gunzip.bytesWritten !== file.bytesRead) throw refusal(archive, 'there is something after its packed data');
}

async function startsWith(path: string, bytes: Buffer): Promise<boolean> {
  const chunks = createReadStream(path, { end: bytes.length - 1 });
  for await (const chunk of chunks as AsyncIterable<Buffer>) return chunk.equals(bytes);
  return false;
}

/** Faults that tar and zlib report, unlike those of the system. */
function isFormatFault(error: unknown): error is Error {
  return error instanceof Error && ('tarCode' in error || /^Z_/.test(String((error as { code?: string }).code)));
}

/** The failure for an archive that must not be used. */
export function refusal(archive: string, reason: string, origin?: unknown): Error {
  return buildError('A3S2004', { message: `archive refused: ${reason}`, where: { file: archive } }, origin);
}
