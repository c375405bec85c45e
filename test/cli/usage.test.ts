import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../pipeline/plan/error-table.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('usage');
  writeFileSync(join(folder.path, 'package.json'), '{"name":"project"}');
});
afterEach(() => folder.remove());

const cli = (args: readonly string[], env: Record<string, string> = {}) =>
  runCli(args, { cwd: folder.path, env: { A3S_CACHE_DIR: join(folder.path, 'store'), ...env } });

describe('the command line', () => {
  it.each([
    [['--target', 'windows-x64'], 64, 'A3S1002', 'Windows is not supported'],
    [['--target', 'darwin-x64'], 64, 'A3S1002', 'Intel Macs are not supported'],
    [['--target', 'linux-x46'], 64, 'A3S1003', 'linux-x64'],
    [['--target', 'linux-x64,linux-am64'], 64, 'A3S1003', 'did you mean linux-arm64?'],
    [['--target', 'linux-x64', '--target', 'linux-x46'], 64, 'A3S1003', 'linux-x64'],
    [['--target', 'linux-x64,'], 64, 'A3S1003', 'a target is missing'],
    [['link', '--format', 'json', '--target', 'linux-x64,linux-arm64'], 64, 'A3S1006', 'linux-x64, linux-arm64'],
    [['--target', 'all', '--linker', 'gcc'], 64, 'A3S1005', 'CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER'],
    [['--glibc', '2.17'], 64, 'A3S1007', '2.17'],
    [['--glibc', '2.28', '--linker', 'gcc'], 64, 'A3S1008', 'zig'],
    [['--only', 'libkrn'], 64, 'A3S1001', 'libkrun'],
    [['--firmware', 'ftp'], 64, 'A3S1001', 'npm, github'],
    [['--jobs', '0'], 64, 'A3S1001', 'jobs'],
    [['--ofline'], 64, 'A3S1001', '--offline'],
    [['bild'], 64, 'A3S1001', 'bild'],
    [['explain', 'A3S0000'], 64, 'A3S1001', 'A3S1203'],
  ])('refuses %j', async (args, code, name, text) => {
    const result = await cli(args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(name);
    expect(result.stderr).toContain(text);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  it('prints help and version on standard output', async () => {
    expect(await cli(['--help'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('bindings') });
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('explains every error code', async () => {
    const result = await cli(['explain', 'a3s1203']);
    expect(result.stdout).toContain(ERROR_TABLE.A3S1203.cause);
    expect(result.code).toBe(0);
  });

  it('shows a stack trace only when asked', async () => {
    const result = await cli(['--verbose', '--target', 'windows']);
    expect(result.stderr).toMatch(/^\s+at /m);
  });
});

describe('the plan', () => {
  it('prints as JSON on standard output, and does nothing', async () => {
    writeTree(join(folder.path, 'vendor/libkrun'));
    for (const args of [['--dry-run=json'], ['--dry-run', 'json'], ['plan', '--json']]) {
      const result = await cli(args);
      expect(result).toMatchObject({ code: 0, stderr: '' });
      const plan = JSON.parse(result.stdout);
      expect(plan.steps.map((step: { id: string }) => step.id)).toContain('libkrun');
      expect(plan.steps[0]).toMatchObject({ id: 'firmware', action: 'run', why: 'first run' });
    }
    expect(() => readFileSync(join(folder.path, 'build'))).toThrow('ENOENT');
  });

  it.each([[['--target', 'linux-arm64,linux-x64']], [['--target', 'linux-arm64', '--target', 'linux-x64']]])(
    'is one for all targets of %j, in which shared work stands once',
    async (args) => {
      const { code, stdout } = await cli(['plan', ...args]);
      expect(code).toBe(0);
      expect(stdout).toContain('· linux-x64,linux-arm64 ·');
      const rows = stdout.split('\n').map((line) => line.slice(9).split(/ {2,}/)[0]);
      expect(rows.filter((row) => row?.startsWith('source'))).toEqual(['source']);
      expect(rows.filter((row) => row?.startsWith('libkrun'))).toEqual(['libkrun linux-x64', 'libkrun linux-arm64']);
    },
  );

  it('says what would run after a change, and why', async () => {
    const tree = join(folder.path, 'vendor/libkrun');
    writeTree(tree);
    await cli(['--only', 'init']);
    expect((await cli(['--dry-run', '--only', 'init'])).stdout).toMatch(/^reuse +init +unchanged$/m);
    writeTree(tree, { 'init/init.c': 'int main(void) { return 1; }\n' });
    const result = await cli(['--dry-run', '--only', 'init']);
    expect(result.stdout).toMatch(/^run +source +init\/init\.c changed$/m);
    expect(result.stdout).toMatch(/^may run +init +depends on source$/m);
  });
});

describe('configuration', () => {
  it.each([
    ['{ "jobs": "many" }', 'a3s-build.config.json:1:11', '"jobs"'],
    ['{\n  "job": 3\n}', 'a3s-build.config.json:2:', '"job"'],
    ['{\n  "jobs": 3,\n}', 'a3s-build.config.json:3:1', 'JSON'],
  ])('that is malformed is refused with line and column: %s', async (text, place, field) => {
    writeFileSync(join(folder.path, 'a3s-build.config.json'), text);
    const result = await cli([]);
    expect(result.code).toBe(78);
    expect(result.stderr).toContain('A3S1101');
    expect(result.stderr).toContain(place);
    expect(result.stderr).toContain(field);
  });

  it('counts from any sub-folder', async () => {
    writeFileSync(join(folder.path, 'a3s-build.config.json'), '{ "out": "elsewhere" }');
    const deep = join(folder.path, 'packages/app/src');
    mkdirSync(deep, { recursive: true });
    const result = await runCli(['plan'], { cwd: deep, env: { A3S_CACHE_DIR: join(folder.path, 'store') } });
    expect(result.stdout).toContain(join(folder.path, 'elsewhere'));
  });

  it('of pins that is malformed is refused with line and column', async () => {
    mkdirSync(join(folder.path, 'vendor'));
    writeFileSync(join(folder.path, 'vendor/libkrun.json'), '{\n  "schema": 2\n}');
    const result = await cli([]);
    expect(result.code).toBe(78);
    expect(result.stderr).toContain('A3S1102');
    expect(result.stderr).toContain('vendor/libkrun.json:');
  });

  it.each([
    ['A3S_OFFLINE', 'maybe'],
    ['SOURCE_DATE_EPOCH', 'yesterday'],
    ['A3S_DEPS_STUB', 'maybe'],
  ])('in %s=%s is refused by name', async (name, value) => {
    const result = await cli([], { [name]: value });
    expect(result.code).toBe(78);
    expect(result.stderr).toContain('A3S1103');
    expect(result.stderr).toContain(name);
  });
});

describe('vendored sources', () => {
  it('that were not fetched are named, with the submodule command and the other way', async () => {
    mkdirSync(join(folder.path, 'vendor/libkrun'), { recursive: true });
    const result = await cli([]);
    expect(result.code).toBe(78);
    for (const text of ['A3S1301', 'Vendored sources not found', 'git submodule update --init', 'pinned crate']) {
      expect(result.stderr).toContain(text);
    }
    rmSync(join(folder.path, 'vendor/libkrun'), { recursive: true });
    expect((await cli(['plan'])).code).toBe(0);
  });

  it('named by --libkrun-dir must exist', async () => {
    const result = await cli(['--libkrun-dir', 'nowhere']);
    expect(result.code).toBe(78);
    expect(result.stderr).toContain('nowhere');
  });
});

it('has every error code in the README', () => {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  for (const [code, { title, exit }] of Object.entries(ERROR_TABLE)) {
    expect(readme).toContain(`| ${code} | ${title} (exit ${exit}) |`);
  }
});
