import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { buildError } from '../plan/errors.ts';
import { statIfThere, withDiskErrors } from './files.ts';
import {
  givenUp,
  type Headers,
  headerText,
  PassingFault,
  passingOrThrow,
  printableUrl,
  redirectTarget,
  refusal,
  speedWatch,
  withoutCredentials,
} from './http-faults.ts';

import { makeDispatcher, type Network } from './http-network.ts';

export { printableUrl } from './http-faults.ts';
export type { Network } from './http-network.ts';

export interface Download {
  readonly url: string;
  /** Sent to the first server only: a redirect to another origin goes without. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Exact bytes where pinned; one byte more stops the download. */
  readonly size?: number | undefined;
  /** Bytes at most, where the exact size is not known. */
  readonly sizeLimit: number;
  /** File that receives the bytes; what an earlier try left there is continued. */
  readonly partial: string;
  readonly network: Network;
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly signal?: AbortSignal | undefined;
  /** For tests: waits and limits in milliseconds. */
  readonly timing?: Partial<Timing>;
}

interface Timing {
  readonly connect: number;
  /** No byte for this long ends a try. */
  readonly stall: number;
  /** Below `minimumSpeed` bytes a second over this long ends a try. */
  readonly slow: number;
  readonly minimumSpeed: number;
  /** First wait between tries; doubles, with jitter. */
  readonly backoff: number;
  /** Longest wait that a server may ask for. */
  readonly retryAfterCap: number;
}

const TIMING: Timing = {
  connect: 20_000,
  stall: 20_000,
  slow: 30_000,
  minimumSpeed: 2048,
  backoff: 500,
  retryAfterCap: 60_000,
};

const TRIES = 5;
const MAX_REDIRECTS = 5;

/**
 * Downloads a file, continuing after interruptions. The caller verifies the bytes, and removes them where they are
 * wrong: resuming across a changed file gives wrong ones, and a server may send another file whole; only a pinned
 * digest can tell.
 * @throws BuildError A3S2002 no answer, A3S2005 refused, A3S2001 too long, A3S2006 redirect to an unencrypted address,
 * A3S5001/A3S5002 disk; the abort reason when aborted.
 */
export async function download(request: Download): Promise<void> {
  const timing = { ...TIMING, ...request.timing };
  request.signal?.throwIfAborted();
  const dispatcher = await makeDispatcher(request.network, timing);
  try {
    await tryRepeatedly({ ...request, dispatcher, timing });
  } finally {
    // Not close(): that waits for answers that nobody reads any more.
    await dispatcher.destroy();
  }
}

interface Transfer extends Download {
  readonly dispatcher: Dispatcher;
  readonly timing: Timing;
  /** Validator of the version of the file that is being received. */
  etag?: string | undefined;
}

