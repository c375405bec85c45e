import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseFirmwarePins } from '../../pipeline/plan/pins.ts';
import { runCli } from '../helpers/cli.ts';
import { startServer, type TestServer } from '../helpers/firmware.ts';
import {
  answerAsRegistry,
  firmwarePins,
  makePackage,
  PACKAGES,
  type PackageMake,
  type Published,
  TARGET_NAMES,
  type TargetName,
} from '../helpers/firmware-packages.ts';
import { makeFolder } from '../helpers/session.ts';

let folder: ReturnType<typeof makeFolder>;
let server: TestServer;
let published: Published;
let pinFile: string;
beforeEach(async () => {
  folder = makeFolder('pin');
  published = { tarballs: new Map(), integrity: new Map() };
  server = await startServer(answerAsRegistry(published));
  writeFileSync(join(folder.path, 'package.json'), '{"name":"project"}');
  mkdirSync(join(folder.path, 'vendor'));
  pinFile = join(folder.path, 'vendor/libkrunfw.json');
  writeFileSync(pinFile, firmwarePins());
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

const NEW: PackageMake = { firmware: '5.7.0', kernel: '7.0.3' };

async function publish(version: string, changes: Partial<Record<TargetName, Partial<PackageMake> | null>> = {}) {
  for (const target of TARGET_NAMES) {
    const change = changes[target];
    if (change === null) continue;
    const tarball = await makePackage(join(folder.path, 'made', target), target, { ...NEW, ...change });
    published.tarballs.set(`${PACKAGES[target]} ${version}`, tarball);
  }
}

function cli(args: readonly string[]) {
  const store = { A3S_CACHE_DIR: join(folder.path, 'store') };
  const registry = { npm_config_registry: server.url, npm_config_userconfig: join(folder.path, '.user-npmrc') };
  return runCli(args, { cwd: folder.path, env: { ...store, ...registry } });
}
const pin = (version: string, ...more: string[]) => cli(['pin', 'firmware', version, ...more]);

/** The pins are as they were, and nothing lies beside them. */
function expectUntouched(): void {
  expect(readFileSync(pinFile, 'utf8')).toBe(firmwarePins());
  expect(readdirSync(join(folder.path, 'vendor'))).toEqual(['libkrunfw.json']);
}

it('writes the pins of all targets, shows what differs, and keeps the rest of the file', async () => {
  await publish('1.1.0');
  const result = await pin('1.1.0');
  expect(result).toMatchObject({ code: 0 });
  for (const line of [
    /^libkrunfw +5\.6\.1 → 5\.7\.0$/m,
    /^Linux +6\.12\.98 → 7\.0\.3$/m,
    /^licence +GPL-2\.0-only · unchanged$/m,
    /^darwin-arm64 +@t\/mac 1\.0\.0 → @t\/mac 1\.1\.0$/m,
    /^ {2}package licence +not stated → MIT$/m,
    /^ {2}exports +.*krunfw_get_kernel, krunfw_get_version/m,
  ]) {
    expect(result.stdout).toMatch(line);
  }
  const text = readFileSync(pinFile, 'utf8');
  expect(text).toContain('"$comment": "kept"');
  const { npm, github } = parseFirmwarePins(text, 'pins').providers;
  expect(github.version).toBe('5.3.0');
  expect(npm).toMatchObject({
    version: '5.7.0',
    kernel: '7.0.3',
    correspondingSource: ['https://example.org/tree/v5.7.0', 'https://example.org/v7.x/linux-7.0.3.tar.xz'],
  });
  expect(npm.targets['linux-arm64']).toMatchObject({
    sources: [{ kind: 'npm', package: '@t/arm64', version: '1.1.0' }],
    member: 'package/lib/libkrunfw.so.5.7.0',
  });
  expect(npm.targets['darwin-arm64']?.member).toBe('package/lib/libkrunfw.5.dylib');

  // What was pinned is what a build takes, and it was fetched already.
  expect(await cli(['--only', 'firmware', '--offline'])).toMatchObject({ code: 0 });
  expect(readFileSync(pinFile, 'utf8')).toBe(text);
  expect((await pin('1.1.0')).stderr).toContain('nothing to write');
});

it('--dry-run shows the same and writes nothing', async () => {
  await publish('1.1.0');
  const result = await pin('1.1.0', '--dry-run');
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(/^Linux +6\.12\.98 → 7\.0\.3$/m);
  expect(result.stderr).toContain('nothing was written');
  expectUntouched();
});

it('is the only thing that writes pins: a build that finds other bytes leaves them as they are', async () => {
  await publish('1.0.0');
  expect((await cli(['--only', 'firmware'])).stderr).toContain('A3S2001');
  expectUntouched();
});

describe('a version is refused, and nothing is written,', () => {
  afterEach(expectUntouched);

  it('when there is none, with the newest that there are', async () => {
    await publish('1.1.0');
    await publish('1.2.0');
    const result = await pin('1.3.0');
    expect(result).toMatchObject({ code: 69 });
    for (const text of ['A3S1611', '@t/x64', '1.2.0, 1.1.0']) expect(result.stderr).toContain(text);
  });

  it('when one target lacks it, before any archive is fetched', async () => {
    await publish('1.0.0');
    await publish('1.1.0', { 'darwin-arm64': null });
    const result = await pin('1.1.0');
    for (const text of ['A3S1611', '@t/mac', 'darwin-arm64']) expect(result.stderr).toContain(text);
    expect(server.requests.filter(({ url }) => url?.endsWith('.tgz'))).toEqual([]);
  });

  it('when there is no such package', async () => {
    const result = await pin('1.1.0');
    expect(result.stderr).toContain('A3S1611');
    expect(result.stderr).toContain('no package @t/x64');
  });

  it('when it is older, unless that is meant', async () => {
    await publish('0.9.0');
    const result = await pin('0.9.0');
    expect(result).toMatchObject({ code: 64 });
    for (const text of ['A3S1613', '1.0.0', '--allow-downgrade']) expect(result.stderr).toContain(text);
    expect(await pin('0.9.0', '--allow-downgrade', '--dry-run')).toMatchObject({ code: 0 });
  });

  it('when the archive is not what the registry says', async () => {
    await publish('1.1.0');
    published.integrity.set('@t/arm64 1.1.0', `sha512-${'B'.repeat(86)}==`);
    const result = await pin('1.1.0');
    expect(result).toMatchObject({ code: 65 });
    expect(result.stderr).toContain('A3S2001');
  });

  it('when the registry states no digest that can be relied on', async () => {
    await publish('1.1.0');
    published.integrity.set('@t/x64 1.1.0', 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=');
    expect((await pin('1.1.0')).stderr).toContain('A3S1612');
  });

  type Case = readonly [what: string, target: TargetName, change: Partial<PackageMake>, text: string];
  it.each<Case>([
    ['has no library', 'linux-x64', { file: 'README.md' }, 'holds none'],
    ['has a library of another soname', 'linux-arm64', { soname: 'libkrunfw.so.6' }, "soname is 'libkrunfw.so.6'"],
    ['has another kernel for one target', 'darwin-arm64', { kernel: '6.1.1' }, 'do not agree on the kernel'],
    ['has another libkrunfw for one target', 'linux-arm64', { firmware: '5.9.0' }, 'do not agree on the version'],
  ])('when it %s', async (_what, target, change, text) => {
    await publish('1.1.0', { [target]: change });
    const result = await pin('1.1.0');
    expect(result).toMatchObject({ code: 65 });
    for (const part of ['A3S1612', text]) expect(result.stderr).toContain(part);
  });

  it.each([['latest'], ['^1.0.0'], ['1.0'], ['v1.1.0']])('when it is %s', async (version) => {
    const result = await pin(version);
    expect(result).toMatchObject({ code: 64 });
    expect(result.stderr).toContain('A3S1001');
  });
});

it('knows firmware and source, and nothing else', async () => {
  expect((await cli(['pin', 'kernel', '1.0.0'])).stderr).toContain('A3S1001');
});
