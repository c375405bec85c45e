import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WATCHED_VARIABLES } from '../../pipeline/commands/link-watch.ts';
import { readEnvironment } from '../../pipeline/plan/environment.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

const FORMATS = ['cargo', 'pkg-config', 'json', 'env', 'config'] as const;
const TRIPLE = 'x86_64-unknown-linux-gnu';
const RECORD = {
  schema: 1,
  target: 'linux-x64',
  triple: TRIPLE,
  version: '1.17.0',
  searchPath: 'prefix/lib',
  library: 'krun',
  libraryFile: 'prefix/lib/libkrun.so.1',
  firmwareFile: 'prefix/lib/libkrunfw.so.5',
  includePath: 'prefix/include',
};

let folder: ReturnType<typeof makeFolder>;
let project: string;
beforeEach(() => {
  folder = makeFolder('link');
  project = join(folder.path, "it's a project");
  write('package.json', '{"name":"project"}');
});
afterEach(() => folder.remove());

function write(path: string, text: string): void {
  mkdirSync(join(project, path, '..'), { recursive: true });
  writeFileSync(join(project, path), text);
}

/** What a build leaves, without building. */
function pretendBuilt(record: object = RECORD): void {
  for (const file of ['lib/libkrun.so.1', 'lib/libkrunfw.so.5', 'include/libkrun.h', 'include/other.h']) {
    write(`build/linux-x64/prefix/${file}`, file);
  }
  write('build/linux-x64/link.json', JSON.stringify(record));
}

function link(args: readonly string[], env: Record<string, string> = {}) {
  return runCli(['link', ...args], { cwd: project, env: { A3S_CACHE_DIR: join(folder.path, 'store'), ...env } });
}

