import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Download, download } from '../../pipeline/effects/http.ts';
import { matchesArchive } from '../../pipeline/effects/verify.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';
import { closedPort, cutAfter, file, redirect, serve, serveRaw, status } from './servers.ts';

const folder = makeFolder('http');
afterAll(folder.remove);

const BODY = randomBytes(200_000);
/** Quick to try again, and patient: on a busy machine a server of the test may be late. */
const QUICK = { connect: 10_000, stall: 10_000, slow: 10_000, minimumSpeed: 2048, backoff: 2, retryAfterCap: 3000 };

function request(url: string, extra: Partial<Download> = {}): Download {
  const partial = join(folder.path, randomBytes(8).toString('hex'));
  return { url, size: BODY.length, sizeLimit: BODY.length, partial, network: {}, timing: QUICK, ...extra };
}

async function receives(download_: Download): Promise<void> {
  await download(download_);
  expect(readFileSync(download_.partial).equals(BODY)).toBe(true);
}

describe('answers', () => {
  it('receives the bytes as they are and asks for no encoding', async () => {
    const server = await serve(file(BODY));
    const seen: number[] = [];
    await receives(request(server.url, { onProgress: (received) => seen.push(received) }));
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    expect(seen.at(-1)).toBe(BODY.length);
    expect(server.requests).toHaveLength(1);
  });

  it('gives up on a closed port after few tries and names the address', async () => {
    const url = await closedPort();
    const { code, exit, message } = await failureOf(() => download(request(url)));
    expect({ code, exit }).toEqual({ code: 'A3S2002', exit: 69 });
    expect(message).toContain(url);
    expect(message).toMatch(/ECONNREFUSED.*\(5 tries\)/);
  });

  it('reports a name that does not resolve', async () => {
    const { code, fix } = await failureOf(() => download(request('http://no-such-host.invalid/file.tgz')));
    expect(code).toBe('A3S2002');
    expect(fix).toMatch(/HTTPS_PROXY.*--offline/);
  });

  it.each([404, 401, 403, 410])('does not ask again after a plain %d', async (answer) => {
    const server = await serve(status(answer));
    const { code, message } = await failureOf(() => download(request(`${server.url}?token=secret`)));
    expect(code).toBe('A3S2005');
    expect(message).toContain(`${server.url} answered ${answer}`);
    expect(message).not.toContain('secret');
    expect(server.requests).toHaveLength(1);
  });

  it('asks again after 500, three times over', async () => {
    const server = await serve(status(500), status(502), status(503), file(BODY));
    await receives(request(server.url));
    expect(server.requests).toHaveLength(4);
  });

  it('says what the server answered when it never stops failing', async () => {
    const server = await serve(status(503));
    const { code, message } = await failureOf(() => download(request(server.url)));
    expect(code).toBe('A3S2005');
    expect(message).toContain('answered 503 (5 tries)');
  });

  it.concurrent.for([
    ['429 with seconds', 429, () => ({ 'retry-after': '1' })],
    ['403 with seconds', 403, () => ({ 'retry-after': '1' })],
    ['429 with a date', 429, () => ({ 'retry-after': new Date(Date.now() + 2000).toUTCString() })],
    [
      '403 of a used-up rate limit',
      403,
      () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1) }),
    ],
  ] as const)('waits as long as %s asks', async ([, code, headers], { expect }) => {
    const server = await serve(status(code, headers()), file(BODY));
    const wanted = request(server.url);
    const began = Date.now();
    await download(wanted);
    expect(Date.now() - began).toBeGreaterThan(900);
    expect(readFileSync(wanted.partial).equals(BODY)).toBe(true);
  });

  it('waits no longer than the cap, whatever the server asks', async () => {
    const server = await serve(status(429, { 'retry-after': '86400' }), file(BODY));
    await receives(request(server.url, { timing: { ...QUICK, retryAfterCap: 20 } }));
    expect(server.requests).toHaveLength(2);
  });

  it('stops one byte after the pinned size and leaves nothing', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200);
      const more = (): void => void response.write(Buffer.alloc(65_536), () => setImmediate(more));
      more();
    });
    const endless = request(server.url);
    expect((await failureOf(() => download(endless))).code).toBe('A3S2001');
    expect(existsSync(endless.partial)).toBe(false);
    expect((await failureOf(() => download({ ...endless, size: undefined }))).code).toBe('A3S2001');
    expect(server.requests).toHaveLength(2);
  });

  it('leaves a whole but short answer, such as a login page, to the caller', async () => {
    const page = Buffer.from('<!doctype html><p>Please log in');
    const server = await serve((_request, response) => void response.writeHead(200).end(page));
    const wanted = request(server.url);
    await download(wanted);
    expect(readFileSync(wanted.partial).equals(page)).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('reports garbage in place of HTTP', async () => {
    const url = await serveRaw((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expect((await failureOf(() => download(request(url)))).code).toBe('A3S2002');
  });
});

describe('redirects', () => {
  it('follows them', async () => {
    const target = await serve(file(BODY));
    const server = await serve(redirect('/elsewhere'), redirect(target.url));
    await receives(request(server.url));
  });

  it('stops in a circle after five', async () => {
    const server = await serve(redirect('/again'));
    const { code, message } = await failureOf(() => download(request(server.url)));
    expect(code).toBe('A3S2005');
    expect(message).toContain('more than 5 times');
    expect(server.requests).toHaveLength(6);
  });

  it('sends credentials to no other origin', async () => {
    const target = await serve(file(BODY));
    const server = await serve(redirect('/same-origin'), redirect(target.url));
    await receives(request(server.url, { headers: { Authorization: 'Bearer secret', 'x-plain': 'kept' } }));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', 'Bearer secret']);
    expect(target.requests[0]?.headers.authorization).toBeUndefined();
    expect(target.requests[0]?.headers['x-plain']).toBe('kept');
  });

  it.each(['file:///etc/passwd', 'ftp://example.invalid/x', 'http://[bad/'])('refuses one to %s', async (location) => {
    const server = await serve(redirect(location));
    expect((await failureOf(() => download(request(server.url)))).code).toBe('A3S2005');
    expect(server.requests).toHaveLength(1);
  });
});

describe('interruptions', () => {
  it('goes on where a reset broke off, and fetches no byte twice', async () => {
    const server = await serve(cutAfter(BODY, 70_000), file(BODY));
    await receives(request(server.url));
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=70000-']);
  });

  it('goes on with what an earlier run left', async () => {
    const server = await serve(file(BODY));
    const wanted = request(server.url);
    writeFileSync(wanted.partial, BODY.subarray(0, 50_000));
    await receives(wanted);
    expect(server.requests[0]?.headers.range).toBe('bytes=50000-');
  });

  it('asks for nothing when all bytes are there', async () => {
    const server = await serve(file(BODY));
    const wanted = request(server.url);
    writeFileSync(wanted.partial, BODY);
    await receives(wanted);
    expect(server.requests).toHaveLength(0);
  });

  it('starts over when what is left is longer than the file', async () => {
    const server = await serve(file(BODY));
    const wanted = request(server.url);
    writeFileSync(wanted.partial, Buffer.concat([BODY, BODY]));
    await receives(wanted);
    expect(server.requests[0]?.headers.range).toBeUndefined();
  });

  it('never goes on where no size is pinned', async () => {
    const server = await serve(file(BODY));
    const wanted = request(server.url, { size: undefined });
    writeFileSync(wanted.partial, Buffer.alloc(1000));
    await receives(wanted);
    expect(server.requests[0]?.headers.range).toBeUndefined();
  });

  it('starts over when the server ignores ranges', async () => {
    const server = await serve(cutAfter(BODY, 70_000), (_request, response) => void response.writeHead(200).end(BODY));
    await receives(request(server.url));
    expect(server.requests[1]?.headers.range).toBe('bytes=70000-');
  });

  it.each([
    ['another range', 206, { 'content-range': `bytes 70001-${BODY.length - 1}/${BODY.length}` }],
    ['a range of a file of another size', 206, { 'content-range': `bytes 70000-${BODY.length}/${BODY.length + 1}` }],
    ['no word about which range', 206, {}],
    ['that there is no such range', 416, { 'content-range': 'bytes */3' }],
  ])('starts over when the server sends %s', async (_name, code, headers) => {
    const server = await serve(cutAfter(BODY, 70_000), status(code, headers), file(BODY));
    await receives(request(server.url));
    expect(server.requests.map((seen) => seen.headers.range)).toEqual([undefined, 'bytes=70000-', undefined]);
  });

  it('starts over when the validator says that the file has changed', async () => {
    const old = randomBytes(BODY.length);
    const server = await serve(cutAfter(old, 70_000, { etag: '"1"' }), file(BODY, { etag: '"2"' }));
    await receives(request(server.url));
    expect(server.requests[1]?.headers['if-range']).toBe('"1"');
  });

  it('leaves it to the pinned digest to tell a file that changed without a word', async () => {
    const old = randomBytes(BODY.length);
    const server = await serve(cutAfter(old, 70_000), file(BODY));
    const wanted = request(server.url);
    await download(wanted);
    const sha256 = createHash('sha256').update(BODY).digest('hex');
    expect(await matchesArchive(wanted.partial, { size: BODY.length, sha256 })).toBe(false);
  });

  it('takes a body cut short without announced length for what it is', async () => {
    let connections = 0;
    const url = await serveRaw((socket) => {
      socket.once('data', (head) => {
        connections += 1;
        const from = Number(/range: bytes=(\d+)-/i.exec(head.toString())?.[1] ?? 0);
        const range = `Content-Range: bytes ${from}-${BODY.length - 1}/${BODY.length}\r\n`;
        socket.write(`HTTP/1.1 ${from === 0 ? '200 OK' : '206 Partial Content'}\r\n${from === 0 ? '' : range}\r\n`);
        socket.end(BODY.subarray(from, from + 90_000));
      });
    });
    await receives(request(url));
    expect(connections).toBe(3);
  });

  it.each(['Content-Length', 'none'])('survives a close while the disk is behind (%s)', async (framing) => {
    const url = await serveRaw((socket) => {
      socket.once('data', () => {
        const length = framing === 'none' ? '' : `Content-Length: ${BODY.length}\r\n`;
        socket.write(`HTTP/1.1 200 OK\r\n${length}Connection: close\r\n\r\n`);
        socket.end(BODY);
      });
    });
    const slow = new Int32Array(new SharedArrayBuffer(4));
    await receives(request(url, { onProgress: () => void Atomics.wait(slow, 0, 0, 20) }));
  });

  it('resumes after a stall, and gives up when every try stalls', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': BODY.length });
      response.write(BODY.subarray(0, 30_000));
    }, file(BODY));
    await receives(request(server.url, { timing: { ...QUICK, stall: 600 } }));
    expect(server.requests[1]?.headers.range).toBe('bytes=30000-');

    const silent = await serve(() => {});
    const timing = { ...QUICK, stall: 100 };
    expect((await failureOf(() => download(request(silent.url, { timing })))).code).toBe('A3S2002');
    expect(silent.requests).toHaveLength(5);
  });

  it('ends a try that brings less than the minimum speed', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': BODY.length });
      const timer = setInterval(() => response.write('x'), 30);
      response.once('close', () => clearInterval(timer));
    });
    const wanted = request(server.url, { timing: { ...QUICK, slow: 100 } });
    const { code, message } = await failureOf(() => download(wanted));
    expect(code).toBe('A3S2002');
    expect(message).toContain('too slowly');
  });

  it('reports an abort as such, in the middle of a body and between tries', async () => {
    const reason = new Error('stopped by the user');
    const stalled = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': BODY.length });
      response.write('x');
    });
    const body = new AbortController();
    const onProgress = (): void => body.abort(reason);
    await expect(download(request(stalled.url, { signal: body.signal, onProgress }))).rejects.toBe(reason);

    const failing = await serve(status(500));
    const wait = new AbortController();
    setTimeout(() => wait.abort(reason), 50);
    const timing = { ...QUICK, backoff: 60_000 };
    await expect(download(request(failing.url, { signal: wait.signal, timing }))).rejects.toBe(reason);
    await expect(download(request(failing.url, { signal: wait.signal }))).rejects.toBe(reason);
    expect(failing.requests).toHaveLength(1);
  });
});
