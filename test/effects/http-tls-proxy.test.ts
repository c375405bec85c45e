import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Download, download, type Network } from '../../pipeline/effects/http.ts';
import { makeFolder } from '../helpers/session.ts';
import { makeCertificate } from './certificate.ts';
import { failureOf } from './failure.ts';
import { file, listen, redirect, serve, serveTls } from './servers.ts';

const folder = makeFolder('http-tls');
afterAll(folder.remove);

const BODY = randomBytes(10_000);
const certificate = makeCertificate();
const trusting: Network = { ca: [certificate.cert] };

function request(url: string, network: Network): Download {
  const partial = join(folder.path, randomBytes(8).toString('hex'));
  return { url, size: BODY.length, sizeLimit: BODY.length, partial, network, timing: { backoff: 2 } };
}

async function receives(wanted: Download): Promise<void> {
  await download(wanted);
  expect(readFileSync(wanted.partial).equals(BODY)).toBe(true);
}

describe('TLS', () => {
  it('trusts a certificate that the npm configuration names', async () => {
    const server = await serveTls(certificate, file(BODY));
    await receives(request(server.url, trusting));
  });

  it('does not ask again after an untrusted certificate, and tells how to trust one', async () => {
    const server = await serveTls(certificate, file(BODY));
    const { code, exit, message, fix } = await failureOf(() => download(request(server.url, {})));
    expect({ code, exit }).toEqual({ code: 'A3S2002', exit: 69 });
    expect(message).toContain(server.url);
    expect(message).not.toContain('tries');
    expect(fix).toContain('NODE_EXTRA_CA_CERTS');
    expect(server.requests).toHaveLength(0);
  });

  it('takes any certificate only when npm says strict-ssl=false', async () => {
    const server = await serveTls(certificate, file(BODY));
    await receives(request(server.url, { strictTls: false }));
  });

  it('reports a certificate of another host', async () => {
    const server = await serveTls(certificate, file(BODY));
    const url = server.url.replace('localhost', '127.0.0.1');
    expect((await failureOf(() => download(request(url, trusting)))).fix).toContain('NODE_EXTRA_CA_CERTS');
  });

  it('reports a server that does not speak TLS', async () => {
    const server = await serve(file(BODY));
    const url = server.url.replace('http:', 'https:');
    expect((await failureOf(() => download(request(url, {})))).code).toBe('A3S2002');
  });

  it('refuses a redirect to an unencrypted address', async () => {
    const plain = await serve(file(BODY));
    const server = await serveTls(certificate, redirect(plain.url));
    const { code, exit } = await failureOf(() => download(request(server.url, trusting)));
    expect({ code, exit }).toEqual({ code: 'A3S2006', exit: 65 });
    expect(plain.requests).toHaveLength(0);
  });
});

/** A proxy that asks for the name and password `user:canary`; returns its address without them, and what it was asked. */
async function serveProxy(): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const expected = `Basic ${Buffer.from('user:canary').toString('base64')}`;
  const server = createServer();
  server.on('connect', (incoming, socket, head) => {
    asked.push(incoming.url ?? '');
    socket.on('error', () => {});
    if (incoming.headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = (incoming.url ?? '').split(':');
    const through = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      through.write(head);
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
  });
  return { host: await listen(server), asked };
}

describe('proxies', () => {
  it.each(['http', 'https'])('fetches %s through the proxy with its credentials', async (scheme) => {
    const proxy = await serveProxy();
    const server = scheme === 'http' ? await serve(file(BODY)) : await serveTls(certificate, file(BODY));
    const address = `http://user:canary@${proxy.host}`;
    await receives(request(server.url, { ...trusting, httpProxy: address, httpsProxy: address }));
    expect(proxy.asked).toEqual([new URL(server.url).host]);
  });

  it('goes around the proxy for hosts of NO_PROXY', async () => {
    const proxy = await serveProxy();
    const server = await serve(file(BODY));
    await receives(request(server.url, { httpProxy: `http://${proxy.host}`, noProxy: '127.0.0.1,example.com' }));
    expect(proxy.asked).toEqual([]);
  });

  it('asks once when the proxy wants other credentials, and prints no password', async () => {
    const proxy = await serveProxy();
    const server = await serve(file(BODY));
    const network = { httpProxy: `http://user:not-canary@${proxy.host}` };
    const failure = await failureOf(() => download(request(server.url, network)));
    expect(failure.code).toBe('A3S2002');
    expect(failure.message).toContain('407');
    expect(JSON.stringify(failure)).not.toContain('canary');
    expect(proxy.asked).toHaveLength(1);
  });

  it.each(['proxy.example:3128 user:canary', 'ht!tp://user:canary@[', ':canary'])(
    'says that %s is no address of a proxy',
    async (httpProxy) => {
      const failure = await failureOf(() => download(request('http://127.0.0.1:9/file', { httpProxy })));
      expect(failure.code).toBe('A3S2002');
      expect(failure.message).toContain('proxy');
      expect(JSON.stringify(failure)).not.toContain('canary');
    },
  );
});