async function printed(format: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await link(['--format', format, '--no-build', ...more]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

describe('link', () => {
  it('tells cargo where the libraries are, and nothing else on standard output', async () => {
    pretendBuilt();
    const lines = (await printed('cargo')).trimEnd().split('\n');
    const lib = join(project, 'build/linux-x64/prefix/lib');
    expect(lines.filter((line) => !line.startsWith('cargo:rerun-if-'))).toEqual([
      `cargo:rustc-link-search=native=${lib}`,
      'cargo:rustc-link-lib=dylib=krun',
      `cargo:LIBKRUN_A3S_DEP=${lib}`,
      `cargo:LIBKRUNFW_A3S_DEP=${lib}`,
    ]);
  });

  it('has cargo watch every entry of the source tree but target and .git, and nothing that is not there', async () => {
    writeTree(join(project, 'vendor/libkrun'), { 'target/debug/x': '', '.git/HEAD': '', 'libkrun.pc.in': '' });
    write('a3s-build.config.json', '{}');
    pretendBuilt();
    const changed = 'cargo:rerun-if-changed=';
    const lines = (await printed('cargo')).split('\n').filter((line) => line.startsWith(changed));
    const paths = lines.map((line) => line.slice(changed.length));
    const tree = join(project, 'vendor/libkrun');
    const below = paths.filter((path) => path.startsWith(tree)).map((path) => path.slice(tree.length + 1));
    expect(below).toEqual(['Cargo.lock', 'Cargo.toml', 'LICENSE', 'include', 'init', 'libkrun.pc.in', 'src']);
    expect(paths).toContain(join(project, 'a3s-build.config.json'));
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
    // The tool's own package.json.
    expect(paths.filter((path) => path.endsWith('/package.json'))).toHaveLength(2);
  });

  it('has cargo watch every variable that decides what is built', () => {
    const asked = new Set<string>();
    readEnvironment(new Proxy({}, { get: (_target, name) => void (typeof name === 'string' && asked.add(name)) }));
    // They choose how thoroughly is looked and what npm's packages are dated, not which library comes out.
    for (const name of ['CI', 'SOURCE_DATE_EPOCH']) asked.delete(name);
    expect(WATCHED_VARIABLES).toEqual(expect.arrayContaining([...asked]));
    expect(WATCHED_VARIABLES).toEqual(expect.arrayContaining(['RUSTC', 'LIBCLANG_PATH', 'PKG_CONFIG_PATH']));
  });

  it('prints a libkrun.pc that may be moved', async () => {
    pretendBuilt();
    const text = await printed('pkg-config');
    expect(text).toMatch(/^prefix=\$\{pcfiledir\}\/\.\.\/\.\.$/m);
    expect(text).toMatch(/^Version: 1\.17\.0$/m);
    expect(text).not.toContain(project);
  });

  it('prints shell lines that survive any name of a folder', async () => {
    pretendBuilt();
    const lines = await printed('env');
    const script = `PKG_CONFIG_PATH=/before; ${lines} printf '%s|%s' "$LIBKRUN_A3S_DEP" "$PKG_CONFIG_PATH"`;
    const lib = join(project, 'build/linux-x64/prefix/lib');
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(`${lib}|${lib}/pkgconfig:/before`);
  });

  it('prints JSON', async () => {
    pretendBuilt();
    const lib = join(project, 'build/linux-x64/prefix/lib');
    expect(JSON.parse(await printed('json'))).toMatchObject({
      stub: false,
      triple: TRIPLE,
      library: 'krun',
      libraryDir: lib,
      metadata: { LIBKRUN_A3S_DEP: lib, LIBKRUNFW_A3S_DEP: lib },
    });
  });

  it('lays libraries and headers out as their own installations do, again and again', async () => {
    pretendBuilt();
    const own = 'out/libkrun/lib64/own-file';
    write(own, 'mine');
    await printed('json', '--layout', 'out', '--target', TRIPLE);
    pretendBuilt({ ...RECORD, version: '1.18.0' });
    const facts = JSON.parse(await printed('json', '--layout', 'out'));
    const lib = join(project, 'out/libkrun/lib64');
    expect(facts).toMatchObject({ libraryDir: lib, firmwareDir: join(project, 'out/libkrunfw/lib64') });
    expect(readdirSync(lib).toSorted()).toEqual(
      ['libkrun.so', 'libkrun.so.1', 'libkrun.so.1.18.0', 'libkrunfw.so.5', 'own-file', 'pkgconfig'].toSorted(),
    );
    expect(readlinkSync(join(lib, 'libkrun.so'))).toBe('libkrun.so.1');
    expect(readlinkSync(join(lib, 'libkrun.so.1'))).toBe('libkrun.so.1.18.0');
    expect(readFileSync(join(lib, 'libkrunfw.so.5'), 'utf8')).toBe('lib/libkrunfw.so.5');
    expect(readFileSync(join(lib, 'pkgconfig/libkrun.pc'), 'utf8')).toContain('libdir=${prefix}/lib64');
    expect(readdirSync(join(project, 'out/libkrun/include'))).toEqual(['libkrun.h']);
  });

  it('refuses a path that would end a line of cargo', async () => {
    pretendBuilt();
    const result = await link(['--format', 'cargo', '--no-build', '--layout', 'a\ncargo:rustc-env=PATH=b']);
    expect(result).toMatchObject({ code: 78, stdout: '' });
    expect(result.stderr).toContain('A3S1403');
  });
});

describe('link --no-build', () => {
  it.each([
    ['there is nothing', () => {}],
    ['the record is damaged', () => pretendBuilt({ ...RECORD, version: '../..' })],
    ['a file that the record names is gone', () => pretendBuilt({ ...RECORD, firmwareFile: 'prefix/lib/gone' })],
  ])('fails with code and fix when %s', async (_what, prepare) => {
    prepare();
    const result = await link(['--format', 'cargo', '--no-build']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('A3S1402');
    expect(result.stderr).toContain('a3s-build --only prefix');
  });
});

describe('link in stub mode', () => {
  const stub = async (format: string, ...more: string[]) => {
    const result = await link(['--format', format, ...more], { A3S_DEPS_STUB: '1', PATH: '/nonexistent' });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return result.stdout;
  };

  it('tells the values of the contract in every format, and builds nothing', async () => {
    const texts = Object.fromEntries(await Promise.all(FORMATS.map(async (name) => [name, await stub(name)] as const)));
    expect(texts['cargo']).toContain('cargo:LIBKRUN_A3S_DEP=/nonexistent\ncargo:LIBKRUNFW_A3S_DEP=/nonexistent\n');
    expect(texts['cargo']).toContain('cargo:rerun-if-env-changed=A3S_DEPS_STUB\n');
    expect(texts['cargo']).not.toContain('rustc-link');
    expect(texts['pkg-config']).toMatch(/^Version: 1\.\d+\.\d+\nLibs:\nCflags:\n$/m);
    expect(JSON.parse(texts['json'] ?? '')).toMatchObject({ stub: true, library: null, libraryDir: '/nonexistent' });
    expect(texts['env']).toBe("export LIBKRUN_A3S_DEP='/nonexistent'\nexport LIBKRUNFW_A3S_DEP='/nonexistent'\n");
    expect(texts['config']).toContain('rustc-cfg = ["a3s_stub"]\nLIBKRUN_A3S_DEP = "/nonexistent"\n');
    expect(existsSync(join(project, 'build'))).toBe(false);
  });

  it.each(['x86_64-pc-windows-msvc', 'riscv64gc-unknown-linux-gnu'])('is there for %s, too', async (triple) => {
    expect(await stub('config', '--target', triple)).toContain(`[target.${triple}.a3s_krun]\n`);
  });

  it('knows a switch that is neither on nor off', async () => {
    const result = await link(['--format', 'json'], { A3S_DEPS_STUB: 'maybe' });
    expect(result).toMatchObject({ code: 78, stdout: '' });
    expect(result.stderr).toContain('A3S1103');
  });
});
