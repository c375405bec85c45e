import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../pipeline/effects/store.ts';
import type { DebianPackage } from '../../pipeline/plan/sysroot-pins.ts';
import type { StepContext } from '../../pipeline/steps/step.ts';
import { fetchSysroot, makeSysroot } from '../../pipeline/steps/sysroot.ts';
import { failureOf } from '../effects/failure.ts';
import { makeDeb, packTree } from '../helpers/deb.ts';
import { startServer } from '../helpers/firmware.ts';
import { makeFolder, testConfig } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
let debs: string;
let pins: DebianPackage[];
beforeEach(() => {
  folder = makeFolder('sysroot');
  debs = join(folder.path, 'debs');
  mkdirSync(debs);
  const header = deb('linux-libc-dev', { 'usr/include/a.h': 'a' });
  pins = [deb('libc6', { 'lib/libc.so.6': 'libc' }, { 'usr/lib/libc.so': '/lib/libc.so.6' }), header];
});
afterEach(() => folder.remove());

/** Makes a package and its pin. */
function deb(name: string, files: Record<string, string>, links: Record<string, string> = {}): DebianPackage {
  const root = join(folder.path, 'tree', name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const [path, to] of Object.entries(links)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    symlinkSync(to, join(root, path));
  }
  const bytes = makeDeb({ 'debian-binary': '2.0\n', 'data.tar.xz': packTree(root, 'data.tar.xz') });
  const path = `pool/main/${name}_1.0+deb1_arm64.deb`;
  writeFileSync(join(debs, basename(path)), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, version: '1.0+deb1', path, size: bytes.length, sha256, license: 'MIT', source: name };
}

function context(variables: Record<string, string> = {}, flags = {}): StepContext {
  const config = testConfig(folder.path, { target: 'linux-arm64', ...flags }, variables);
  const temporary = join(folder.path, 'temporary');
  mkdirSync(temporary, { recursive: true });
  return {
    config,
    pins: { sysroot: { schema: 1, architectures: { arm64: pins, amd64: pins } } },
    store: openStore(config.storeDir),
    // No apt unless the test makes one.
    variables: { PATH: join(folder.path, 'bin') },
    temporary,
    log: join(folder.path, 'log'),
    signal: new AbortController().signal,
    progress: () => {},
  } as unknown as StepContext;
}

const fetch = (...args: Parameters<typeof context>) => fetchSysroot(context(...args), 'arm64');
const fromFolder = () => ({ A3S_DEBIAN_FOLDER: debs });
const tamper = (index: number): void => {
  const file = join(debs, basename(pins[index]?.path ?? ''));
  const bytes = readFileSync(file);
  bytes[bytes.length - 5] = (bytes.at(-5) ?? 0) ^ 1;
  writeFileSync(file, bytes);
};
const left = (): string[] => readdirSync(join(folder.path, 'store/v1/tmp'));

it('is the packages unpacked over each other, with links that stay inside', async () => {
  const sysroot = await makeSysroot(context(fromFolder()), 'arm64');
  expect(readFileSync(join(sysroot, 'usr/lib/libc.so'), 'utf8')).toBe('libc');
  expect(readFileSync(join(sysroot, 'usr/include/a.h'), 'utf8')).toBe('a');
});

