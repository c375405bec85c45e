import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFor, resolveConfig } from '../../pipeline/plan/config.ts';
import type { ConfigFile } from '../../pipeline/plan/config-file.ts';
import { readEnvironment } from '../../pipeline/plan/environment.ts';
import type { Flags } from '../../pipeline/plan/flags.ts';
import { layoutOf, targetName } from '../../pipeline/plan/layout.ts';

const LINUX = { platform: 'linux', arch: 'x64', cores: 8 };

function config(flags: Flags = {}, variables: Record<string, string> = {}, file: ConfigFile = {}, machine = LINUX) {
  return resolveConfig({
    flags,
    file,
    filePath: '/project/a3s-build.config.json',
    environment: readEnvironment(variables),
    roots: { project: '/project', tool: '/tool', store: '/store' },
    toolVersion: '1.2.3',
    machine,
    resolvePath: resolve,
    cwd: '/project/packages/app',
  });
}

describe('precedence', () => {
  it('is flag, variable, configuration, default', () => {
    const all = [{ firmware: 'npm' }, { A3S_FIRMWARE: 'github' }, { firmware: 'github' }] as const;
    expect(config(...all).firmware).toBe('npm');
    expect(config({}, { A3S_FIRMWARE: 'github' }, { firmware: 'npm' }).firmware).toBe('github');
    expect(config({}, {}, { firmware: 'github' }).firmware).toBe('github');
    expect(config().firmware).toBe('npm');
  });

  it('takes as many jobs as there are cores unless told otherwise', () => {
    expect(config().jobs).toBe(8);
    expect(config({}, {}, { jobs: 3 }).jobs).toBe(3);
    expect(config({ jobs: 2 }, {}, { jobs: 3 }).jobs).toBe(2);
  });
});

it('reads paths of flags from the working folder, and those of the configuration from its own', () => {
  expect(config({ out: 'x' }).outDir).toBe('/project/packages/app/x');
  expect(config({}, {}, { out: 'x' }).outDir).toBe('/project/x');
  expect(config().outDir).toBe('/project/build');
  expect(config({ libkrunDir: '../krun' }).libkrunDir).toBe('/project/packages/krun');
  const headers = { bindings: { headers: ['include/own.h', 'packages/more.h'] } };
  expect(config({ header: ['../more.h', '/usr/include/other.h'] }, {}, headers).headers).toEqual([
    { path: '/project/include/own.h', root: '/project' },
    { path: '/project/packages/more.h', root: '/project' },
    { path: '/usr/include/other.h', root: '/usr/include' },
  ]);
});

it('reads paths of variables from the working folder', () => {
  expect(config({}, { A3S_LIBKRUNFW_DYLIB: 'fw.so' }).environment.firmwareFile).toBe('/project/packages/app/fw.so');
});

it('names the packages after the tool version unless told otherwise', () => {
  expect(config().package).toEqual({ name: '@a3s-lab/libkrun', version: '1.2.3' });
  expect(config({}, {}, { package: { name: 'mine' } }).package).toEqual({ name: 'mine', version: '1.2.3' });
});

it('hashes everything and keeps no compiler state under CI', () => {
  expect(config({}, { CI: 'true' }).pristine).toBe(true);
  expect(config({}, { CI: 'false' }).pristine).toBe(false);
  expect(config().pristine).toBe(false);
});

it('cannot be changed', () => {
  expect(Object.isFrozen(config())).toBe(true);
});

describe('several targets', () => {
  const ids = (target: string | readonly string[]) => config({ target }).targets.map(({ id }) => id);

  it('are named in one word, in several, or all at once; each counts once, and their order does not', () => {
    expect(ids('linux-arm64,linux-x64')).toEqual(['linux-x64', 'linux-arm64']);
    expect(ids(['linux-arm64', 'x86_64-unknown-linux-gnu, host'])).toEqual(['linux-x64', 'linux-arm64']);
    expect(ids('all')).toEqual(['linux-x64', 'linux-arm64', 'darwin-arm64']);
    expect(ids(['host', 'all'])).toEqual(ids('all'));
  });

  it.each(['A3S_LIBKRUNFW_DYLIB', 'KRUN_INIT_BINARY_PATH'])('cannot share the file of %s', (name) => {
    expect(() => config({ target: 'all' }, { [name]: 'file' })).toThrow(
      expect.objectContaining({
        code: 'A3S1005',
        failure: expect.objectContaining({ exit: 64, fix: expect.stringContaining(`${name}_DARWIN_ARM64`) }),
      }),
    );
  });

  it('have files of their own', () => {
    const variables = { A3S_LIBKRUNFW_DYLIB_LINUX_ARM64: 'fw.so', KRUN_INIT_BINARY_PATH_LINUX_X64: '/init' };
    const both = config({ target: 'linux-x64,linux-arm64' }, variables);
    const files = both.targets.map((target) => {
      const { firmwareFile, initFile } = configFor(both, target).environment;
      return [firmwareFile, initFile];
    });
    expect(files).toEqual([
      [undefined, '/init'],
      ['/project/packages/app/fw.so', undefined],
    ]);
  });

  it('cannot take a libkrun of this system', () => {
    expect(() => config({ target: 'all' }, { A3S_USE_SYSTEM_LIBKRUN: '1' })).toThrow(
      expect.objectContaining({ code: 'A3S1006' }),
    );
  });
});

it('prefers the file for the target, also where there is one target', () => {
  const variables = { A3S_LIBKRUNFW_DYLIB: '/any.so', A3S_LIBKRUNFW_DYLIB_LINUX_X64: '/x64.so' };
  expect(config({}, variables).environment.firmwareFile).toBe('/x64.so');
  expect(config({ target: 'linux-arm64' }, variables).environment.firmwareFile).toBe('/any.so');
});

describe('stub mode', () => {
  const stub = { A3S_DEPS_STUB: '1' };

  it.each([
    ['linux', 'x64'],
    ['win32', 'x64'],
    ['win32', 'arm64'],
    ['darwin', 'x64'],
    ['freebsd', 'riscv64'],
  ])('works on %s %s, and its results go to the same place', (platform, arch) => {
    const settled = config({}, stub, {}, { platform, arch, cores: 1 });
    expect([targetName(settled), layoutOf(settled).target]).toEqual(['stub', '/project/build/stub']);
  });

  it('makes the same whatever target is named', () => {
    for (const target of ['linux-arm64', 'win32-x64', 'x86_64-pc-windows-msvc']) {
      expect(targetName(config({ target }, stub))).toBe('stub');
    }
  });

  it('is what makes an unsupported machine one that works', () => {
    for (const value of ['0', 'off', '']) {
      expect(() => config({}, { A3S_DEPS_STUB: value }, {}, { platform: 'win32', arch: 'x64', cores: 1 })).toThrow(
        expect.objectContaining({ code: 'A3S1002' }),
      );
    }
  });
});

it.each([
  [{ target: 'linux-arm' }, 'A3S1003'],
  [{ target: '' }, 'A3S1003'],
  [{ target: ['linux-x64', ''] }, 'A3S1003'],
  [{ firmware: 'ftp' }, 'A3S1001'],
  [{ only: ['everything'] }, 'A3S1001'],
])('refuses %j', (flags, code) => {
  expect(() => config(flags)).toThrow(expect.objectContaining({ code }));
});
