import { describe, expect, it } from 'vitest';
import { compareVersions, diagnose, type HostFacts, type PackageFacts } from '../../native/npm/diagnosis.ts';
import { readLibc } from '../../native/npm/host.ts';

const HOST: HostFacts = {
  platform: 'linux',
  arch: 'x64',
  node: '20.18.1',
  libc: 'glibc',
  glibc: '2.36',
  appleProcessor: false,
};

const PACKAGES: PackageFacts = {
  name: '@acme/libkrun',
  version: '1.2.3',
  node: '20.18.1',
  platforms: { 'linux-x64': '@acme/libkrun-linux-x64-gnu', 'darwin-arm64': '@acme/libkrun-darwin-arm64' },
  installed: ['linux-x64'],
  own: { version: '1.2.3', glibc: '2.34' },
};

const NOTHING = { installed: [], own: null };

/** What differs from a system on which all is well, the code for it and words that must be told. */
type Case = [name: string, code: string, words: string, host: Partial<HostFacts>, packages?: Partial<PackageFacts>];

const CASES: Case[] = [
  ['an old Node', 'LOADER_NODE_TOO_OLD', 'Node 18.20.4', { node: '18.20.4' }],
  ['Windows', 'LOADER_UNSUPPORTED_PLATFORM', 'Windows is not supported', { platform: 'win32' }, NOTHING],
  ['an Intel Mac', 'LOADER_UNSUPPORTED_PLATFORM', 'Intel Macs', { platform: 'darwin', libc: null, glibc: null }],
  ['Rosetta', 'LOADER_ROSETTA', 'Install Node for arm64', { platform: 'darwin', appleProcessor: true }, NOTHING],
  ['a platform without binaries', 'LOADER_UNSUPPORTED_PLATFORM', 'linux-riscv64', { arch: 'riscv64' }, NOTHING],
  ['musl, where npm installs nothing', 'LOADER_MUSL', 'musl', { libc: 'musl', glibc: null }, NOTHING],
  ['musl, with the package there', 'LOADER_MUSL', 'musl', { libc: 'musl', glibc: null }],
  ['a copied node_modules', 'LOADER_OTHER_PLATFORM', 'darwin-arm64', {}, { installed: ['darwin-arm64'], own: null }],
  ['--omit=optional', 'LOADER_NOT_INSTALLED', '--omit=optional', {}, NOTHING],
  ['another version', 'LOADER_WRONG_VERSION', '1.2.2', {}, { own: { version: '1.2.2', glibc: '2.34' } }],
  ['an old glibc', 'LOADER_GLIBC_TOO_OLD', 'has 2.31', { glibc: '2.31' }],
];

describe('diagnose', () => {
  it('says nothing where all is well, or the C library is not known', () => {
    expect(diagnose(HOST, PACKAGES)).toBeNull();
    expect(diagnose({ ...HOST, libc: null, glibc: null }, PACKAGES)).toBeNull();
  });

  it.each(CASES)('names %s', (_name, code, words, host, packages = {}) => {
    const diagnosis = diagnose({ ...HOST, ...host }, { ...PACKAGES, ...packages });
    expect(diagnosis?.code).toBe(code);
    expect(diagnosis?.message).toContain(words);
  });
});

describe('readLibc', () => {
  it('tells glibc by its version and musl by its loader', () => {
    expect(readLibc({ header: { glibcVersionRuntime: '2.36' } })).toEqual({ libc: 'glibc', glibc: '2.36' });
    expect(readLibc({ sharedObjects: ['/lib/ld-musl-x86_64.so.1'] })).toEqual({ libc: 'musl', glibc: null });
    expect(readLibc({})).toEqual({ libc: null, glibc: null });
  });
});

describe('compareVersions', () => {
  it('compares numbers, not text', () => {
    expect(compareVersions('2.4', '2.34')).toBeLessThan(0);
    expect(compareVersions('20.18.1', '20.18.1-nightly')).toBe(0);
    expect(compareVersions('22.0.0', '20.18.1')).toBeGreaterThan(0);
  });
});
