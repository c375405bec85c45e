import { randomUUID } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { guestKernelRelease } from '../../pipeline/binary/symbol-data.ts';
import type { BuildManifest } from '../../pipeline/run/outputs.ts';
import { type Via, whereToBoot } from '../boot/boot-vm.ts';
import { bootInEmulation, type Emulation, prepareEmulation, quote } from '../boot/emulation.ts';
import { placeBusybox } from '../boot/file-tree.ts';
import { runProgram } from '../boot/process.ts';
import { runCargo, writeProgram } from '../helpers/cargo.ts';
import { REPOSITORY } from '../helpers/session.ts';

const { checkout, checkoutStore, temporary } = inject('fullBuild');
const TRIPLE = 'x86_64-unknown-linux-gnu';
const BOOT_MS = 180_000;
const workdir = join(temporary, 'cargo');
const builtLibrary = readFileSync(join(checkout, 'linux-x64/prefix/lib/libkrun.so.1'));
const CRATES = ['libkrun-sys', 'boot', 'shim'];

let tool: string;
beforeAll(() => {
  mkdirSync(workdir);
  tool = writeProgram(join(workdir, 'a3s-build'), `exec ${quote(process.execPath)} ${REPOSITORY}/dist/cli.cjs "$@"`);
});

/** A project with a cargo output folder in it; a3s-build has the full build's store. */
function project(name: string) {
  const root = join(workdir, name);
  const targetDir = join(root, 'target');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"name":"project"}');
  const cargo = async (args: readonly string[], env: Record<string, string> = {}, folder = targetDir) => {
    const variables = { A3S_BUILD_BIN: tool, A3S_CACHE_DIR: checkoutStore, ...env };
    const result = await runCargo([...args, '--locked'], { targetDir: folder, env: variables });
    expect(result.code, result.stderr).toBe(0);
    return result;
  };
  /** Says of each crate whether cargo found it unchanged. */
  const build = async (): Promise<Record<string, boolean>> => {
    const { stderr } = await cargo(['build', '-v']);
    return Object.fromEntries(CRATES.map((crate) => [crate, stderr.includes(`Fresh ${crate} v`)]));
  };
  return { root, targetDir, cargo, build };
}

const ALL_FRESH = Object.fromEntries(CRATES.map((crate) => [crate, true]));

/** Where the crate's build script laid libraries out, in the one build of it below `profileDir`. */
function layoutOf(profileDir: string): string {
  const outputs = readdirSync(join(profileDir, 'build'))
    .filter((name) => name.startsWith('libkrun-sys-'))
    .map((name) => join(profileDir, 'build', name, 'out'))
    .filter((path) => readdirSync(join(path, '..')).includes('output'));
  expect(outputs).toHaveLength(1);
  return outputs[0] ?? '';
}

const libraryIn = (layout: string): Buffer => readFileSync(join(layout, 'libkrun/lib64/libkrun.so.1'));

/** Runs a program with nothing in its environment. */
const runBare = (program: string, ...args: string[]) =>
  runProgram(program, args, { timeoutMs: 20_000, environment: {} });

describe('cargo build of programs that link libkrun', () => {
  it('takes the library of the store, compiling nothing again, and is fresh from then on', async () => {
    const { targetDir, build } = project('fresh');
    expect(await build()).not.toEqual(ALL_FRESH);
    const layout = layoutOf(join(targetDir, 'debug'));
    expect(libraryIn(layout).equals(builtLibrary)).toBe(true);
    expect(await stepsThatRan(join(targetDir, '../build'))).toEqual([]);
    expect(await build()).toEqual(ALL_FRESH);
  });

  it('gives programs that find libkrun and its kernel without LD_LIBRARY_PATH', async () => {
    const { targetDir, cargo } = project('fresh');
    const { stdout } = await cargo(['test']);
    expect(stdout).toContain('test a_context_is_created_and_freed_once ... ok');
    expect(stdout).toContain('test a_function_that_this_build_lacks_is_not_implemented ... ok');
    expect(await runBare(join(targetDir, 'debug/shim'))).toMatchObject({ code: 64 });
    // boot has no such path: the dynamic loader refuses it, so the check above can fail.
    expect(await runBare(join(targetDir, 'debug/boot'))).toMatchObject({ code: 127 });
  });

  it('runs the build script once after a change of header or source, and is fresh again', async () => {
    const { root, build } = project('changing');
    const sources = join(checkoutStore, 'v1/results/source');
    const [key = ''] = readdirSync(sources);
    const tree = join(root, 'vendor/libkrun');
    cpSync(join(sources, key, 'out'), tree, { recursive: true, verbatimSymlinks: true });
    await build();
    expect(await build()).toEqual(ALL_FRESH);
    for (const file of ['include/libkrun.h', 'init/init.c']) {
      appendFileSync(join(tree, file), '\n/* a comment */\n');
      expect(await build(), file).toMatchObject({ 'libkrun-sys': false });
      expect(await build(), file).toEqual(ALL_FRESH);
      expect(await build(), file).toEqual(ALL_FRESH);
    }
    // What tools leave there is none of ours.
    mkdirSync(join(tree, 'target'));
    writeFileSync(join(tree, 'target/file'), '');
    expect(await build()).toEqual(ALL_FRESH);
  });

  it('has two output folders and two profiles at once, each with libraries of its own', async () => {
    const { root, cargo } = project('many');
    const runs = ['one', 'two'].flatMap((name) => [[], ['--release']].map((flags) => ({ name, flags })));
    await Promise.all(runs.map(({ name, flags }) => cargo(['build', ...flags], {}, join(root, name))));
    for (const name of ['one', 'two']) {
      for (const profile of ['debug', 'release']) {
        const folder = join(root, name, profile);
        expect(libraryIn(layoutOf(folder)).equals(builtLibrary)).toBe(true);
        expect(await runBare(join(folder, 'shim'))).toMatchObject({ code: 64 });
      }
    }
  });

  it('compiles the same library inside an outer cargo with hostile variables and configuration', async () => {
    const { root, targetDir, cargo } = project('hostile');
    const log = join(root, 'wrapped');
    const wrapper = writeProgram(join(root, 'wrapper'), `echo "$*" >>${quote(log)}; exec "$@"`);
    mkdirSync(join(root, '.cargo'));
    const flags = 'rustflags = ["-Copt-level=0"]';
    writeFileSync(join(root, '.cargo/config.toml'), `[build]\nrustc-wrapper = "${root}/none"\n${flags}\n`);
    const hostile = {
      CARGO_BUILD_TARGET: TRIPLE,
      RUSTFLAGS: '--cfg hostile -Cdebuginfo=2',
      RUSTC_WRAPPER: wrapper,
      MAKEFLAGS: '-j1 -- DESTDIR=/nonexistent',
      DESTDIR: '/nonexistent',
      // No compiler state from before: everything is compiled anew.
      CI: 'true',
    };
    await cargo(['build'], hostile);
    expect(await stepsThatRan(join(root, 'build'))).toContain('libkrun');
    expect(libraryIn(layoutOf(join(targetDir, TRIPLE, 'debug'))).equals(builtLibrary)).toBe(true);
    const wrapped = readFileSync(log, 'utf8');
    expect(wrapped).toContain('--crate-name shim');
    expect(wrapped).not.toContain('--crate-name krun ');
  });
});