describe('the packages', () => {
  it('are fetched once', async () => {
    expect((await fetch(fromFolder())).fetched).toBe(2);
    expect((await fetch({}, { offline: true })).fetched).toBe(0);
    expect(left()).toEqual([]);
  });

  it('come from a mirror, by the path that they have on every mirror', async () => {
    const asked: string[] = [];
    const server = await startServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(readFileSync(join(debs, basename(decodeURIComponent(request.url ?? '')))));
    });
    expect((await fetch({ A3S_DEBIAN_MIRROR: `${server.url}/debian/` })).fetched).toBe(2);
    await server.close();
    expect(asked.map(decodeURIComponent)).toEqual(pins.map(({ path }) => `/debian/${path}`));
  });

  it('come from a state of the snapshot archive where the mirror has them no longer', async () => {
    const asked: string[] = [];
    const mirror = await startServer((_request, response) => {
      asked.push('mirror');
      response.writeHead(404).end();
    });
    const snapshot = await startServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(readFileSync(join(debs, basename(decodeURIComponent(request.url ?? '')))));
    });
    const state = `${snapshot.url}/archive/debian/20240210T223313Z`;
    expect((await fetch({ A3S_DEBIAN_MIRROR: mirror.url, A3S_DEBIAN_SNAPSHOT: state })).fetched).toBe(2);
    await Promise.all([mirror.close(), snapshot.close()]);
    const paths = pins.map(({ path }) => `/archive/debian/20240210T223313Z/${path}`);
    expect(asked.map(decodeURIComponent)).toEqual(['mirror', ...paths]);
  });

  it('come from the next source where one has them not, or not the pinned ones', async () => {
    const server = await startServer((_request, response) => response.writeHead(404).end());
    expect((await fetch({ A3S_DEBIAN_MIRROR: server.url, ...fromFolder() })).fetched).toBe(2);
    await server.close();
  });

  it("come from the system's apt, which is asked for the exact versions of the other architecture", async () => {
    const bin = join(folder.path, 'bin');
    mkdirSync(bin);
    const script = `#!/bin/sh\necho "$@" >> ${folder.path}/asked\ncase "$*" in *download*) /bin/cp ${debs}/* .;; esac\n`;
    writeFileSync(join(bin, 'apt-get'), script);
    await chmod(join(bin, 'apt-get'), 0o755);
    expect((await fetch()).fetched).toBe(2);
    const asked = readFileSync(join(folder.path, 'asked'), 'utf8');
    expect(asked).toContain('download libc6:arm64=1.0+deb1 linux-libc-dev:arm64=1.0+deb1');
    expect(asked).toContain('APT::Architectures::=arm64');
    expect(left()).toEqual([]);
  });

  it('are refused where they are not the pinned ones, and none of them is kept', async () => {
    tamper(0);
    const { code, message } = await failureOf(() => fetch(fromFolder()));
    expect(code).toBe('A3S1213');
    expect(message).toContain('folder: libc6_1.0+deb1_arm64.deb is not the pinned file');
    expect(existsSync(join(folder.path, `store/v1/downloads/${pins[0]?.sha256}.deb`))).toBe(false);
    expect(left()).toEqual([]);
  });

  it('are verified again when they are used', async () => {
    await fetch(fromFolder());
    writeFileSync(join(folder.path, `store/v1/downloads/${pins[0]?.sha256}.deb`), 'damaged');
    expect((await fetch(fromFolder())).fetched).toBe(1);
  });

  it('are named with every source that did not have them, and with how to name one', async () => {
    const { code, exit, message, fix } = await failureOf(() => fetch());
    expect({ code, exit }).toEqual({ code: 'A3S1213', exit: 69 });
    for (const { path } of pins) expect(message).toContain(basename(path));
    for (const name of ['mirror', 'snapshot', 'folder', 'apt']) expect(message).toContain(`\n  ${name}: `);
    expect(fix).toContain('A3S_DEBIAN_MIRROR');
  });

  it('are taken from a folder only when offline', async () => {
    expect((await failureOf(() => fetch({ A3S_DEBIAN_MIRROR: 'http://127.0.0.1:9' }, { offline: true }))).code).toBe(
      'A3S2003',
    );
    expect((await fetch(fromFolder(), { offline: true })).fetched).toBe(2);
  });

  it.each(['ftp://mirror', 'mirror', 'file:///debs'])('are not looked for at %s', async (address) => {
    const { message } = await failureOf(() => fetch({ A3S_DEBIAN_MIRROR: address }));
    expect(message).toContain('mirror: the Debian mirror is named by something that is no http or https address');
  });
});
