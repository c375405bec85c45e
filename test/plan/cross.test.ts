import { describe, expect, it } from 'vitest';
import { configFor } from '../../pipeline/plan/config.ts';
import type { CrossTools } from '../../pipeline/plan/cross-tools.ts';
import type { CommandLine } from '../../pipeline/plan/environment.ts';
import { initCompilerOf } from '../../pipeline/plan/init-compiler.ts';
import { linkerOf } from '../../pipeline/plan/linker.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { testConfig } from '../helpers/session.ts';

/** These programs are there, each under its own name. */
const tools = (...names: string[]): CrossTools => ({
  programs: Object.fromEntries(names.map((name): [string, CommandLine] => [name, { command: name, args: [] }])),
  configured: [],
});
const ALL = tools('aarch64-linux-gnu-gcc', 'clang', 'ld.lld', 'zig', 'cargo-zigbuild');
const config = (flags: Parameters<typeof testConfig>[1], variables: Record<string, string> = {}) =>
  testConfig('/f', flags, variables);
const arm64 = { target: 'linux-arm64' };

describe('what links', () => {
  it("is cargo's own choice for this machine", () => {
    expect(linkerOf(config({}), ALL)).toEqual({ kind: 'own' });
  });

  it('is a compiler for the target before zig', () => {
    expect(linkerOf(config(arm64), ALL)).toEqual({ kind: 'command', command: 'aarch64-linux-gnu-gcc' });
    expect(linkerOf(config(arm64), tools('zig', 'cargo-zigbuild'))).toEqual({ kind: 'zig', glibc: null });
    expect(linkerOf(config(arm64), tools('zig'))).toEqual({ kind: 'none' });
    expect(linkerOf(config(arm64), tools())).toEqual({ kind: 'none' });
  });

  it('is what is named, and what the user told cargo', () => {
    expect(linkerOf(config({ ...arm64, linker: 'my-gcc' }), ALL)).toEqual({ kind: 'command', command: 'my-gcc' });
    expect(linkerOf(config({ ...arm64, linker: 'zig' }), ALL)).toEqual({ kind: 'zig', glibc: null });
    const variables = { CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: 'my-gcc' };
    expect(linkerOf(config(arm64, variables), ALL)).toEqual({ kind: 'command', command: 'my-gcc' });
    expect(linkerOf(config(arm64), { ...ALL, configured: ['linux-arm64'] })).toEqual({ kind: 'own' });
  });

  it('is zig for a release of glibc, also for this machine', () => {
    expect(linkerOf(config({ glibc: '2.28' }), ALL)).toEqual({ kind: 'zig', glibc: '2.28' });
    const all = config({ target: 'all', glibc: '2.28' });
    expect(linkerOf(configFor(all, TARGETS['linux-arm64']), ALL)).toEqual({ kind: 'zig', glibc: '2.28' });
    expect(linkerOf(configFor(all, TARGETS['darwin-arm64']), ALL)).toEqual({ kind: 'zig', glibc: null });
  });
});

describe("what compiles the guest's init", () => {
  const compilerFor = (found: CrossTools, variables: Record<string, string> = {}, target = 'linux-arm64') =>
    initCompilerOf(config({ target }, variables), found);

  it("is the system's compiler for its own processor", () => {
    expect(compilerFor(ALL, { CC: 'gcc -m64' }, 'linux-x64')).toEqual({
      kind: 'command',
      line: { command: 'gcc', args: ['-m64'] },
    });
  });

  it.each(['linux-arm64', 'darwin-arm64'])('is a cross gcc, then clang with lld, then zig, for %s', (target) => {
    const without = (...gone: string[]) => tools(...Object.keys(ALL.programs).filter((name) => !gone.includes(name)));
    const gcc = 'aarch64-linux-gnu-gcc';
    expect(compilerFor(ALL, {}, target)).toEqual({ kind: 'command', line: { command: gcc, args: [] } });
    expect(compilerFor(without(gcc), {}, target)).toEqual({
      kind: 'clang',
      line: { command: 'clang', args: ['-target', 'aarch64-linux-gnu', '-fuse-ld=lld'] },
      lld: 'ld.lld',
      sysroot: 'arm64',
    });
    const zig = { kind: 'zig', line: { command: 'zig', args: ['cc', '-target', 'aarch64-linux-musl'] } };
    expect(compilerFor(without(gcc, 'clang'), {}, target)).toEqual(zig);
    expect(compilerFor(without(gcc, 'ld.lld'), {}, target)).toEqual(zig);
    expect(compilerFor(tools(), {}, target)).toEqual({ kind: 'none' });
  });

  it('is CC_LINUX whatever there is; CC says nothing of another processor', () => {
    const named = { kind: 'command', line: { command: 'my-cc', args: ['-x'] } };
    expect(compilerFor(ALL, { CC_LINUX: 'my-cc -x' })).toEqual(named);
    expect(compilerFor(ALL, { CC_LINUX: 'my-cc -x' }, 'linux-x64')).toEqual(named);
    expect(compilerFor(tools(), { CC: 'my-cc' })).toEqual({ kind: 'none' });
  });
});
