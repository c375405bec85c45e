import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { build, plan } from '../../pipeline/index.ts';
import type { BuildManifest } from '../../pipeline/run/outputs.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

/**
 * Loaded before the program: whoever starts a process, opens a connection or looks a name up ends the run. With
 * PRETEND, the program takes this machine for another one.
 */
const ALONE = `
const end = (what) => () => { require('node:fs').writeSync(2, 'NOT ALONE: ' + what); process.exit(99); };
const processes = require('node:child_process');
for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'])
  processes[name] = end(name);
processes.ChildProcess.prototype.spawn = end('ChildProcess');
require('node:net').Socket.prototype.connect = end('connect');
const dns = require('node:dns');
for (const name of ['lookup', 'resolve']) { dns[name] = end(name); dns.promises[name] = end(name); }
const [platform, arch] = (process.env.PRETEND ?? '').split(' ');
if (arch !== undefined) Object.defineProperties(process, { platform: { value: platform }, arch: { value: arch } });
require('node:module').syncBuiltinESMExports();
`;

/** Whether to run what needs a process without network: on Linux where that works, and in CI always. */
const OFF_NET = process.platform === 'linux' && (process.env['CI'] !== undefined || canLeaveNetwork());

function canLeaveNetwork(): boolean {
  const { status } = spawnSync('unshare', ['--net', 'true']);
  if (status !== 0) process.stderr.write('no right to leave the network: one test of stub mode is left out\n');
  return status === 0;
}

let folder: ReturnType<typeof makeFolder>;
const at = (...parts: string[]): string => join(folder.path, ...parts);
const TARBALL = 'a3s-lab-libkrun-1.0.0-stub.tgz';

beforeEach(() => {
  folder = makeFolder('stub test');
  const config = { package: { version: '1.0.0' } };
  writeFileSync(at('package.json'), JSON.stringify({ name: 'project', 'a3s-build': config }));
  writeFileSync(at('alone.cjs'), ALONE);
});
afterEach(() => folder.remove());

/** Runs the program with an empty home, no tool on PATH, and no way out of its process. */
function alone(args: readonly string[] = [], env: Record<string, string> = {}) {
  mkdirSync(at('home'), { recursive: true });
  return runCli(args, {
    cwd: folder.path,
    env: {
      A3S_CACHE_DIR: at('store'),
      A3S_DEPS_STUB: '1',
      HOME: at('home'),
      PATH: at('no-tools'),
      NODE_OPTIONS: `--require ${JSON.stringify(at('alone.cjs'))}`,
      npm_config_registry: 'http://127.0.0.1:9',
      ...env,
    },
  });
}

const read = (path: string): string => readFileSync(at(path), 'utf8');
const manifest = (path = 'build/stub/manifest.json'): BuildManifest => JSON.parse(read(path));
const outcomes = (): string[] => manifest().steps.map(({ id, outcome }) => `${id} ${outcome}`);
const sha256 = (path: string): string =>
  createHash('sha256')
    .update(readFileSync(at(path)))
    .digest('hex');