async function stepsThatRan(out: string): Promise<readonly string[]> {
  const { steps } = JSON.parse(readFileSync(join(out, 'linux-x64/manifest.json'), 'utf8')) as BuildManifest;
  return steps.filter(({ outcome }) => outcome === 'built').map(({ id }) => id);
}

describe('a microVM started by a Rust program', () => {
  let emulation: Emulation;
  let via: Via;
  beforeAll(async () => {
    emulation = await prepareEmulation(join(workdir, 'emulation'));
    via = await whereToBoot(join(checkout, 'linux-x64/prefix'), emulation);
  });

  it('boots the kernel of the libkrunfw laid out, found without LD_LIBRARY_PATH', async () => {
    const { targetDir, cargo } = project('fresh');
    await cargo(['build']);
    const layout = layoutOf(join(targetDir, 'debug'));
    const nonce = process.env['A3S_BOOT_NONCE'] ?? randomUUID();
    const output = await boot(join(targetDir, 'debug/shim'), layout, {}, nonce);
    const firmware = readFileSync(join(layout, 'libkrunfw/lib64/libkrunfw.so.5'));
    const printed = output.split('\n').find((line) => line.startsWith(nonce));
    console.log(`guest: ${printed} via ${via}`);
    expect(printed, output).toBe(`${nonce} ${guestKernelRelease(firmware)}`);
  });

  it('boots by cargo run, which gives the program its own search path', async () => {
    const { targetDir, cargo } = project('fresh');
    // What cargo run starts in place of the program shows what the program would have got.
    const runner = writeProgram(join(workdir, 'runner'), 'echo "$LD_LIBRARY_PATH"');
    const { stdout } = await cargo(['run', '-q', '-p', 'boot'], {
      CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER: runner,
    });
    const layout = layoutOf(join(targetDir, 'debug'));
    const search = stdout
      .trim()
      .split(':')
      .filter((folder) => folder.startsWith(layout))
      .join(':');
    const nonce = randomUUID();
    expect(await boot(join(targetDir, 'debug/boot'), layout, { LD_LIBRARY_PATH: search }, nonce)).toContain(nonce);
  });

  /** What the guest prints that `program` boots, on this machine or in the emulated host. */
  async function boot(program: string, layout: string, environment: Record<string, string>, nonce: string) {
    const guest = ['/bin/sh', '-c', `echo ${nonce} $(uname -r)`];
    if (via === 'kvm') {
      const root = join(workdir, `root-${nonce}`);
      await placeBusybox(root, emulation);
      return (await runProgram(program, [root, ...guest], { timeoutMs: BOOT_MS, environment })).stdout;
    }
    const parts = { program, libkrun: join(layout, 'libkrun'), libkrunfw: join(layout, 'libkrunfw') };
    const files = Object.entries(parts).map(([name, hostPath]) => ({ hostPath, guestPath: `/there/${name}` }));
    // The emulated host has a /tmp of its own: what the program looks for there has to be put there again.
    const put = `mkdir -p ${quote(layout)} && ln -s /there/libkrun /there/libkrunfw ${quote(layout)}`;
    const { output } = await bootInEmulation(emulation, {
      files,
      environment,
      command: `${put} && ${['/there/program', '/guest', ...guest].map(quote).join(' ')} 2>&1`,
      timeoutMs: BOOT_MS,
    });
    return output;
  }
});
