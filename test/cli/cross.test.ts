import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { compileWith } from '../helpers/elf-script.ts';
import { makeFolder } from '../helpers/session.ts';
import { writeTree } from '../helpers/tree.ts';

let folder: ReturnType<typeof makeFolder>;
let bin: string;
beforeEach(() => {
  folder = makeFolder('cross');
  bin = join(folder.path, 'bin');
  mkdirSync(bin);
  writeFileSync(join(folder.path, 'package.json'), '{"name":"project"}');
  writeTree(join(folder.path, 'vendor/libkrun'));
  program('cargo', 'echo cargo 1.95.0');
  program('cc', `case "$1" in -print*) echo ${join(folder.path, 'package.json')};; *) echo cc 12;; esac`);
  rust('x86_64-unknown-linux-gnu');
});
afterEach(() => folder.remove());

/** Puts a program on the PATH of the test, which holds nothing else. */
function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** A Rust toolchain with the standard libraries of these targets. */
function rust(...triples: string[]): void {
  const sysroot = join(folder.path, 'rust');
  for (const triple of triples) mkdirSync(join(sysroot, 'lib/rustlib', triple, 'lib'), { recursive: true });
  program('rustc', `case "$1" in --print) echo ${sysroot};; *) echo release: 1.95.0;; esac`);
}

const cli = (args: readonly string[], env: Record<string, string> = {}) =>
  runCli(['--reporter', 'plain', ...args], {
    cwd: folder.path,
    env: { PATH: bin, A3S_CACHE_DIR: join(folder.path, 'store'), ...env },
  });

describe('a machine that cannot build for the target', () => {
  it.each([
    ['launcher', 'A3S1210', ['nothing on this machine links for linux-arm64', 'zig', '--linker']],
    ['init', 'A3S1212', ['linux-arm64', 'KRUN_INIT_BINARY_PATH_LINUX_ARM64']],
  ])('is told before any work for %s', async (step, code, texts) => {
    const result = await cli(['--target', 'linux-arm64', '--only', step]);
    expect(result.code).toBe(72);
    for (const text of [code, ...texts]) expect(result.stderr).toContain(text);
    expect(result.stderr).not.toContain('▸');
  });

  it('is told how to add the standard library', async () => {
    program('aarch64-linux-gnu-gcc', 'echo gcc 12');
    const result = await cli(['--target', 'linux-arm64', '--only', 'launcher']);
    expect(result.code).toBe(72);
    for (const text of ['A3S1211', 'rustup target add aarch64-unknown-linux-gnu'])
      expect(result.stderr).toContain(text);
  });

  it('still says what it would do', async () => {
    const { code, stdout } = await cli(['plan', '--target', 'all']);
    expect(code).toBe(0);
    expect(stdout).toContain('libkrun darwin-arm64');
  });
});

describe("the guest's init", () => {
  const INIT = ['--target', 'linux-arm64', '--only', 'init'];

  it.each([
    ['for another processor', { machine: 62 }, 'machine'],
    ['that needs a loader', { interpreter: '/lib/ld.so', needed: ['libc.so.6'] }, 'static'],
  ])('is refused where the compiler makes one %s', async (_what, elf, check) => {
    program('my-cc', compileWith(folder.path, { machine: 183, ...elf }));
    const result = await cli(INIT, { CC_LINUX: 'my-cc' });
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('A3S1205');
    expect(result.stderr).toMatch(new RegExp(`^ +${check}: `, 'm'));
  });

  it('is refused where the user names one for another processor', async () => {
    program('my-cc', compileWith(folder.path, { machine: 62 }));
    const result = await cli(INIT, { KRUN_INIT_BINARY_PATH_LINUX_ARM64: join(folder.path, 'made.elf') });
    expect(result).toMatchObject({ code: 65, stderr: expect.stringContaining('A3S1205') });
  });

  it.each([
    ['a cross gcc', ['aarch64-linux-gnu-gcc', 'zig'], []],
    ['zig', ['zig'], ['cc', '-target', 'aarch64-linux-musl']],
  ])('is compiled by %s that is on PATH', async (_what, programs, args) => {
    for (const name of programs) program(name, compileWith(folder.path, { machine: 183 }));
    const result = await cli(INIT);
    expect(result.stderr).toContain('static aarch64 executable');
    expect(result.code).toBe(0);
    const [first = ''] = programs;
    const called = readFileSync(join(folder.path, 'called'), 'utf8');
    expect(called).toMatch(new RegExp(`${first} ${args.join(' ')}.*init\\.c`));
  });
});