async function tryRepeatedly(transfer: Transfer): Promise<void> {
  let last: Error | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (last !== undefined) await pause(waitBefore(attempt, last, transfer.timing), transfer.signal);
    try {
      return await attemptDownload(transfer);
    } catch (error) {
      transfer.signal?.throwIfAborted();
      last = passingOrThrow(error, transfer.url);
    }
  }
  throw givenUp(transfer.url, last ?? new Error('no try was made'), TRIES);
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function attemptDownload(transfer: Transfer): Promise<void> {
  const { partial, size } = transfer;
  const have = Number(statIfThere(partial)?.size ?? 0n);
  if (size !== undefined && have === size) return;
  const resume = size !== undefined && have > 0 && have < size;
  if (!resume) await discardPartial(transfer);
  const { response, url } = await openFollowing(transfer, resume ? have : 0);
  // Errors of the body are seen where it is read; one that is never read must not end the program.
  response.body.on('error', () => {});
  try {
    const appends = resume && continuesAt(response, have, transfer);
    if (resume && !appends && response.statusCode === 206) {
      await discardPartial(transfer);
      throw new PassingFault(`${printableUrl(url)} sent another part of the file than was asked for`);
    }
    transfer.etag = headerText(response.headers, 'etag');
    await receive(transfer, response, appends ? have : 0);
  } finally {
    response.body.destroy();
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Headers;
  readonly body: Readable;
}

async function openFollowing(transfer: Transfer, from: number): Promise<{ response: Answer; url: string }> {
  const { request: send } = (await import('undici')).default;
  const { dispatcher, signal } = transfer;
  // undici 7 ends the program (nodejs/undici#5360) when a connection closes while its body waits to be read. A body
  // that never fills its buffer never waits; the price is memory, at most the file's size, where the disk is slow.
  const highWaterMark = limitOf(transfer) + 1;
  let url = transfer.url;
  let headers: Record<string, string> = {
    ...transfer.headers,
    'accept-encoding': 'identity',
    ...range(transfer, from),
  };
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(url, { dispatcher, headers, highWaterMark, ...(signal ? { signal } : {}) });
    if (response.statusCode === 200 || response.statusCode === 206) return { response, url };
    response.body.on('error', () => {});
    response.body.destroy();
    if (response.statusCode === 416 && from > 0) {
      await discardPartial(transfer);
      throw new PassingFault(`${printableUrl(url)} has no such part of the file`);
    }
    const location = headerText(response.headers, 'location');
    if (response.statusCode < 300 || response.statusCode > 399 || location === undefined) {
      throw refusal(url, response.statusCode, response.headers);
    }
    const next = redirectTarget(url, location);
    if (next.origin !== new URL(url).origin) headers = withoutCredentials(headers);
    url = next.href;
  }
  throw buildError('A3S2005', { message: `${printableUrl(transfer.url)} redirects more than ${MAX_REDIRECTS} times` });
}

/** If-Range makes a server whose file has changed since send the whole one; a weak validator does not do for that. */
function range({ etag }: Transfer, from: number): Record<string, string> {
  if (from === 0) return {};
  const strong = etag?.startsWith('"') ? { 'if-range': etag } : {};
  return { range: `bytes=${from}-`, ...strong };
}

function limitOf({ size, sizeLimit }: Download): number {
  return size ?? sizeLimit;
}

async function receive(transfer: Transfer, response: Answer, offset: number): Promise<void> {
  const { partial, size, onProgress } = transfer;
  const limit = limitOf(transfer);
  const speed = speedWatch(transfer.timing);
  let received = offset;
  const file = await withDiskErrors(partial, async () => {
    await mkdir(dirname(partial), { recursive: true });
    return open(partial, offset > 0 ? 'a' : 'w');
  });
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limit) break;
      await withDiskErrors(partial, () => file.writeFile(chunk));
      onProgress?.(received, size);
      speed(chunk.length);
    }
  } finally {
    await withDiskErrors(partial, () => file.close());
  }
  if (received > limit) {
    await discardPartial(transfer);
    throw buildError('A3S2001', {
      message: `${printableUrl(transfer.url)} sends more than the ${limit} bytes of the pin`,
    });
  }
  if (size !== undefined && received < size && !isWhole(response)) {
    throw new PassingFault(`the connection ended after ${received} of ${size} bytes`);
  }
}

/**
 * Whether an answer that ended without error was sent to its end. Then a short one is another file, such as the login
 * page of a proxy, which asking again does not change; one that ends with the connection may have been cut.
 */
function isWhole({ statusCode, headers }: Answer): boolean {
  return statusCode === 200 && (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined);
}

function continuesAt(response: Answer, offset: number, { size, etag }: Transfer): boolean {
  if (response.statusCode !== 206) return false;
  const now = headerText(response.headers, 'etag');
  if (etag !== undefined && now !== undefined && now !== etag) return false;
  const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerText(response.headers, 'content-range') ?? '');
  return found !== null && Number(found[1]) === offset && (found[2] === '*' || Number(found[2]) === size);
}

function waitBefore(attempt: number, last: Error, timing: Timing): number {
  const asked = last instanceof PassingFault ? last.waitMs : undefined;
  if (asked !== undefined) return Math.min(asked, timing.retryAfterCap);
  return timing.backoff * 2 ** (attempt - 1) * (0.5 + Math.random());
}

async function discardPartial(transfer: Transfer): Promise<void> {
  transfer.etag = undefined;
  await withDiskErrors(transfer.partial, () => rm(transfer.partial, { force: true }));
}
