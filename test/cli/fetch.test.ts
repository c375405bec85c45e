import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { type FakeFirmware, makeFirmware, startServer, type TestServer, writeProject } from '../helpers/firmware.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

let folder: ReturnType<typeof makeFolder>;
let server: TestServer;
let firmware: FakeFirmware;
beforeEach(async () => {
  folder = makeFolder('fetch');
  firmware = await makeFirmware(join(folder.path, 'made'));
  server = await startServer((_request, response) => response.end(firmware.archive));
  writeProject(folder.path, firmware);
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

const store = (): string => join(folder.path, 'store');

function cli(args: readonly string[], env: Record<string, string> = {}) {
  const registry = { npm_config_registry: server.url, npm_config_userconfig: join(folder.path, '.user-npmrc') };
  return runCli(args, { cwd: folder.path, env: { A3S_CACHE_DIR: store(), ...registry, ...env } });
}

it('fetches the guest kernel once, says what came and how large it is, and leaves no output', async () => {
  writeTree(join(folder.path, 'vendor/libkrun'));
  const first = await cli(['fetch']);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).toMatch(/^firmware +libkrunfw 5\.6\.1 \(npm\) +\d+\.\d kB {2}fetched$/m);
  expect(first.stdout).toMatch(/^source +your own, nothing to fetch$/m);
  for (const part of ['libkrun', 'addon', 'launcher'])
    expect(first.stdout).toMatch(new RegExp(`^${part} +\\d+ crates`, 'm'));
  expect(existsSync(join(folder.path, 'build/linux-x64'))).toBe(false);

  const second = await cli(['fetch']);
  expect(second.stdout).toMatch(/^firmware .*was here$/m);
  expect(server.requests).toHaveLength(1);
});

it('lets a build offline make the guest kernel again after all results are gone', async () => {
  writeTree(join(folder.path, 'vendor/libkrun'));
  await cli(['fetch']);
  rmSync(join(store(), 'v1/results'), { recursive: true });
  await server.close();
  expect(await cli(['--only', 'firmware', '--offline'])).toMatchObject({ code: 0 });
  expect(readdirSync(join(store(), 'v1/results/firmware'))).toHaveLength(1);
});

it('offline names everything that is missing at once, and fetches nothing', async () => {
  const cargoHome = join(folder.path, 'cargo-home');
  mkdirSync(cargoHome);
  const result = await cli(['fetch', '--offline'], { CARGO_HOME: cargoHome });
  expect(result).toMatchObject({ code: 69, stdout: '' });
  expect(result.stderr).toContain('A3S2003');
  for (const part of [
    'firmware: libkrunfw',
    'source: the crate a3s-libkrun-sys',
    'libkrun: which',
    'addon: cargo',
    'launcher: cargo',
  ]) {
    expect(result.stderr).toContain(part);
  }
  expect(result.stderr).toContain('a3s-build fetch');
  expect(server.requests).toHaveLength(0);
});

it('asks for no guest kernel where the user has a file of his own', async () => {
  writeTree(join(folder.path, 'vendor/libkrun'));
  const result = await cli(['fetch'], { A3S_LIBKRUNFW_DYLIB: join(folder.path, 'made/fw.so') });
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(/^firmware +your own, nothing to fetch$/m);
  expect(server.requests).toHaveLength(0);
});
