import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCargo, writeProgram } from '../helpers/cargo.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';

const CRATE = join(REPOSITORY, 'native/libkrun-sys');
const LIMIT = 120_000;

let folder: ReturnType<typeof makeFolder>;
let targetDir: string;
/** A PATH with what cargo needs, and neither Node nor npx. */
let barePath: string;
beforeAll(() => {
  folder = makeFolder('libkrun-sys');
  targetDir = join(folder.path, 'target');
  barePath = join(folder.path, 'bin');
  mkdirSync(barePath);
  for (const name of ['cargo', 'rustc', 'cc', 'ld', 'as']) {
    const found = (process.env['PATH'] ?? '').split(delimiter).find((entry) => existsSync(join(entry, name)));
    if (found !== undefined) symlinkSync(join(found, name), join(barePath, name));
  }
});
afterAll(() => folder.remove());

/** Runs cargo in the example workspace, without Node. */
const cargo = (args: readonly string[], env: Record<string, string> = {}) =>
  runCargo([...args, '--locked'], { targetDir, env: { PATH: barePath, ...env } });

describe('a crate that uses libkrun-sys in stub mode', () => {
  const env = { A3S_DEPS_STUB: '1' };

  it(
    'compiles, links and passes its tests, those that expect a panic as well',
    async () => {
      const { code, stdout, stderr } = await cargo(['test'], env);
      expect(code, stderr).toBe(0);
      for (const name of ['a_call_panics_and_names_the_function - should panic', 'the_panic_is_caught']) {
        expect(stdout).toMatch(new RegExp(`test ${name}.* ok`));
      }
      expect(stderr).not.toContain('warning');
    },
    LIMIT,
  );

  it(
    'runs, and panics at the first call',
    async () => {
      const { code, stderr } = await cargo(['run', '-p', 'shim', '--', '/', 'program'], env);
      expect(code).toBe(101);
      expect(stderr).toMatch(/krun_create_ctx was called.*A3S_DEPS_STUB/);
    },
    LIMIT,
  );

  it(
    'has nothing that clippy would say',
    async () => {
      const args = ['clippy', '--all-targets', '--', '-D', 'warnings'];
      const { code, stderr } = await runCargo(args, { targetDir, env });
      expect(code, stderr).toBe(0);
    },
    LIMIT,
  );

  it(
    'is the same for docs.rs',
    async () => {
      const { code, stderr } = await cargo(['check'], { DOCS_RS: '1' });
      expect(code, stderr).toBe(0);
    },
    LIMIT,
  );
});

describe('the build script', () => {
  it.each([
    ['A3S_DEPS_STUB is neither on nor off', { A3S_DEPS_STUB: 'maybe' }, 'A3S1103'],
    ['there is no tool, and stub mode is off', { A3S_DEPS_STUB: '0' }, 'A3S1401'],
    ['the tool named cannot be started', { A3S_BUILD_BIN: '/nonexistent/a3s-build' }, 'A3S1401'],
  ])(
    'fails with code and fix when %s',
    async (_what, env, errorCode) => {
      const { code, stderr } = await cargo(['check'], env as Record<string, string>);
      expect(code).toBe(101);
      expect(stderr).toContain(`error ${errorCode}: `);
      expect(stderr).toContain('Fix:');
      expect(stderr).not.toContain('panicked');
    },
    LIMIT,
  );

  it(
    'asks the tool for the target, and shows what it says when it fails',
    async () => {
      const tool = writeProgram(
        join(folder.path, 'tool'),
        'echo "asked: $*" >&2; echo "error A3S1203: no" >&2; exit 7',
      );
      const { code, stderr } = await cargo(['check'], { A3S_BUILD_BIN: tool });
      expect(code).toBe(101);
      expect(stderr).toContain('exit status: 7');
      expect(stderr).toMatch(/asked: --cwd \S+ link --format cargo --target \S+-\S+ --layout \S+\/out -j \d+\n/);
      expect(stderr).toContain('error A3S1203: no');
    },
    LIMIT,
  );

  it(
    'finds the tool in node_modules above where cargo builds',
    async () => {
      const bin = join(folder.path, 'node_modules/.bin');
      mkdirSync(bin, { recursive: true });
      writeProgram(join(bin, 'a3s-build'), 'echo "found in $2" >&2; exit 1');
      const { stderr } = await cargo(['check']);
      expect(stderr).toContain(`found in ${folder.path}\n`);
    },
    LIMIT,
  );
});

