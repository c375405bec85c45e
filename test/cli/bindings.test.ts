import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../../pipeline/bindings/abi.ts';
import { runCli } from '../helpers/cli.ts';
import { overriddenHeader } from '../helpers/overridden-header.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const HEADER = readFileSync(new URL('../fixtures/abi/machine.h', import.meta.url), 'utf8');

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('bindings');
  write('package.json', '{"name":"project"}');
  write('old.h', HEADER);
});
afterEach(() => folder.remove());

const write = (path: string, text: string): void => writeFileSync(join(folder.path, path), text);
const bindings = (...args: string[]) =>
  runCli(['bindings', ...args], { cwd: folder.path, env: { A3S_CACHE_DIR: join(folder.path, 'store') } });

describe('the difference of two headers', () => {
  it('says nothing of two that are the same', async () => {
    expect(await bindings('--diff', 'old.h', 'old.h')).toMatchObject({ code: 0, stdout: 'semver: none\n' });
  });

  it('is told for each target, with the release that it needs', async () => {
    const changed = HEADER.replace('int fd,', 'bool fd,')
      .replace('#define MACHINE_LEVEL_ALL 5\n', '')
      .replace('#define MACHINE_NAME', '#ifdef __APPLE__\n#define MACHINE_HVF 1\n#endif\n#define MACHINE_NAME');
    write('new.h', changed);
    const { code, stdout, stderr } = await bindings('--diff', 'old.h', 'new.h');
    expect(stdout.split('\n')).toEqual([
      'old.h → new.h for linux-x64, linux-arm64, darwin-arm64',
      '- BREAKING removed  MACHINE_LEVEL_ALL = 5',
      '~ BREAKING changed  machine_add_net: argument 2  i32 → bool',
      'old.h → new.h for darwin-arm64',
      '+ added             MACHINE_HVF = 1  (Rust crate minor, npm package patch)',
      'semver: major',
      '',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('is JSON for machines, with what the headers leave open', async () => {
    write('new.h', `${HEADER}\nint machine_odd(int *out);\n`);
    const { stdout } = await bindings('--diff', 'old.h', 'new.h', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 2,
      before: 'old.h',
      after: 'new.h',
      changes: [
        {
          change: 'added',
          kind: 'function-added',
          name: 'machine_odd',
          header: 'new.h',
          targets: ['linux-x64', 'linux-arm64', 'darwin-arm64'],
          rust: 'minor',
          npm: 'patch',
        },
      ],
      semver: { rust: 'minor', npm: 'patch' },
      semverByTarget: { 'darwin-arm64': { rust: 'minor', npm: 'patch' } },
      notes: [expect.stringContaining('new.h: not proven: machine_odd'), expect.any(String)],
    });
  });

  it.each([
    [['old.h'], 64, 'A3S1001', '1 given'],
    [['old.h', 'old.h', 'old.h'], 64, 'A3S1001', '3 given'],
    [['old.h', 'old.h', '--check'], 64, 'A3S1001', '--check'],
    [['old.h', 'none.h'], 74, 'A3S5002', 'none.h'],
    [['old.h', '/dev/zero'], 65, 'A3S3002', '/dev/zero is not a file'],
    [['old.h', 'broken.h'], 65, 'A3S3002', 'broken.h:1:9'],
  ])('of %j is refused', async (paths, code, name, text) => {
    write('broken.h', 'int old(;\n');
    const result = await bindings('--diff', ...paths);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(name);
    expect(result.stderr).toContain(text);
  });
});

describe('the check', () => {
  it('is fast or full', async () => {
    const result = await bindings('--check=quick');
    expect(result.code).toBe(64);
    expect(result.stderr).toContain('A3S1001');
    expect(result.stderr).toContain('fast, full');
  });

  it.each([
    ['{\n  "form": 2,\n  "headers": linux\n}', 'generated/abi.json:3:14'],
    ['{\n  "form": 9\n}', 'generated/abi.json:2:11'],
  ])('refuses a lock that cannot be read, with line and column: %j', async (text, place) => {
    writeTree(join(folder.path, 'vendor/libkrun'));
    mkdirSync(join(folder.path, 'generated'));
    write('generated/abi.json', text);
    const result = await bindings('--check');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('A3S3001');
    expect(result.stderr).toContain(place);
  });
});

describe('a project whose bindings were written', { timeout: 60_000 }, () => {
  const header = overriddenHeader();
  let template = '';
  beforeAll(async () => {
    template = mkdtempSync(join(tmpdir(), 'a3s-written-'));
    writeFileSync(join(template, 'package.json'), '{"name":"project"}');
    writeTree(join(template, 'vendor/libkrun'), { 'include/libkrun.h': header });
    const written = await runCli(['bindings'], { cwd: template, env: { A3S_CACHE_DIR: join(template, 'store') } });
    expect(written).toMatchObject({ code: 0, stdout: '' });
  }, 60_000);
  afterAll(() => rmSync(template, { recursive: true, force: true }));
  beforeEach(() => cpSync(template, folder.path, { recursive: true }));

  const generated = (name: string): string => join(folder.path, 'generated', name);
  const HEADER_PATH = 'vendor/libkrun/include/libkrun.h';

  it('is fresh, and nothing is written by looking', async () => {
    const before = readFileSync(join(folder.path, 'build/linux-x64/manifest.json'), 'utf8');
    expect(await bindings('--check')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^generated\/ is what libkrun.h gives\nno built library .*\n$/),
    });
    expect(await bindings('--check=full')).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder.path, 'build/linux-x64/manifest.json'), 'utf8')).toBe(before);
  });

  it('is stale when the header changed: exit code 2, the change, and the release that it needs', async () => {
    write(HEADER_PATH, header.replace('int32_t krun_set_env(uint32_t ctx_id', 'int32_t krun_set_env(uint64_t ctx_id'));
    const { code, stdout, stderr } = await bindings('--check');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      '✗ bindings are stale  A3S3001',
      '  libkrun.h for linux-x64, linux-arm64, darwin-arm64',
      '  ~ BREAKING changed  krun_set_env: argument 1  u32 → u64  (Rust crate major, npm package minor)',
      '  abi.json does not say what the header declares',
      '  semver: Rust crate major, npm package minor',
      expect.stringMatching(/^ {4}Rust crate: .* is too low$/),
      expect.stringMatching(/^ {4}npm package: .* is too low$/),
      expect.stringContaining('no built library'),
      '  Fix: Run `a3s-build bindings` and commit generated/.',
      '',
    ]);
    const json = await bindings('--check', '--json');
    expect(json).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      fresh: false,
      reasons: ['abi.json does not say what the header declares'],
      changes: [{ kind: 'parameter-wider', header: 'libkrun.h', rust: 'major', npm: 'minor' }],
      semver: { rust: { bump: 'major', enough: false }, npm: { bump: 'minor', enough: false } },
      exports: null,
    });
  });

  it('is stale for the full check alone when declarations were edited and their digest was made to fit', async () => {
    const declarations = readFileSync(generated('libkrun.d.ts'), 'utf8');
    const edited = declarations.replace('krunSetEnv(ctxId: number', 'krunSetEnv(ctxId: any');
    expect(edited).not.toBe(declarations);
    writeFileSync(generated('libkrun.d.ts'), edited);
    const lock = readFileSync(generated('abi.json'), 'utf8');
    writeFileSync(generated('abi.json'), lock.replace(sha256Of(declarations), sha256Of(edited)));
    expect(await bindings('--check')).toMatchObject({ code: 0 });
    const full = await bindings('--check=full', '--json');
    expect(full.code).toBe(2);
    expect(JSON.parse(full.stdout)).toMatchObject({
      fresh: false,
      reasons: ['libkrun.d.ts differs from what the header gives', 'abi.json differs from what the header gives'],
      changes: [],
    });
  });

  /** A library that exports the header's functions but for `without`. */
  function compileLibrary(path: string, without: string): void {
    const names = [...header.matchAll(/^int32_t (\w+)/gm)].map(([, name = '']) => name);
    const source = names.filter((name) => name !== without).map((name) => `int ${name}(void) { return 0; }\n`);
    write('lib.c', source.join(''));
    mkdirSync(join(folder.path, path, '..'), { recursive: true });
    execFileSync('cc', ['-shared', '-nostdlib', '-o', join(folder.path, path), join(folder.path, 'lib.c')]);
  }

  it('is held against the library that was built, and fails only for one that is named', async () => {
    const built = 'build/linux-x64/prefix/lib/libkrun.so.1';
    compileLibrary(built, 'krun_set_env');
    const told = `${built}: declared but not exported: krun_set_env`;
    const found = await bindings('--check');
    expect(found.code).toBe(0);
    expect(found.stderr).toContain('~ BREAKING changed  krun_set_env: is declared, but no longer exported');
    expect(found.stderr).toContain(`${told}\n`);
    const named = await bindings('--check', '--library', built, '--json');
    expect(named.code).toBe(2);
    expect(JSON.parse(named.stdout)).toMatchObject({
      fresh: true,
      exports: { library: built, declaredNotExported: ['krun_set_env'], notReviewed: ['krun_set_env'] },
      semverByTarget: { 'linux-x64': { rust: 'major', npm: 'major' }, 'darwin-arm64': { rust: 'none', npm: 'none' } },
    });
    compileLibrary('whole.so', '');
    expect(await bindings('--check', '--library', 'whole.so')).toMatchObject({ code: 0 });
  });

  it('is compared with no library that cannot be read, which is an error for one that is named', async () => {
    const built = 'build/linux-x64/prefix/lib/libkrun.so.1';
    mkdirSync(join(folder.path, built, '..'), { recursive: true });
    write(built, 'no library');
    const found = await bindings('--check');
    expect(found.code).toBe(0);
    expect(found.stderr).toContain('! exports are not compared: ');
    expect(await bindings('--check', '--library', built)).toMatchObject({ code: 65 });
    expect(await bindings('--check', '--library', 'none.so')).toMatchObject({ code: 74 });
    expect(await bindings('--check', '--library', '/dev/zero')).toMatchObject({ code: 65 });
    expect(await bindings('--library', built)).toMatchObject({ code: 64 });
  });
});
