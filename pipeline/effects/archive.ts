import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ReadEntry } from 'tar';
import { buildError } from '../plan/errors.ts';
import { diskError } from './files.ts';

/** Bounds for an archive whose own digest is not enough reason to trust its shape. */
export interface ArchiveLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly entries: number;
}

const LONGEST_NAME = 255;
const DEEPEST_PATH = 64;

/**
 * Takes one file out of a gzipped tar archive whose digest was checked before.
 * @throws BuildError A3S2004 when it is not there, is not a plain file or is longer than `sizeLimit` bytes.
 */
export async function extractMember(archive: string, member: string, to: string, sizeLimit: number): Promise<void> {
  const { Parser } = await import('tar');
  const writes: Promise<void>[] = [];
  await mkdir(dirname(to), { recursive: true });
  await parseArchive(
    archive,
    (refuse) =>
      new Parser({
        strict: true,
        onReadEntry: (entry) => {
          if (entry.path !== member) return entry.resume();
          if (entry.type !== 'File' && entry.type !== 'OldFile') return refuse(`${member} is not a plain file`);
          if (entry.size > sizeLimit) return refuse(`${member} is larger than ${sizeLimit} bytes`);
          if (writes.length > 0) return refuse(`${member} is there twice`);
          writes.push(writeEntry(entry, to, 0o644));
        },
      }),
  );
  if (writes.length === 0) throw archiveError(archive, `it holds no ${member}`);
  await Promise.all(writes).catch((error: unknown) => {
    throw diskError(to, error);
  });
}

/**
 * Unpacks a whole archive below `to`, a fresh folder. Every entry is checked before the first is written beyond it:
 * plain files, folders, and links that stay inside; no absolute paths, no `..`, no duplicates (case and Unicode form
 * folded), no devices. Owners are ours, modes 0755 or 0644.
 * @throws BuildError A3S2004.
 */
export async function extractTree(archive: string, to: string, limits: ArchiveLimits): Promise<void> {
  const { list, extract } = await import('tar');
  const seen = new Set<string>();
  let bytes = 0;
  const check = (entry: ReadEntry): string | undefined => {
    bytes += entry.size;
    if (bytes > limits.bytes) return `more than ${limits.bytes} bytes`;
    if (seen.size >= limits.entries) return `more than ${limits.entries} entries`;
    return entryFault(entry, seen);
  };
  let fault: string | undefined;
  try {
    // Two passes: a hostile entry at the end must not leave the ones before it on disk.
    await list({
      file: archive,
      strict: true,
      onReadEntry: (entry) => {
        fault ??= check(entry);
      },
    });
    if (fault !== undefined) throw archiveError(archive, fault);
    await mkdir(to, { recursive: true });
    await extract({
      file: archive,
      cwd: to,
      strict: true,
      preserveOwner: false,
      noChmod: true,
      processUmask: 0o022,
      noMtime: true,
    });
  } catch (error) {
    await rm(to, { recursive: true, force: true });
    if (isTarFault(error)) throw archiveError(archive, (error as Error).message, error);
    throw diskError(to, error);
  }
}

export interface PackEntry {
  /** Path inside the archive. */
  readonly path: string;
  /** File on disk. */
  readonly file: string;
  readonly mode: 0o644 | 0o755;
}

/**
 * Writes a gzipped tar archive that depends on nothing but its entries and `date`: sorted, uid and gid 0, the modes
 * given, no names of users, gzip header without time or system.
 * @param date Seconds since 1970.
 */
export async function packTarball(entries: readonly PackEntry[], to: string, date: number): Promise<void> {
  const { Header } = await import('tar');
  const { createGzip } = await import('node:zlib');
  const { readFile } = await import('node:fs/promises');
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  async function* blocks(): AsyncGenerator<Buffer> {
    for (const entry of sorted) {
      const content = await readFile(entry.file);
      const block = Buffer.alloc(512);
      const header = new Header({
        path: entry.path,
        mode: entry.mode,
        uid: 0,
        gid: 0,
        size: content.length,
        mtime: new Date(date * 1000),
        type: 'File',
      });
      if (header.encode(block, 0)) throw archiveError(to, `the path ${entry.path} is too long for a tar header`);
      yield block;
      yield content;
      yield Buffer.alloc((512 - (content.length % 512)) % 512);
    }
    yield Buffer.alloc(1024);
  }
  try {
    await mkdir(dirname(to), { recursive: true });
    await pipeline(blocks, createGzip({ level: 9 }), normalizeGzipHeader, createWriteStream(to));
  } catch (error) {
    await rm(to, { force: true });
    throw diskError(to, error);
  }
}

