import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { diskError, withDiskErrors } from './files.ts';

/** Bytes of standard output that are kept in memory; logs on disk are whole. `cargo metadata` prints under 2 MB. */
const OUTPUT_CAP = 8 * 1024 * 1024;
/** Longest line that is handed to `onLine`; the rest of it goes to the log only. */
const LINE_CAP = 8192;
const TAIL_LINES = 60;
/** A file that takes what a child prints. */
export interface Log {
  /** Writes in order; false asks to wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(resume: () => void): void;
  onFault(stop: (error: unknown) => void): void;
  close(): Promise<void>;
}

/**
 * Opens a log to add to; its folder is made.
 * @throws BuildError A3S5001 or A3S5002.
 */
export async function openLog(path: string): Promise<Log> {
  const stream = await withDiskErrors(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const opening = createWriteStream(path, { flags: 'a' });
    await once(opening, 'open');
    return opening;
  });
  // Heard by `onFault` while the child runs; after that, an error must not end the program either.
  stream.on('error', () => {});
  return {
    write: (chunk) => stream.write(chunk),
    onDrain: (resume) => void stream.once('drain', resume),
    onFault: (stop) => void stream.once('error', (error) => stop(diskError(path, error))),
    close: () => new Promise((resolve) => (stream.destroyed ? resolve() : stream.end(() => resolve()))),
  };
}

/** Keeps what a result needs of a child's output, and no more than that. */
export function collectOutput(onLine: ((line: string) => void) | undefined) {
  const kept: Buffer[] = [];
  let bytes = 0;
  const tail: string[] = [];
  const lines = lineSplitter((line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    onLine?.(line);
  });
  return {
    printed: (chunk: Buffer): void => lines(chunk),
    keep(chunk: Buffer): void {
      if (bytes < OUTPUT_CAP) kept.push(chunk.subarray(0, OUTPUT_CAP - bytes));
      bytes += chunk.length;
    },
    result(): { stdout: string; tail: readonly string[] } {
      lines.flush();
      return { stdout: Buffer.concat(kept).toString('utf8'), tail };
    },
  };
}

function lineSplitter(onLine: (line: string) => void) {
  // Characters of several bytes may be split over two chunks.
  const decoder = new StringDecoder('utf8');
  let pending = '';
  const take = (text: string): void => {
    const line = text.slice(0, LINE_CAP).trimEnd();
    if (line !== '') onLine(line);
  };
  const push = (chunk: Buffer): void => {
    const parts = (pending + decoder.write(chunk)).split(/[\r\n]+/);
    pending = (parts.pop() ?? '').slice(0, LINE_CAP);
    for (const part of parts) take(part);
  };
  return Object.assign(push, { flush: () => take(pending) });
}
