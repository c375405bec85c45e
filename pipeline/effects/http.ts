import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { type BuildError, buildError } from '../plan/errors.ts';
import { diskError, systemCode } from './files.ts';

/** How to reach servers; undefined fields come from the environment (`HTTPS_PROXY`, `NO_PROXY`). */
export interface Network {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly strictTls?: boolean | undefined;
}

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
const CREDENTIALS = new Set(['authorization', 'cookie', 'npm-otp', 'proxy-authorization']);

/** A try that may succeed when repeated. */
class PassingFault extends Error {
  readonly waitMs: number | undefined;
  constructor(message: string, waitMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.waitMs = waitMs;
  }
}

/**
 * Downloads a file, continuing after interruptions. The caller verifies the bytes: resuming across a changed file
 * gives wrong ones, which only a pinned digest can tell.
 * @throws BuildError A3S2002 no answer, A3S2005 refused, A3S2001 wrong size, A3S5001/A3S5002 disk.
 */
export async function download(request: Download): Promise<void> {
  const timing = { ...TIMING, ...request.timing };
  const dispatcher = await makeDispatcher(request.network, timing);
  let last: unknown;
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (attempt > 0)
        await sleep(waitBefore(attempt, last, timing), undefined, { signal: request.signal as AbortSignal });
      try {
        return await attemptDownload(request, dispatcher, timing);
      } catch (error) {
        request.signal?.throwIfAborted();
        last = error;
        if (!(error instanceof PassingFault) && !isConnectionFault(error)) throw diskError(request.partial, error);
      }
    }
  } finally {
    await dispatcher.close();
  }
  throw unreachable(request.url, last);
}

/** The same address without user name, password, query and fragment: safe to print. */
export function printableUrl(url: string): string {
  const parsed = new URL(url);
  return `${parsed.origin}${parsed.pathname}`;
}

async function makeDispatcher(network: Network, timing: Timing): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = (await import('undici')).default;
  const tls = {
    ...(network.ca === undefined ? {} : { ca: [...network.ca] }),
    ...(network.strictTls === undefined ? {} : { rejectUnauthorized: network.strictTls }),
  };
  return new EnvHttpProxyAgent({
    ...(network.httpProxy === undefined ? {} : { httpProxy: network.httpProxy }),
    ...(network.httpsProxy === undefined ? {} : { httpsProxy: network.httpsProxy }),
    ...(network.noProxy === undefined ? {} : { noProxy: network.noProxy }),
    connect: { timeout: timing.connect, ...tls },
    requestTls: tls,
    headersTimeout: timing.stall,
    bodyTimeout: timing.stall,
  });
}

async function attemptDownload(request: Download, dispatcher: Dispatcher, timing: Timing): Promise<void> {
  const have = await sizeOf(request.partial);
  if (request.size !== undefined && have === request.size) return;
  const resume = request.size !== undefined && have > 0 && have < request.size;
  if (!resume) await rm(request.partial, { force: true });
  const { response, url } = await openFollowing(request, dispatcher, resume ? have : 0);
  const appends = resume && continuesAt(response, have, request.size);
  if (resume && !appends && response.statusCode === 206) {
    response.body.destroy();
    await rm(request.partial, { force: true });
    throw new PassingFault(`${printableUrl(url)} sent another range than asked for`);
  }
  await receive(request, response, appends ? have : 0, timing);
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

async function openFollowing(
  request: Download,
  dispatcher: Dispatcher,
  from: number,
): Promise<{ response: Answer; url: string }> {
  const { request: send } = (await import('undici')).default;
  let url = request.url;
  let headers: Record<string, string> = { ...request.headers, 'accept-encoding': 'identity' };
  if (from > 0) headers['range'] = `bytes=${from}-`;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(url, { dispatcher, headers, ...(request.signal ? { signal: request.signal } : {}) });
    if (response.statusCode === 200 || response.statusCode === 206) return { response, url };
    response.body.on('error', () => {});
    response.body.destroy();
    const location = headerText(response.headers, 'location');
    if (response.statusCode < 300 || response.statusCode > 399 || location === undefined) {
      throw refused(url, response.statusCode, response.headers);
    }
    const next = new URL(location, url);
    if (new URL(url).protocol === 'https:' && next.protocol !== 'https:') {
      throw buildError('A3S2004', {
        message: `${printableUrl(url)} redirects to an unencrypted address`,
        cause: 'A redirect from https to http would let anybody on the way replace the file.',
        fix: 'Use a mirror that serves https throughout.',
      });
    }
    if (next.origin !== new URL(url).origin) headers = withoutCredentials(headers);
    url = next.href;
  }
  throw buildError('A3S2005', { message: `${printableUrl(request.url)} redirects more than ${MAX_REDIRECTS} times` });
}

