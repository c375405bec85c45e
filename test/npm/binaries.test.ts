import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoadError } from '../../native/npm/api.ts';
import { openBinaries } from '../../native/npm/binaries.ts';
import type { HostFacts } from '../../native/npm/diagnosis.ts';
import { lazyObject } from '../../native/npm/lazy.ts';
import type { PlatformEntry, PlatformTable } from '../../native/npm/platform-table.ts';

const HOST: HostFacts = {
  platform: 'linux',
  arch: 'x64',
  node: '20.18.1',
  libc: 'glibc',
  glibc: '2.36',
  appleProcessor: false,
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-'));
  await writeFile(join(folder, 'package.json'), '{"version":"1.2.3","config":{"glibc":"2.34"}}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const missing = (): never => {
  throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
};

function open(entry: Partial<PlatformEntry>) {
  const own = {
    package: '@acme/libkrun-linux-x64-gnu',
    manifest: () => join(folder, 'package.json'),
    launcher: () => '/launcher',
    addon: () => ({ one: 1 }),
    ...entry,
  };
  const table: PlatformTable = {
    name: '@acme/libkrun',
    version: '1.2.3',
    node: '20.18.1',
    platforms: { 'linux-x64': own },
  };
  return openBinaries(table, () => HOST);
}

function thrown(work: () => unknown): LoadError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(LoadError);
    return error as LoadError;
  }
  throw new Error('nothing was thrown');
}

describe('openBinaries', () => {
  it('loads the addon once, and needs it not for the launcher', () => {
    let loads = 0;
    const binaries = open({ addon: () => ({ loads: ++loads }) });
    expect(binaries.launcher()).toBe('/launcher');
    expect(loads).toBe(0);
    expect(binaries.addon()).toBe(binaries.addon());
    expect(loads).toBe(1);
  });

  it('keeps what the system said as the cause', () => {
    const failure = thrown(() => open({ manifest: missing }).launcher());
    expect(failure).toMatchObject({ code: 'LOADER_NOT_INSTALLED', cause: { code: 'MODULE_NOT_FOUND' } });
    const refused = new Error('libgcc_s.so.1: cannot open shared object file');
    const dlopen = thrown(() =>
      open({
        addon: () => {
          throw refused;
        },
      }).addon(),
    );
    expect(dlopen).toMatchObject({ code: 'LOADER_DLOPEN', cause: refused });
    expect(dlopen.message).toContain('libgcc_s.so.1');
  });

  it('tells a package without its launcher', () => {
    expect(thrown(() => open({ launcher: missing }).launcher()).code).toBe('LOADER_NOT_INSTALLED');
  });

  it('looks again after a failure', () => {
    let there = false;
    const binaries = open({ manifest: () => (there ? join(folder, 'package.json') : missing()) });
    thrown(() => binaries.launcher());
    there = true;
    expect(binaries.launcher()).toBe('/launcher');
  });
});

describe('lazyObject', () => {
  it('loads at the first property that is asked for, and only then', () => {
    let loads = 0;
    const lazy = lazyObject(() => ({ one: ++loads, two: 2 })) as { one: number };
    expect(String(Object.prototype.toString.call(lazy))).toBe('[object Object]');
    expect(loads).toBe(0);
    expect([lazy.one, 'two' in lazy, 'three' in lazy, Object.keys(lazy)]).toEqual([1, true, false, ['one', 'two']]);
    expect({ ...lazy }).toEqual({ one: 1, two: 2 });
    expect(loads).toBe(1);
  });

  it('cannot be changed', () => {
    const lazy = lazyObject(() => ({ one: 1 })) as { one?: number };
    expect(() => {
      lazy.one = 2;
    }).toThrow(TypeError);
    expect(() => delete lazy.one).toThrow(TypeError);
    expect(lazy.one).toBe(1);
  });
});
