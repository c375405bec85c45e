import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../helpers/alive.ts';
import { runCli } from '../helpers/cli.ts';
import { makeFolder } from '../helpers/session.ts';
import { PRIVILEGED, withSmallDisk } from '../helpers/small-disk.ts';
import { writeTree } from '../helpers/tree.ts';

let folder: ReturnType<typeof makeFolder>;
let tree: string;
beforeEach(() => {
  folder = makeFolder('build');
  tree = join(folder.path, 'vendor/libkrun');
  writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ name: 'project' }));
  writeTree(tree);
});
afterEach(() => folder.remove());

function build(args: readonly string[], env: Record<string, string> = {}, more = {}) {
  return runCli(['--reporter', 'plain', ...args], {
    cwd: folder.path,
    env: { A3S_CACHE_DIR: join(folder.path, 'store'), ...env },
    ...more,
  });
}

/** A PATH that holds the system's programs, and those of `fakes` (name to shell text; null leaves one out). */
function pathWith(fakes: Readonly<Record<string, string | null>>): string {
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  for (const name of ['cargo', 'rustc', 'cc', 'as', 'ld', 'ar', 'sh', 'sleep', 'cat']) {
    const found = (process.env['PATH'] ?? '').split(delimiter).find((entry) => existsSync(join(entry, name)));
    if (found !== undefined && !(name in fakes)) symlinkSync(join(found, name), join(bin, name));
  }
  for (const [name, text] of Object.entries(fakes)) {
    if (text === null) continue;
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

describe('libkrun', () => {
  it('is built from the vendored tree, which is not written to, and rebuilt only when its source changes', async () => {
    const before = listing(tree);
    expect(await build(['--only', 'libkrun'])).toMatchObject({ code: 0 });
    expect(listing(tree)).toEqual(before);

    writeTree(tree, { 'init/init.c': '/* a comment */\nint main(void) { return 0; }\n' });
    const comment = await build(['--only', 'libkrun']);
    expect(comment.stderr).toContain('init       static x86_64 executable');
    expect(comment.stderr).toContain('ran: init/init.c changed');
    expect(comment.stderr).toMatch(/✓ libkrun .*· unchanged/);

    writeTree(tree, { 'src/libkrun/src/lib.rs': '#[no_mangle]\npub extern "C" fn krun_create_ctx() -> i32 { 7 }\n' });
    const changed = await build(['--only', 'libkrun']);
    expect(changed.stderr).toContain('ran: src/libkrun/src/lib.rs changed');
  });

  it('is the same whatever the environment and the configuration of cargo want', async () => {
    await build(['--only', 'libkrun']);
    const first = libraryBytes();
    mkdirSync(join(folder.path, '.cargo'));
    const config = '[build]\nrustc-wrapper = "/does/not/exist"\n[profile.release]\ndebug = true\nstrip = false\n';
    writeFileSync(join(folder.path, '.cargo/config.toml'), config);
    const env = {
      RUSTFLAGS: '-Copt-level=0',
      RUSTC_WRAPPER: '/does/not/exist',
      CARGO_TARGET_DIR: '/does/not/exist',
      LD_PRELOAD: '',
    };
    const second = await build(['--only', 'libkrun', '--force'], env);
    expect(second).toMatchObject({ code: 0 });
    expect(libraryBytes()).toEqual(first);
  });

  it('finds its guest kernel beside itself and holds no path of this machine', async () => {
    await build(['--only', 'libkrun']);
    const file = libraryFile();
    const dynamic = execFileSync('readelf', ['-d', file], { encoding: 'utf8' });
    expect(dynamic).toMatch(/\(SONAME\) .*\[libkrun\.so\.1\]/);
    expect(dynamic).toMatch(/\(RUNPATH\) .*\[\$ORIGIN\]/);
    expect(readFileSync(file).includes(folder.path)).toBe(false);
  });

  it('is refused with another soname', async () => {
    writeTree(tree, { 'src/libkrun/build.rs': 'fn main() {}\n' });
    const result = await build(['--only', 'libkrun']);
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('A3S1205');
    expect(result.stderr).toContain('soname');
  });

  it('fails with the first error of the compiler, its place and the log', async () => {
    writeTree(tree, { 'src/libkrun/src/lib.rs': 'fn broken() { let x: u32 = "text"; }\n' });
    const result = await build(['--only', 'libkrun']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('A3S1203');
    expect(result.stderr).toContain('mismatched types');
    expect(result.stderr).toMatch(/src\/libkrun\/src\/lib\.rs:1:\d+/);
    expect(readFileSync(join(folder.path, 'build/logs/libkrun.log'), 'utf8')).toContain('mismatched types');
  });

  it('refuses a source whose lock file does not fit', async () => {
    writeTree(tree, { 'Cargo.lock': 'version = 4\n' });
    const result = await build(['--only', 'libkrun']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('Cargo.lock');
  });
});

describe('init', () => {
  it('fails with the first error of the C compiler, with file, line and column', async () => {
    writeTree(tree, { 'init/init.c': 'int main(void) { return missing; }\n' });
    const result = await build(['--only', 'init']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('A3S1203');
    expect(result.stderr).toMatch(/init\.c:1:\d+/);
    expect(result.stderr).toContain('missing');
  });

  it('must be static, also when the user supplies it', async () => {
    const dynamic = join(folder.path, 'dynamic');
    execFileSync('cc', ['-o', dynamic, join(tree, 'init/init.c')]);
    const result = await build(['--only', 'init'], { KRUN_INIT_BINARY_PATH: dynamic });
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('A3S1205');
  });

  it('says that a killed compiler was most likely short of memory', async () => {
    const cc = 'case "$1" in --version) echo cc 1;; -print-file-name=*) echo /bin/sh;; *) kill -9 $$;; esac';
    const result = await build(['--only', 'init'], { PATH: pathWith({ cc }) });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('A3S1204');
    expect(result.stderr).toContain('SIGKILL');
    expect(result.stderr).toContain('memory');
  });
});

describe('tools', () => {
  it('are all named at once when they are missing, with install lines for this system', async () => {
    const result = await build([], { PATH: pathWith({ cargo: null, rustc: null, cc: null }) });
    expect(result.code).toBe(72);
    expect(result.stderr).toContain('A3S1201');
    expect(result.stderr).toMatch(/missing: .*cargo.*/);
    for (const name of ['cargo', 'rustc', 'cc']) expect(result.stderr).toMatch(new RegExp(`missing:.*\\b${name}\\b`));
    expect(result.stderr).toContain('rustup');
    expect(existsSync(join(folder.path, 'store/v1/results'))).toBe(false);
  });

  it('include the static C library', async () => {
    const cc = 'case "$1" in -print-file-name=*) echo libc.a;; *) echo cc 1;; esac';
    const result = await build(['--only', 'init'], { PATH: pathWith({ cc }) });
    expect(result.code).toBe(72);
    expect(result.stderr).toContain('libc.a');
  });

  it('must be recent enough', async () => {
    const result = await build(['--only', 'launcher'], { PATH: pathWith({ rustc: 'echo release: 1.70.0' }) });
    expect(result.code).toBe(72);
    expect(result.stderr).toContain('A3S1202');
    expect(result.stderr).toContain('1.70.0');
  });
});

describe('an interrupted build', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends all child processes on %s, exits with %i and can be repeated', async (signal, code) => {
    const pids = join(folder.path, 'pids');
    const slow = `echo $$ >> ${pids}; sleep 300 & echo $! >> ${pids}; trap '' TERM; wait`;
    const cc = `case "$1" in --version) echo cc 1;; -print-file-name=*) echo /bin/sh;; *) ${slow};; esac`;
    const PATH = pathWith({ cc });
    let [started, interrupted] = [false, 0];
    const result = await build(
      ['--only', 'init'],
      { PATH },
      {
        onStderr: (text: string, pid: number) => {
          if (started || !text.includes('init       started')) return;
          started = true;
          const compiler = setInterval(() => {
            // Both have written their numbers: there is something to end.
            if (!existsSync(pids) || readFileSync(pids, 'utf8').split('\n').length < 3) return;
            clearInterval(compiler);
            interrupted = Date.now();
            process.kill(pid, signal);
          }, 20);
        },
      },
    );
    expect(result.code).toBe(code);
    expect(Date.now() - interrupted).toBeLessThan(2000);
    const left = readFileSync(pids, 'utf8')
      .trim()
      .split('\n')
      .filter((pid) => isAlive(Number(pid)));
    expect(left).toEqual([]);
    expect(readdirSync(join(folder.path, 'store/v1/tmp'))).toEqual([]);
    expect(await build(['--only', 'init'])).toMatchObject({ code: 0 });
  });
});

describe.runIf(PRIVILEGED)('a full disk', () => {
  it('is named, and leaves no temporary file; the next run with more space succeeds', async () => {
    await withSmallDisk('size=64k', async (disk) => {
      const result = await build(['--only', 'init'], { A3S_CACHE_DIR: disk });
      expect(result.code).toBe(74);
      expect(result.stderr).toContain('A3S5001');
      expect(readdirSync(join(disk, 'v1/tmp'))).toEqual([]);
      execFileSync('mount', ['-o', 'remount,size=64m', disk]);
      expect(await build(['--only', 'init'], { A3S_CACHE_DIR: disk })).toMatchObject({ code: 0 });
    });
  });
});

function listing(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => `${path} ${statSync(join(root, path)).mtimeMs}`);
}

function libraryFile(): string {
  const results = join(folder.path, 'store/v1/results/libkrun');
  return join(results, readdirSync(results)[0] ?? '', 'out/lib/libkrun.so.1');
}

function libraryBytes(): Buffer {
  return readFileSync(libraryFile());
}
