import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { buildError } from '../plan/errors.ts';
import { diskError, statIfThere } from './files.ts';

/** What the bytes of an archive must be; at least one digest is given. */
export interface ArchivePin {
  readonly size?: number | undefined;
  /** SRI digest, `sha512-<base64>`. */
  readonly integrity?: string | undefined;
  /** Lower-case hexadecimal. */
  readonly sha256?: string | undefined;
}

/** Whether the file is there and has the pinned bytes. */
export async function matchesArchive(file: string, pin: ArchivePin): Promise<boolean> {
  const stat = statIfThere(file);
  if (stat === undefined || (pin.size !== undefined && Number(stat.size) !== pin.size)) return false;
  return (await differences(file, pin)).length === 0;
}

/**
 * Checks a whole file against its pin, before anything parses it.
 * @param origin Address or path for the message.
 * @throws BuildError A3S2001 with expected and actual digest and size.
 */
export async function verifyArchive(file: string, pin: ArchivePin, origin: string): Promise<void> {
  const found = await differences(file, pin);
  const difference = found[0];
  if (difference === undefined) return;
  const kind = await lookOf(file);
  throw buildError('A3S2001', {
    message: `${origin}: expected ${difference.expected}, got ${difference.actual} (${statIfThere(file)?.size ?? 0} bytes)`,
    ...(kind === undefined ? {} : { cause: `The file is ${kind}, not an archive: a proxy or login page on the way?` }),
    where: { file },
  });
}

/** @throws BuildError A3S2001 with expected and actual digest. */
export async function verifyFile(file: string, pin: { size: number; sha256: string }, origin: string): Promise<void> {
  await verifyArchive(file, pin, origin);
}

interface Difference {
  readonly expected: string;
  readonly actual: string;
}

async function differences(file: string, pin: ArchivePin): Promise<Difference[]> {
  const sha256 = createHash('sha256');
  const sha512 = createHash('sha512');
  let size = 0;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (pin.sha256 !== undefined) sha256.update(chunk);
      if (pin.integrity !== undefined) sha512.update(chunk);
    }
  } catch (error) {
    throw diskError(file, error);
  }
  const compared: [string | undefined, string][] = [
    [pin.sha256 && `sha256 ${pin.sha256}`, `sha256 ${sha256.digest('hex')}`],
    [pin.integrity, `sha512-${sha512.digest('base64')}`],
    [pin.size === undefined ? undefined : `${pin.size} bytes`, `${size} bytes`],
  ];
  return compared.flatMap(([expected, actual]) =>
    expected === undefined || expected === actual ? [] : [{ expected, actual }],
  );
}

/** What a file that is no archive looks like, where that explains how it came here. */
async function lookOf(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const start = buffer.toString('latin1', 0, bytesRead).trimStart().toLowerCase();
    if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'an HTML page';
    if (start.startsWith('version https://git-lfs')) return 'a Git LFS pointer';
    if (start.startsWith('{')) return 'a JSON document';
    return undefined;
  } finally {
    await file.close();
  }
}