/** One entry of an archive, as it was read back. */
export interface ArchiveFile {
  readonly path: string;
  /** `File` for a plain file; else what tar calls it. */
  readonly type: string;
  readonly mode: number;
  readonly content: Buffer;
}

/**
 * Reads a whole archive into memory, in its own order.
 * @throws BuildError A3S2004 when it is damaged or larger than `limits`.
 */
export async function readArchive(archive: string, limits: ArchiveLimits): Promise<ArchiveFile[]> {
  const { Parser } = await import('tar');
  const files: ArchiveFile[] = [];
  let bytes = 0;
  await parseArchive(
    archive,
    (refuse) =>
      new Parser({
        strict: true,
        onReadEntry: (entry) => {
          bytes += entry.size;
          if (bytes > limits.bytes) return refuse(`more than ${limits.bytes} bytes`);
          if (files.length >= limits.entries) return refuse(`more than ${limits.entries} entries`);
          const chunks: Buffer[] = [];
          entry.on('data', (chunk: Buffer) => chunks.push(chunk));
          entry.on('end', () => {
            files.push({ path: entry.path, type: entry.type, mode: entry.mode ?? 0, content: Buffer.concat(chunks) });
          });
        },
      }),
  );
  return files;
}

/** Byte 9 of a gzip stream names the system that made it (RFC 1952): 255, unknown, on all of them. */
async function* normalizeGzipHeader(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of source) {
    if (position <= 9 && position + chunk.length > 9) chunk[9 - position] = 255;
    position += chunk.length;
    yield chunk;
  }
}

async function parseArchive(archive: string, makeParser: (refuse: (reason: string) => void) => unknown): Promise<void> {
  const { createReadStream } = await import('node:fs');
  let reason: string | undefined;
  const source = createReadStream(archive);
  const parser = makeParser((text) => {
    reason ??= text;
    source.destroy(archiveError(archive, text));
  }) as NodeJS.WritableStream;
  try {
    await new Promise<void>((resolve, reject) => {
      parser.once('end', resolve);
      parser.once('error', reject);
      source.once('error', reject);
      source.pipe(parser);
    });
  } catch (error) {
    if (reason !== undefined || isTarFault(error))
      throw archiveError(archive, reason ?? (error as Error).message, error);
    throw diskError(archive, error);
  }
}

function writeEntry(entry: ReadEntry, to: string, mode: number): Promise<void> {
  return pipeline(entry as unknown as NodeJS.ReadableStream, createWriteStream(to, { mode, flags: 'wx' }));
}

function entryFault(entry: ReadEntry, seen: Set<string>): string | undefined {
  const path = entry.path.replace(/\/$/, '');
  if (isUnsafePath(path)) return `unsafe path ${JSON.stringify(entry.path)}`;
  const folded = path.normalize('NFC').toLowerCase();
  if (seen.has(folded)) return `two entries named ${JSON.stringify(path)}`;
  seen.add(folded);
  if (entry.type === 'SymbolicLink') {
    const target = entry.linkpath ?? '';
    const inside = join(dirname(path), target);
    return target.startsWith('/') || inside.startsWith('..') ? `link ${path} leads outside` : undefined;
  }
  if (entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'Directory') return undefined;
  return `${path} is a ${entry.type}`;
}

function isUnsafePath(path: string): boolean {
  const parts = path.split('/');
  return (
    path === '' ||
    path.startsWith('/') ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    /[\u0000-\u001f\u007f\\]/.test(path) ||
    parts.length > DEEPEST_PATH ||
    parts.some((part) => part === '..' || part.length > LONGEST_NAME || part.startsWith('-'))
  );
}

function isTarFault(error: unknown): boolean {
  return (
    error instanceof Error && ('tarCode' in error || /^(TAR_|Z_|ZLIB)/.test(String((error as { code?: string }).code)))
  );
}

function archiveError(archive: string, reason: string, origin?: unknown): Error {
  return buildError('A3S2004', { message: `archive refused: ${reason}`, where: { file: archive } }, origin);
}
