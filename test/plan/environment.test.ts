import { describe, expect, it } from 'vitest';
import { cargoEnvironment, cargoQueryEnvironment, childEnvironment } from '../../pipeline/plan/child-environment.ts';
import { readEnvironment } from '../../pipeline/plan/environment.ts';

describe('switches', () => {
  it.each(['1', 'true', 'YES', ' on '])('%j is on', (value) => {
    expect(readEnvironment({ A3S_OFFLINE: value }).offline).toBe(true);
  });

  it.each(['0', 'false', 'No', 'off', ''])('%j is off', (value) => {
    expect(readEnvironment({ A3S_OFFLINE: value, A3S_DEPS_STUB: value })).toMatchObject({
      offline: false,
      stub: false,
    });
  });

  it('choose where libkrun comes from', () => {
    expect(readEnvironment({ A3S_USE_SYSTEM_LIBKRUN: 'on', A3S_BUILD_LIBKRUN: 'off' })).toMatchObject({
      useSystemLibkrun: true,
      buildLibkrun: false,
    });
    for (const name of ['A3S_USE_SYSTEM_LIBKRUN', 'A3S_BUILD_LIBKRUN']) {
      expect(() => readEnvironment({ [name]: 'maybe' })).toThrow(expect.objectContaining({ code: 'A3S1103' }));
    }
  });

  it('with another value are refused by name', () => {
    expect(() => readEnvironment({ A3S_DEPS_STUB: 'maybe' })).toThrow(
      expect.objectContaining({ code: 'A3S1103', message: expect.stringContaining('A3S_DEPS_STUB=maybe') }),
    );
  });
});

it('keeps the compiler for Linux apart from that of this system', () => {
  expect(readEnvironment({})).toMatchObject({ compiler: { command: 'cc', args: [] }, linuxCompiler: undefined });
  expect(readEnvironment({ CC: 'clang' }).compiler).toEqual({ command: 'clang', args: [] });
  expect(readEnvironment({ CC: 'clang', CC_LINUX: 'gcc' }).linuxCompiler?.command).toBe('gcc');
  expect(readEnvironment({ CC_LINUX: ' ccache  gcc -m64 ' }).linuxCompiler).toEqual({
    command: 'ccache',
    args: ['gcc', '-m64'],
  });
});

it('reads what is for one target by its name, and linkers under the names that cargo has', () => {
  const variables = {
    A3S_LIBKRUNFW_DYLIB_DARWIN_ARM64: 'a',
    KRUN_INIT_BINARY_PATH_LINUX_X64: 'b',
    KRUN_INIT_BINARY_PATH_LINUX_ARM64: '',
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: 'gcc',
  };
  expect(readEnvironment(variables)).toMatchObject({
    firmwareFiles: { 'darwin-arm64': 'a' },
    initFiles: { 'linux-x64': 'b' },
    linkers: { 'linux-arm64': 'gcc' },
  });
});

it('reads SOURCE_DATE_EPOCH as seconds, and refuses anything else', () => {
  expect(readEnvironment({ SOURCE_DATE_EPOCH: '1700000000' }).sourceDate).toBe(1700000000);
  for (const value of ['-1', '1e9', '99999999999', 'today']) {
    expect(() => readEnvironment({ SOURCE_DATE_EPOCH: value })).toThrow(expect.objectContaining({ code: 'A3S1103' }));
  }
});

it('counts empty variables as not set', () => {
  expect(readEnvironment({ A3S_LIBKRUNFW_DYLIB: '', CARGO: '' })).toMatchObject({
    firmwareFile: undefined,
    cargo: 'cargo',
  });
});

describe('child processes', () => {
  const hostile = {
    PATH: '/bin',
    RUSTFLAGS: '-Copt-level=0',
    RUSTC_WRAPPER: 'sccache',
    MAKEFLAGS: '-j99',
    LD_PRELOAD: '/evil.so',
    NODE_OPTIONS: '--require /evil.js',
    CARGO_TARGET_DIR: '/elsewhere',
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS: '-g',
    NPM_TOKEN: 'secret',
    GITHUB_TOKEN: 'secret',
  };

  it('see neither what changes results nor secrets', () => {
    expect(childEnvironment(hostile)).toEqual({ PATH: '/bin', LC_ALL: 'C' });
  });

  it('see homes; proxies and registries only where something is fetched', () => {
    const homes = { HOME: '/home/a', CARGO_HOME: '/c' };
    const network = { HTTPS_PROXY: 'http://user:secret@p', CARGO_HTTP_PROXY: 'p', CARGO_REGISTRIES_X_TOKEN: 'secret' };
    const all = { ...homes, ...network, CARGO_REGISTRY_TOKEN: 'secret' };
    expect(cargoQueryEnvironment(all, false)).toMatchObject({ ...homes, ...network });
    expect(cargoQueryEnvironment(all, false)).not.toHaveProperty('CARGO_REGISTRY_TOKEN');
    const compile = cargoEnvironment(all, { triple: 't', rustflags: [] });
    expect(compile).toMatchObject({ ...homes, CARGO_NET_OFFLINE: 'true' });
    expect(JSON.stringify(compile)).not.toContain('secret');
  });

  it('that compile get every setting of cargo that a configuration file could change', () => {
    const env = cargoEnvironment(hostile, {
      triple: 'x86_64-unknown-linux-gnu',
      rustflags: ['-Ca', '-Cb'],
    });
    expect(env).toMatchObject({
      CARGO_ENCODED_RUSTFLAGS: '-Ca\x1f-Cb',
      RUSTC_WRAPPER: '',
      RUSTC_WORKSPACE_WRAPPER: '',
      CARGO_BUILD_TARGET: 'x86_64-unknown-linux-gnu',
      CARGO_PROFILE_RELEASE_DEBUG: 'false',
      CARGO_PROFILE_RELEASE_STRIP: 'symbols',
      CARGO_NET_OFFLINE: 'true',
    });
    expect(env).not.toHaveProperty('RUSTFLAGS');
  });
});
