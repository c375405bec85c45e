import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoadError } from '../../native/npm/api.ts';
import { outsideArchive } from '../../native/npm/archive.ts';
import { openBinaries } from '../../native/npm/binaries.ts';
import type { HostFacts } from '../../native/npm/diagnosis.ts';
import { lazyObject } from '../../native/npm/lazy.ts';
import type { PlatformEntry, PlatformTable } from '../../native/npm/platform-table.ts';
import { explainRefusal } from '../../native/npm/refusal.ts';

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
    libraries: () => ['/lib/libkrun.so.1'],
    addonFile: () => '/libkrun.node',
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

  it.each([
    ['launcher', { launcher: missing }],
    ['addon', { addonFile: missing }],
    ['libraries', { libraries: missing }],
  ])('tells a package that lost its %s', (_what, entry) => {
    const failure = thrown(() => ('launcher' in entry ? open(entry).launcher() : open(entry).addon()));
    expect(failure).toMatchObject({ code: 'LOADER_NOT_INSTALLED', cause: { code: 'MODULE_NOT_FOUND' } });
    expect(failure.message).toContain('is damaged');
  });

  it('takes launcher and addon from where Electron unpacks what is in an archive', async () => {
    const packed = join(folder, 'app.asar', 'node_modules');
    const unpacked = join(folder, 'app.asar.unpacked', 'node_modules');
    await mkdir(unpacked, { recursive: true });
    // A module stands in for the addon: what counts is which of the two is loaded.
    await writeFile(join(unpacked, 'addon.cjs'), 'exports.from = __filename;');
    await writeFile(join(unpacked, 'launcher'), '');
    const binaries = open({
      launcher: () => join(packed, 'launcher'),
      libraries: () => [],
      addonFile: () => join(packed, 'addon.cjs'),
      addon: () => {
        throw new Error('loaded from inside the archive');
      },
    });
    expect(binaries.launcher()).toBe(join(unpacked, 'launcher'));
    expect(binaries.addon()).toEqual({ from: join(unpacked, 'addon.cjs') });
  });

  it('looks again after a failure', () => {
    let there = false;
    const binaries = open({ manifest: () => (there ? join(folder, 'package.json') : missing()) });
    thrown(() => binaries.launcher());
    there = true;
    expect(binaries.launcher()).toBe('/launcher');
  });
});

describe('outsideArchive', () => {
  it('leaves paths outside of archives as they are, with either separator', () => {
    for (const path of ['/srv/app/libkrun.node', '/srv/my.asar-tools/x', '/srv/app.asar.unpacked/x']) {
      expect(outsideArchive(path, '@acme/x', true)).toBe(path);
    }
  });

  it('refuses in Electron what is in the archive only, and leaves a folder of that name to Node', () => {
    for (const path of ['/none/app.asar/x', 'C:\\none\\app.asar\\x']) {
      expect(thrown(() => outsideArchive(path, '@acme/x', true))).toMatchObject({ code: 'LOADER_IN_ARCHIVE' });
      expect(outsideArchive(path, '@acme/x', false)).toBe(path);
    }
  });
});

describe('explainRefusal', () => {
  const CASES: readonly [name: string, reason: string, code: string, words: string][] = [
    [
      'a library that is not there',
      'libgcc_s.so.1: cannot open shared object file: No such file or directory',
      'LOADER_DLOPEN',
      'needs the library libgcc_s.so.1',
    ],
    [
      'the same on macOS',
      'dlopen(/x/a.node, 0x0001): Library not loaded: @rpath/libfoo.1.dylib',
      'LOADER_DLOPEN',
      'needs the library @rpath/libfoo.1.dylib',
    ],
    [
      "a glibc that Node's report did not tell",
      "/lib/libc.so.6: version `GLIBC_2.38' not found (required by /x/a.node)",
      'LOADER_GLIBC_TOO_OLD',
      'needs glibc 2.38 or newer, and this system has 2.36',
    ],
    [
      'musl that nothing else told',
      'Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /x/a.node)',
      'LOADER_MUSL',
      'musl',
    ],
    [
      'another library on musl',
      'Error loading shared library libgcc_s.so.1: No such file',
      'LOADER_DLOPEN',
      'needs the library libgcc_s.so.1',
    ],
    [
      'a runtime without a function of Node-API',
      '/x/a.node: undefined symbol: napi_create_bigint_words',
      'LOADER_DLOPEN',
      'napi_create_bigint_words',
    ],
    [
      'a file system without execution',
      '/x/a.node: failed to map segment from shared object',
      'LOADER_DLOPEN',
      'noexec',
    ],
    ['a damaged file', '/x/a.node: file too short', 'LOADER_DLOPEN', 'damaged'],
    [
      'another processor',
      "/x/a.node: mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64')",
      'LOADER_DLOPEN',
      'another processor',
    ],
    [
      'a broken signature',
      "code signature in <…> '/x/a.node' not valid for use in process",
      'LOADER_DLOPEN',
      'signature',
    ],
    ['whatever else', 'something new', 'LOADER_DLOPEN', 'something new'],
  ];

  it.each(CASES)('tells %s', (_name, reason, code, words) => {
    const found = explainRefusal(reason, '@acme/libkrun-linux-x64-gnu', HOST);
    expect(found.code).toBe(code);
    expect(found.message).toContain(words);
    expect(found.message).toContain(reason);
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