async function receive(request: Download, response: Answer, offset: number, timing: Timing): Promise<void> {
  const limit = request.size ?? request.sizeLimit;
  const speed = speedWatch(timing);
  let received = offset;
  await mkdir(dirname(request.partial), { recursive: true });
  const file = createWriteStream(request.partial, { flags: offset > 0 ? 'a' : 'w' });
  const written = new Promise<void>((resolve, reject) => file.once('finish', () => resolve()).once('error', reject));
  // A rejection is always seen by the await below; until then it must not count as unhandled.
  written.catch(() => {});
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limit) throw tooLong(request, limit);
      if (!file.write(chunk))
        await Promise.race([new Promise((resolve) => file.once('drain', () => resolve(undefined))), written]);
      request.onProgress?.(received, request.size);
      speed(chunk.length);
    }
  } finally {
    file.end();
    await written;
  }
  if (request.size !== undefined && received < request.size) {
    throw new PassingFault(`the connection ended after ${received} of ${request.size} bytes`);
  }
}

function continuesAt(response: Answer, offset: number, size: number | undefined): boolean {
  if (response.statusCode !== 206) return false;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerText(response.headers, 'content-range') ?? '');
  return range !== null && Number(range[1]) === offset && (range[2] === '*' || Number(range[2]) === size);
}

function speedWatch(timing: Timing): (bytes: number) => void {
  let since = Date.now();
  let seen = 0;
  return (bytes) => {
    seen += bytes;
    const elapsed = Date.now() - since;
    if (elapsed < timing.slow) return;
    if ((seen * 1000) / elapsed < timing.minimumSpeed) throw new PassingFault('the server sends too slowly');
    since = Date.now();
    seen = 0;
  };
}

function refused(url: string, status: number, headers: Answer['headers']): Error {
  const message = `${printableUrl(url)} answered ${status}`;
  const wait = retryAfter(headerText(headers, 'retry-after'));
  const limited =
    status === 429 || (status === 403 && (wait !== undefined || headerText(headers, 'x-ratelimit-remaining') === '0'));
  if (status >= 500 || status === 408 || limited) return new PassingFault(message, wait);
  return buildError('A3S2005', { message });
}

function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function waitBefore(attempt: number, last: unknown, timing: Timing): number {
  const asked = last instanceof PassingFault ? last.waitMs : undefined;
  if (asked !== undefined) return Math.min(asked, timing.retryAfterCap);
  return timing.backoff * 2 ** (attempt - 1) * (0.5 + Math.random());
}

function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/CERT|SELF_SIGNED|TLS_CERT|UNABLE_TO_VERIFY/.test(code)) return false;
  return code.startsWith('UND_ERR') || NETWORK_CODES.has(code) || error.message === 'terminated';
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function unreachable(url: string, last: unknown): BuildError {
  const reason = last instanceof Error ? last.message || (systemCode(last) ?? 'no answer') : String(last);
  return buildError('A3S2002', { message: `cannot fetch ${printableUrl(url)}: ${reason} (${TRIES} tries)` }, last);
}

function tooLong(request: Download, limit: number): BuildError {
  return buildError('A3S2001', {
    message: `${printableUrl(request.url)} sends more than the ${limit} bytes of the pin`,
  });
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())));
}

function headerText(headers: Answer['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw diskError(path, error);
  }
}
