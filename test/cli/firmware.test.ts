import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readElf } from '../../pipeline/binary/elf.ts';
import { runCli } from '../helpers/cli.ts';
import {
  type FakeFirmware,
  KERNEL,
  makeFirmware,
  startServer,
  type TestServer,
  writeProject,
} from '../helpers/firmware.ts';
import { makeFolder } from '../helpers/session.ts';

const compiled = makeFolder('firmware');
let firmware: FakeFirmware;
beforeAll(async () => {
  firmware = await makeFirmware(compiled.path);
  return compiled.remove;
});

let folder: ReturnType<typeof makeFolder>;
let server: TestServer;
let body: Buffer;
let status: number;
beforeEach(async () => {
  folder = makeFolder('firmware-project');
  body = firmware.archive;
  status = 200;
  server = await startServer((_request, response) => {
    response.writeHead(status, { 'content-length': body.length });
    response.end(body);
  });
  writeProject(folder.path, firmware);
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

const library = (): string => {
  const results = join(folder.path, 'store/v1/results/firmware');
  const [key] = existsSync(results) ? readdirSync(results) : [];
  return join(results, key ?? 'nothing', 'out/lib/libkrunfw.so.5');
};

function build(args: readonly string[] = [], env: Record<string, string> = {}) {
  return runCli(['--only', 'firmware', '--reporter', 'plain', ...args], {
    cwd: folder.path,
    env: {
      A3S_CACHE_DIR: join(folder.path, 'store'),
      npm_config_registry: server.url,
      npm_config_userconfig: join(folder.path, '.user-npmrc'),
      ...env,
    },
  });
}

describe('the npm provider', () => {
  it('fetches from the registry of the npm configuration, verifies and publishes', async () => {
    const result = await build();
    expect(result).toMatchObject({ code: 0 });
    expect(server.requests.map((request) => request.url)).toEqual(['/@scope/firmware/-/firmware-1.0.0.tgz']);
    expect(readFileSync(library())).toEqual(firmware.library);
    const manifest = JSON.parse(readFileSync(join(folder.path, 'build/linux-x64/manifest.json'), 'utf8'));
    expect(manifest.steps[0].facts).toMatchObject({ provider: 'npm', version: '5.6.1', kernel: KERNEL });
  });

  it('sends the credentials of .npmrc to that registry and prints them nowhere', async () => {
    writeFileSync(join(folder.path, '.user-npmrc'), `${server.url.replace('http:', '')}/:_authToken=secret-token\n`);
    const result = await build(['--verbose']);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret-token');
    expect(result.stderr + result.stdout).not.toContain('secret-token');
  });

  it('fetches once for two runs, and again only when the download is gone or damaged', async () => {
    await build();
    await build(['--force']);
    expect(server.requests).toHaveLength(1);
    const downloads = join(folder.path, 'store/v1/downloads');
    const [name = ''] = readdirSync(downloads);
    truncateSync(join(downloads, name), 100);
    expect(await build(['--force'])).toMatchObject({ code: 0 });
    expect(server.requests).toHaveLength(2);
  });

  it('refuses other bytes with both digests, after one more try, and publishes nothing', async () => {
    body = Buffer.from(firmware.archive);
    body[200] = (body[200] ?? 0) ^ 1;
    const result = await build();
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('A3S2001');
    expect(result.stderr).toContain(firmware.pins.archive.integrity);
    expect(result.stderr.match(/sha512-[A-Za-z0-9+/]{86}==/g)).toHaveLength(2);
    expect(server.requests).toHaveLength(2);
    expect(existsSync(library())).toBe(false);
  });

  it('says that a page is no archive', async () => {
    const page = '<!DOCTYPE html><title>Sign in</title>';
    body = Buffer.from(page.padEnd(firmware.archive.length));
    const result = await build();
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('an HTML page');
  });

  it('names address, provider and the ways around when the registry refuses', async () => {
    status = 404;
    const result = await build();
    expect(result.code).toBe(69);
    for (const text of ['A3S2005', '404', 'provider npm', 'firmware-1.0.0.tgz', 'npm config set registry']) {
      expect(result.stderr).toContain(text);
    }
    expect(server.requests).toHaveLength(1);
  });

  it('names address, proxy and the offline option when there is no network', async () => {
    const result = await build([], { npm_config_registry: 'http://127.0.0.1:1/' });
    expect(result.code).toBe(69);
    for (const text of ['A3S2002', '127.0.0.1:1', 'HTTPS_PROXY', '--offline']) expect(result.stderr).toContain(text);
  });

  it('needs no network for what was fetched before', async () => {
    await build();
    const again = await build(['--offline', '--force'], { npm_config_registry: 'http://127.0.0.1:1/' });
    expect(again).toMatchObject({ code: 0 });
    expect(server.requests).toHaveLength(1);
  });

  it('says what is missing when offline', async () => {
    const result = await build(['--offline']);
    expect(result.code).toBe(69);
    expect(result.stderr).toContain('A3S2003');
    expect(server.requests).toHaveLength(0);
  });

  it('takes the second source of the pin when the first one fails', async () => {
    const missing = { kind: 'npm', package: 'gone', version: '1.0.0' };
    writeProject(folder.path, firmware, [missing, { kind: 'npm', package: '@scope/firmware', version: '1.0.0' }]);
    await server.close();
    server = await startServer((request, response) => {
      if (request.url?.startsWith('/gone')) response.writeHead(404).end();
      else response.end(firmware.archive);
    });
    expect(await build()).toMatchObject({ code: 0 });
    expect(server.requests.map((request) => request.url?.split('/')[1])).toEqual(['gone', '@scope']);
  });

  it('downloads once for several cold runs at the same time', async () => {
    const results = await Promise.all([build(), build(), build()]);
    expect(results.map((result) => result.code)).toEqual([0, 0, 0]);
    expect(server.requests).toHaveLength(1);
  });
});

describe('the GitHub provider', () => {
  it('fetches the release from a mirror', async () => {
    const result = await build(['--firmware', 'github'], { A3S_GITHUB_MIRROR: `${server.url}/mirror` });
    expect(result).toMatchObject({ code: 0 });
    expect(server.requests[0]?.url).toBe('/mirror/owner/repo/releases/download/v1/fw.tgz');
  });

  it('is never replaced by the npm provider', async () => {
    status = 404;
    const result = await build(['--firmware', 'github'], { A3S_GITHUB_MIRROR: server.url });
    expect(result.code).toBe(69);
    expect(server.requests).toHaveLength(1);
    expect(result.stderr).toContain('A3S_GITHUB_MIRROR');
  });
});

describe('a firmware of the user', () => {
  it('is taken, recorded and watched', async () => {
    const own = join(folder.path, 'own.so');
    writeFileSync(own, firmware.library);
    expect(await build([], { A3S_LIBKRUNFW_DYLIB: own })).toMatchObject({ code: 0 });
    expect(server.requests).toHaveLength(0);
    writeFileSync(own, Buffer.concat([firmware.library, Buffer.from('x')]));
    const second = await build([], { A3S_LIBKRUNFW_DYLIB: own });
    expect(second.stderr).toContain('A3S_LIBKRUNFW_DYLIB changed');
  });

  it('is refused when it is missing, is no library, or has another soname', async () => {
    const own = join(folder.path, 'own.so');
    expect(await build([], { A3S_LIBKRUNFW_DYLIB: own })).toMatchObject({ code: 74 });
    writeFileSync(own, 'text');
    expect((await build([], { A3S_LIBKRUNFW_DYLIB: own })).stderr).toContain('A3S1205');
    writeFileSync(own, (await makeFirmware(join(folder.path, 'other'), 'libother.so')).library);
    const result = await build([], { A3S_LIBKRUNFW_DYLIB: own });
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('libother.so');
  });
});

describe('a firmware of the user that is C source', () => {
  const source = (text: string): string => {
    const file = join(folder.path, 'kernel.c');
    writeFileSync(file, text);
    return file;
  };

  it('is compiled to the library that libkrun opens', async () => {
    const kernel = readFileSync(join(compiled.path, 'fw.c'), 'utf8').replace('return 5', 'return ABI_VERSION');
    const result = await build([], { A3S_LIBKRUNFW_DYLIB_LINUX_X64: source(kernel) });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toContain(`kernel.c, Linux ${KERNEL}`);
    const elf = readElf(readFileSync(library()));
    expect([elf.soname, elf.executableStack]).toEqual(['libkrunfw.so.5', false]);
  });

  it('is shown with what the compiler said of it', async () => {
    const result = await build([], { A3S_LIBKRUNFW_DYLIB: source('char *krunfw_get_kernel(void) { return kernel; }') });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('A3S1203');
    expect(result.stderr).toContain('kernel.c:1');
  });

  it('must have the functions that libkrun calls', async () => {
    const result = await build([], { A3S_LIBKRUNFW_DYLIB: source('int krunfw_get_version(void) { return 5; }') });
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('krunfw_get_kernel');
  });
});

it('refuses a pinned file whose kernel is another one than the pin says', async () => {
  const other = await makeFirmware(join(folder.path, 'other'), 'libkrunfw.so.5', '6.6.1');
  writeProject(folder.path, other);
  body = other.archive;
  const result = await build();
  expect(result.code).toBe(65);
  expect(result.stderr).toContain('the guest kernel is 6.6.1, and the pin says 6.12.98');
});
