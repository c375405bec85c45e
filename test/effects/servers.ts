import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createRawServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificate.ts';

// These servers are on this machine; a proxy that it is set up for must not come between.
for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) delete process.env[name];

/** A server that answers its first request with the first of `answers`, and so on; the last one for all that follow. */
export interface ScriptedServer {
  readonly url: string;
  readonly requests: IncomingMessage[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export async function serve(...answers: Answer[]): Promise<ScriptedServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer(scripted(requests, answers));
  return { url: `http://${await listen(server)}/file.tgz`, requests };
}

/** The same with TLS, under a certificate for `localhost` that `makeCertificate` made. */
export async function serveTls(certificate: Certificate, ...answers: Answer[]): Promise<ScriptedServer> {
  const requests: IncomingMessage[] = [];
  const server = createTlsServer(certificate, scripted(requests, answers));
  const address = await listen(server);
  return { url: `https://localhost:${address.split(':')[1]}/file.tgz`, requests };
}

/** A server below HTTP: what it sends is up to `onConnection`. */
export async function serveRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createRawServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  return `http://${await listen(server)}/file.tgz`;
}

/** An address at which nobody listens. */
export async function closedPort(): Promise<string> {
  const server = createRawServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/file.tgz`;
}

/** Answers with the whole of `body`, or with the range asked for. */
export function file(body: Buffer, headers: Record<string, string> = {}): Answer {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(from))
      return void response.writeHead(200, { 'content-length': body.length, ...headers }).end(body);
    const range = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': body.length - from, ...headers });
    response.end(body.subarray(from));
  };
}

/** Announces all of `body`, sends the first `count` bytes, and breaks the connection. */
export function cutAfter(body: Buffer, count: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': body.length, ...headers });
    // The pause lets the bytes arrive: a reset throws away what the other side has not read yet.
    response.write(body.subarray(0, count), () => setTimeout(() => response.socket?.resetAndDestroy(), 50));
  };
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(code, headers).end('no file');
}

export function redirect(to: string): Answer {
  return status(302, { location: to });
}

function scripted(requests: IncomingMessage[], answers: readonly Answer[]): RequestListener {
  return (request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    response.on('error', () => {});
    answer?.(request, response);
  };
}

/** Listens on a free port until the test ends, and returns host and port. */
export async function listen(server: ReturnType<typeof createRawServer>): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