describe('a stub', () => {
  it('is made without any tool, process or connection, from an empty store', async () => {
    const result = await alone();
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toContain('· stub\n');
    expect(result.stderr).toContain('results in build/stub');
    expect(readdirSync(at('build'))).toEqual(['stub']);
    expect(readdirSync(at('build/stub')).toSorted()).toEqual(['manifest.json', 'npm']);
    expect(readdirSync(at('build/stub/npm'))).toEqual([TARBALL]);
    expect(manifest()).toMatchObject({ stub: true, target: 'stub' });
    expect(readdirSync(at('home'))).toEqual([]);
  });

  it('would be told by the same guard if it reached out, as a real build does', async () => {
    const result = await alone([], { A3S_DEPS_STUB: '0' });
    expect(result.code).toBe(99);
    expect(result.stderr).toContain('NOT ALONE');
  });

  it.runIf(OFF_NET)('is made where there is no network at all', () => {
    const env = { PATH: process.env['PATH'], HOME: at('home'), A3S_CACHE_DIR: at('store'), A3S_DEPS_STUB: '1' };
    const program = [process.execPath, join(REPOSITORY, 'dist/cli.cjs')];
    expect(spawnSync('unshare', ['--net', ...program], { cwd: folder.path, env })).toMatchObject({ status: 0 });
    expect(manifest().stub).toBe(true);
  });

  it('is made, byte for byte the same, on platforms that are not supported', async () => {
    await alone();
    const here = sha256(`build/stub/npm/${TARBALL}`);
    for (const machine of ['win32 x64', 'darwin x64', 'freebsd arm64']) {
      rmSync(at('build'), { recursive: true });
      rmSync(at('store'), { recursive: true });
      expect(await alone([], { PRETEND: machine })).toMatchObject({ code: 0 });
      expect(sha256(`build/stub/npm/${TARBALL}`)).toBe(here);
      const real = await alone([], { PRETEND: machine, A3S_DEPS_STUB: 'off' });
      expect(real).toMatchObject({ code: 64, stderr: expect.stringContaining('A3S1002') });
      expect(real.stderr).toContain('A3S_DEPS_STUB=1');
    }
  });

  it('does not mind an empty submodule, or a target that cannot be built', async () => {
    mkdirSync(at('vendor/libkrun'), { recursive: true });
    expect(await alone(['--target', 'x86_64-pc-windows-msvc'])).toMatchObject({ code: 0 });
  });

  it('runs the steps named, into the folder named', async () => {
    expect(await alone(['--only', 'addon', '--out', 'elsewhere'])).toMatchObject({ code: 0 });
    expect(readdirSync(folder.path)).not.toContain('build');
    expect(manifest('elsewhere/stub/manifest.json').steps.map(({ id }) => id)).toEqual(['bindings', 'addon']);
  });

  it.each([
    [['--only', 'libkrun'], 'no step libkrun'],
    [['bindings'], 'a3s-build bindings'],
    [['bindings', '--check'], 'a3s-build bindings --check'],
  ])('refuses %j, which needs libkrun', async (args, words) => {
    const result = await alone(args);
    expect(result.code).toBe(64);
    expect(result.stderr).toContain('A3S1501');
    expect(result.stderr).toContain(words);
  });

  it('is planned without being made', async () => {
    for (const args of [['plan', '--json'], ['--dry-run=json']]) {
      const result = await alone(args);
      expect(result.code).toBe(0);
      const { target, outDir, steps } = JSON.parse(result.stdout);
      expect([target, outDir]).toEqual(['stub', at('build/stub')]);
      expect(steps.map(({ id, action }: { id: string; action: string }) => `${id} ${action}`)).toEqual([
        'bindings run',
        'addon may run',
        'package may run',
      ]);
    }
    expect(readdirSync(folder.path)).not.toContain('build');
  });

  it('is made by the functions as well', async () => {
    const options = { cwd: folder.path, variables: { A3S_DEPS_STUB: 'yes', A3S_CACHE_DIR: at('store') } };
    expect(await plan(options)).toMatchObject({ ok: true, plan: { target: 'stub' } });
    expect(await build(options)).toMatchObject({ ok: true, manifest: { stub: true, target: 'stub' } });
    expect(await build({ ...options, only: ['init'] })).toMatchObject({ ok: false, error: { code: 'A3S1501' } });
  });
});

describe('the switch', () => {
  it.each(['0', 'false', 'no', 'OFF', ''])('%j plans a real build', async (value) => {
    const result = await alone(['plan', '--json'], { A3S_DEPS_STUB: value, NODE_OPTIONS: '' });
    expect(JSON.parse(result.stdout)).toMatchObject({ target: expect.not.stringContaining('stub') });
    expect(JSON.parse(result.stdout).steps).toHaveLength(9);
  });

  it('refuses what is neither on nor off', async () => {
    const result = await alone([], { A3S_DEPS_STUB: 'maybe' });
    expect(result.code).toBe(78);
    expect(result.stderr).toContain('A3S1103');
  });

  it('goes back and forth without making anything again, and leaves the other kind alone', async () => {
    writeTree(at('vendor/libkrun'));
    const real = () => runCli(['--only', 'init'], { cwd: folder.path, env: { A3S_CACHE_DIR: at('store'), CI: '' } });
    const kept = { 'build/linux-x64/prefix/lib/libkrun.so.1': 'real', 'build/npm/real.tgz': 'real' };
    for (const [path, text] of Object.entries(kept)) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
    }
    expect((await real()).stderr).toContain('first run');
    const stub = await alone();
    expect(stub.stderr).toContain('ran: first run');
    expect((await real()).stderr).toContain('nothing to do');
    expect((await alone()).stderr).toContain('nothing to do');
    expect(outcomes()).toEqual(['bindings reused', 'addon reused', 'package reused']);
    for (const [path, text] of Object.entries(kept)) expect(read(path)).toBe(text);
  });
});