describe('a Cargo configuration from link', () => {
  it(
    'takes the place of the build script: no tool is asked, and programs find the library',
    async () => {
      const lib = fakeBuild(join(folder.path, 'prebuilt'));
      const { stdout } = await runCli(['link', '--format', 'config', '--no-build'], {
        cwd: join(folder.path, 'prebuilt'),
        env: { A3S_CACHE_DIR: join(folder.path, 'store') },
      });
      const configuration = join(folder.path, 'config.toml');
      writeFileSync(configuration, stdout);
      const build = await cargo(['build', '-p', 'shim', '--config', configuration], { A3S_BUILD_BIN: '/nonexistent' });
      expect(build.code, build.stderr).toBe(0);
      const shim = join(targetDir, 'debug/shim');
      // Every function of the library gives 7: the microVM that never was is what the program tells of.
      const told = execFileSync('sh', ['-c', `"$0" / program 2>&1; echo $?`, shim], { encoding: 'utf8', env: {} });
      expect(told).toBe('no guest: krun_start_enter returned 7\n1\n');
      expect(readFileSync(shim).includes(lib)).toBe(true);
    },
    LIMIT,
  );

  /** What a build leaves, with a library that holds every function of the header. */
  function fakeBuild(project: string): string {
    const prefix = join(project, 'build/linux-x64/prefix');
    for (const path of ['lib', 'include']) mkdirSync(join(prefix, path), { recursive: true });
    const stub = readFileSync(join(REPOSITORY, 'generated/stub.rs'), 'utf8');
    const names = [...stub.matchAll(/ fn (krun_\w+)\(/g)].map(([, name]) => name);
    writeFileSync(join(project, 'fake.c'), names.map((name) => `int ${name}(void) { return 7; }\n`).join(''));
    const shared = ['-shared', '-fPIC', '-Wl,-soname,libkrun.so.1', '-o', join(prefix, 'lib/libkrun.so.1')];
    execFileSync('cc', [...shared, join(project, 'fake.c')]);
    symlinkSync('libkrun.so.1', join(prefix, 'lib/libkrun.so'));
    writeFileSync(join(prefix, 'lib/libkrunfw.so.5'), '');
    writeFileSync(join(project, 'package.json'), '{}');
    const record = {
      schema: 1,
      target: 'linux-x64',
      triple: 'x86_64-unknown-linux-gnu',
      version: '1.17.0',
      searchPath: 'prefix/lib',
      library: 'krun',
      libraryFile: 'prefix/lib/libkrun.so.1',
      firmwareFile: 'prefix/lib/libkrunfw.so.5',
      includePath: 'prefix/include',
    };
    writeFileSync(join(project, 'build/linux-x64/link.json'), JSON.stringify(record));
    return join(prefix, 'lib');
  }
});

describe('the crate', () => {
  it(
    'is packed with real files, for crates.io and inside the npm package',
    async () => {
      const args = ['package', '--no-verify', '--allow-dirty', '--manifest-path', join(CRATE, 'Cargo.toml')];
      const { code, stderr } = await runCargo(args, { targetDir, env: { A3S_DEPS_STUB: '1' } });
      expect(code, stderr).toBe(0);
      const packed = join(targetDir, 'package');
      const [name = ''] = readdirSync(packed).filter((entry) => entry.endsWith('.crate'));
      execFileSync('tar', ['xzf', join(packed, name), '-C', packed]);
      const crates = [join(packed, name.replace(/\.crate$/, '')), join(REPOSITORY, 'dist/libkrun-sys')];
      const modules = { 'bindings.rs': 'sys.rs', 'stub.rs': 'stub.rs', 'missing.rs': 'missing.rs' };
      for (const crate of crates) {
        expect(readdirSync(join(crate, 'src')).toSorted()).toEqual([...Object.keys(modules), 'lib.rs'].toSorted());
        for (const [file, generated] of Object.entries(modules)) {
          expect(lstatSync(join(crate, 'src', file)).isFile()).toBe(true);
          const text = readFileSync(join(crate, 'src', file), 'utf8');
          expect(text).toBe(readFileSync(join(REPOSITORY, 'generated', generated), 'utf8'));
        }
      }
    },
    LIMIT,
  );
});
