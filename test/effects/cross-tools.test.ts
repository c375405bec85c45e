import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { requireCrossTools } from '../../pipeline/effects/cross-requirements.ts';
import { findCrossTools } from '../../pipeline/effects/cross-tools.ts';
import { openToolchain } from '../../pipeline/effects/toolchain.ts';
import { makeFolder, testConfig } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('cross-tools');
afterAll(folder.remove);

let count = 0;
/** A machine on which these scripts are all of PATH. */
function machine(scripts: Readonly<Record<string, string>>) {
  count += 1;
  const bin = join(folder.path, `bin-${count}`);
  mkdirSync(bin);
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const variables = { PATH: bin, CARGO_HOME: join(folder.path, 'cargo-home') };
  return { bin, variables, toolchain: openToolchain(folder.path, variables) };
}

const arm64 = (flags = {}, variables = {}) => testConfig(folder.path, { target: 'linux-arm64', ...flags }, variables);
const find = (config: ReturnType<typeof arm64>, { variables, toolchain }: ReturnType<typeof machine>) =>
  findCrossTools(config, variables, toolchain);

/** A sysroot of Rust that has the standard library for these targets, and lld. */
function rustSysroot(...triples: string[]): string {
  count += 1;
  const sysroot = join(folder.path, `rust-${count}`);
  for (const triple of triples) mkdirSync(join(sysroot, 'lib/rustlib', triple, 'lib'), { recursive: true });
  const lld = join(sysroot, 'lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld');
  mkdirSync(lld, { recursive: true });
  writeFileSync(join(lld, 'ld.lld'), '');
  return sysroot;
}

describe('looking for tools', () => {
  it('finds nothing, and asks nothing, where only this machine itself is built for', async () => {
    const all = machine({ zig: '', clang: '', python3: 'exit 1', rustc: 'exit 1' });
    expect(await find(testConfig(folder.path), all)).toEqual({ programs: {}, configured: [] });
  });

  it('finds what is on PATH and may be started', async () => {
    const here = machine({ 'aarch64-linux-gnu-gcc': '', clang: '', 'ld.lld': '', zig: '', 'cargo-zigbuild': '' });
    chmodSync(join(here.bin, 'clang'), 0o644);
    const { programs } = await find(arm64(), here);
    expect(Object.keys(programs).toSorted()).toEqual(['aarch64-linux-gnu-gcc', 'cargo-zigbuild', 'ld.lld', 'zig']);
  });

  it('finds the lld of the Rust toolchain, and the zig of Python', async () => {
    const sysroot = rustSysroot();
    const here = machine({ rustc: `echo ${sysroot}`, python3: '[ "$2" = ziglang ] && echo 0.15.2' });
    expect((await find(arm64(), here)).programs).toEqual({
      'ld.lld': { command: join(sysroot, 'lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld'), args: [] },
      zig: { command: 'python3', args: ['-m', 'ziglang'] },
    });
  });

  it('looks for zig for this machine too where it is to link', async () => {
    const here = machine({ zig: '', 'cargo-zigbuild': '' });
    expect(Object.keys((await find(testConfig(folder.path, { glibc: '2.28' }), here)).programs)).toContain('zig');
  });

  it.each([
    ['[target.aarch64-unknown-linux-gnu]\nrustflags = []\nlinker = "ld"', ['linux-arm64']],
    ['[target."aarch64-unknown-linux-gnu"]\nlinker = "ld"', ['linux-arm64']],
    ['[target.aarch64-unknown-linux-gnu]\nrunner = "x"\n[target.x86_64-unknown-linux-gnu]\nlinker = "ld"', []],
    ['linker = "ld"', []],
  ])("reads from cargo's configuration whether it names a linker: %j", async (text, targets) => {
    const here = machine({});
    mkdirSync(here.variables.CARGO_HOME, { recursive: true });
    writeFileSync(join(here.variables.CARGO_HOME, 'config.toml'), text);
    const { configured } = await find(arm64(), here);
    writeFileSync(join(here.variables.CARGO_HOME, 'config.toml'), '');
    expect(configured).toEqual(targets);
  });
});

describe('what a target needs', () => {
  const TRIPLE = 'aarch64-unknown-linux-gnu';
  async function require(
    here: ReturnType<typeof machine>,
    config = arm64(),
    part: { compiles?: boolean; makesInit?: boolean } = { compiles: true },
  ) {
    const planned = { config, compiles: false, makesInit: false, ...part };
    return requireCrossTools(planned, await find(config, here), here.toolchain);
  }
  const gcc = { 'aarch64-linux-gnu-gcc': 'echo gcc 12' };
  const rustc = (...triples: string[]) => ({ rustc: `echo ${rustSysroot(...triples)}` });

  it('is content with a cross gcc and the standard library', async () => {
    await expect(require(machine({ ...gcc, ...rustc(TRIPLE) }))).resolves.toBeUndefined();
  });

  it('names the packages and the options where nothing links', async () => {
    const { code, exit, fix } = await failureOf(() => require(machine(rustc(TRIPLE))));
    expect({ code, exit }).toEqual({ code: 'A3S1210', exit: 72 });
    for (const text of ['zig', '--linker', 'CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER'])
      expect(fix).toContain(text);
  });

  it('names the part of zig that is missing', async () => {
    const here = machine({ zig: 'echo 0.15.2', ...rustc(TRIPLE) });
    const { code, message } = await failureOf(() => require(here, arm64({ linker: 'zig' })));
    expect({ code, message }).toEqual({ code: 'A3S1210', message: expect.stringMatching(/: cargo-zigbuild$/) });
  });

  it('names a linker that cannot be started', async () => {
    const here = machine({ broken: 'exit 1', ...rustc(TRIPLE) });
    for (const linker of ['broken', 'absent']) {
      const failed = await failureOf(() => require(here, arm64({ linker })));
      expect(failed).toMatchObject({ code: 'A3S1210', message: expect.stringContaining(linker) });
    }
  });

  it('says how to add the standard library of Rust', async () => {
    const { code, fix } = await failureOf(() => require(machine({ ...gcc, ...rustc() })));
    expect(code).toBe('A3S1211');
    expect(fix).toContain(`rustup target add ${TRIPLE}`);
  });

  it('names ways to compile init, and the variable of a ready one', async () => {
    const { code, fix } = await failureOf(() => require(machine({}), arm64(), { makesInit: true }));
    expect(code).toBe('A3S1212');
    for (const text of ['zig', 'KRUN_INIT_BINARY_PATH_LINUX_ARM64']) expect(fix).toContain(text);
  });

  it('wants a static C library beside a cross gcc', async () => {
    const none = machine({ 'aarch64-linux-gnu-gcc': 'echo libc.a' });
    expect((await failureOf(() => require(none, arm64(), { makesInit: true }))).code).toBe('A3S1212');
    const library = join(folder.path, 'libc.a');
    writeFileSync(library, '');
    const good = machine({ 'aarch64-linux-gnu-gcc': `echo ${library}` });
    await expect(require(good, arm64(), { makesInit: true })).resolves.toBeUndefined();
  });
});