describe('the interface of a stub', () => {
  const own = (change: (types: string) => string = (types) => types): void => {
    mkdirSync(at('generated'));
    for (const name of ['abi.json', 'libkrun.d.ts']) cpSync(join(REPOSITORY, 'generated', name), at('generated', name));
    writeFileSync(at('generated/libkrun.d.ts'), change(read('generated/libkrun.d.ts')));
  };

  it('is the one that the project committed', async () => {
    await alone();
    own();
    const lock = JSON.parse(read('generated/abi.json'));
    const types = read('generated/libkrun.d.ts').replace('KRUN_LOG_LEVEL_ERROR: 1', 'KRUN_LOG_LEVEL_ERROR: 11');
    writeFileSync(at('generated/libkrun.d.ts'), types);
    const error = lock.interfaces[0].constants.find(({ name }: { name: string }) => name === 'KRUN_LOG_LEVEL_ERROR');
    error.value = '11';
    const made = lock.made.files.find(({ path }: { path: string }) => path === 'libkrun.d.ts');
    made.sha256 = createHash('sha256').update(types).digest('hex');
    writeFileSync(at('generated/abi.json'), JSON.stringify(lock));
    const result = await alone();
    expect(result.stderr).toContain('ran: abi.json changed, libkrun.d.ts changed');
    const { stdout } = await promisify(execFile)('tar', ['xzOf', at('build/stub/npm', TARBALL), 'package/stub.cjs']);
    expect(stdout).toContain('["KRUN_LOG_LEVEL_ERROR", 11]');
  });

  it('does not mind the line ends that Git gives to files on Windows, and is then the same', async () => {
    await alone();
    const before = sha256(`build/stub/npm/${TARBALL}`);
    own((types) => types.replaceAll('\n', '\r\n'));
    expect(await alone()).toMatchObject({ code: 0 });
    expect(sha256(`build/stub/npm/${TARBALL}`)).toBe(before);
  });

  it.each([
    ['edited', (types: string) => types.replace('ctxId: number', 'ctxId: string'), 'is not the one'],
    ['damaged', () => '', 'is not the one'],
  ])('is refused when its declarations are %s', async (_what, change, words) => {
    own(change);
    const result = await alone();
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('A3S3001');
    expect(result.stderr).toContain(words);
  });

  it('is refused when it is not whole, or its lock is none', async () => {
    own();
    rmSync(at('generated/libkrun.d.ts'));
    expect(await alone()).toMatchObject({ code: 2, stderr: expect.stringContaining('libkrun.d.ts is missing') });
    writeFileSync(at('generated/abi.json'), '{"form": 1, "functions": "none"}');
    cpSync(join(REPOSITORY, 'generated/libkrun.d.ts'), at('generated/libkrun.d.ts'));
    expect(await alone()).toMatchObject({ code: 2, stderr: expect.stringContaining('A3S3001') });
  });

  it('is refused when another version gave other names', async () => {
    own();
    const types = read('generated/libkrun.d.ts').replace('function krunCreateCtx', 'function krun_create_ctx');
    const lock = JSON.parse(read('generated/abi.json'));
    const made = lock.made.files.find(({ path }: { path: string }) => path === 'libkrun.d.ts');
    made.sha256 = createHash('sha256').update(types).digest('hex');
    writeFileSync(at('generated/abi.json'), JSON.stringify(lock));
    writeFileSync(at('generated/libkrun.d.ts'), types);
    expect(await alone()).toMatchObject({ code: 2, stderr: expect.stringContaining('another version of a3s-build') });
  });
});
