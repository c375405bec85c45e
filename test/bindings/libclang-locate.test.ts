import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseWithBestParser } from '../../pipeline/bindings/libclang/best-parser.ts';
import {
  chooseLibclang,
  foldersToLookInto,
  type LibclangFacts,
  type Named,
} from '../../pipeline/bindings/libclang/locate.ts';
import { TESTED_VERSIONS, versionWarning } from '../../pipeline/bindings/libclang/versions.ts';
import { BuildError, type Failure, toFailure } from '../../pipeline/plan/errors.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from '../helpers/bundle-worker.ts';

const LINUX = { platform: 'linux', callable: true, folders: [] };

function failureOf(call: () => unknown): Failure {
  try {
    call();
  } catch (error) {
    return toFailure(error);
  }
  return expect.unreachable('nothing was thrown');
}

describe('LIBCLANG_PATH', () => {
  const choose = (named: Named, facts: Partial<LibclangFacts> = {}) => chooseLibclang({ ...LINUX, ...facts, named });

  it('may be the file itself, whatever its name is', () => {
    expect(choose({ is: 'file', path: '/opt/my-clang' })).toEqual({ library: '/opt/my-clang', named: true });
  });

  it.each([
    ['the plain name before a versioned one', ['libclang.so.1', 'libclang.so', 'libclang-19.so.1'], 'libclang.so'],
    ['the newest tested version', ['libclang-14.so.1', 'libclang-19.so.1', 'libclang-22.so.1'], 'libclang-19.so.1'],
    ['an untested version when there is no other', ['libclang-22.so.1', 'libclang-21.so.1'], 'libclang-22.so.1'],
    ['not the C++ library', ['libclang-cpp.so.14', 'libclang.so.19'], 'libclang.so.19'],
  ])('may be a folder, of which it takes %s', (_what, names, expected) => {
    expect(choose({ is: 'folder', path: '/opt/lib/', names })?.library).toBe(`/opt/lib/${expected}`);
  });

  it('takes the library of a Mac by its own name', () => {
    const named = { is: 'folder', path: '/opt', names: ['libclang.so', 'libclang.dylib'] } as const;
    expect(choose(named, { platform: 'darwin' })?.library).toBe('/opt/libclang.dylib');
  });

  it.each<Named>([
    { is: 'nothing', path: '/opt/none' },
    { is: 'folder', path: '/opt/none', names: ['libclang-cpp.so.14', 'libclang.a', 'notlibclang.so'] },
  ])('is an error when it is wrong, although the system has a libclang: $is', (named) => {
    const folders = [{ path: '/usr/lib/llvm-19/lib', names: ['libclang.so.1'] }];
    const failure = failureOf(() => choose(named, { folders }));
    expect(failure.code).toBe('A3S3004');
    expect(failure.message).toContain('LIBCLANG_PATH=/opt/none');
    expect(failure.cause).toContain('libclang.so');
    expect(failure.fix).toContain('Set LIBCLANG_PATH');
  });

  it('is an error where no library can be called', () => {
    const failure = failureOf(() => choose({ is: 'file', path: '/opt/libclang.so' }, { callable: false }));
    expect(failure).toMatchObject({ code: 'A3S3004', message: expect.stringContaining('koffi') });
  });
});

describe('without LIBCLANG_PATH', () => {
  const debian = { path: '/usr/lib/llvm-16/lib', names: ['libclang.so.1', 'libclang-cpp.so.16'] };

  it('the first folder that holds a libclang decides', () => {
    const folders = [{ path: '/usr/lib/llvm-19/lib', names: ['libLLVM.so'] }, debian];
    expect(chooseLibclang({ ...LINUX, folders })).toEqual({ library: `${debian.path}/libclang.so.1`, named: false });
  });

  it.each([
    ['no folder holds one', { folders: [{ path: '/usr/lib', names: ['libc.so'] }] }],
    ['no library can be called', { callable: false, folders: [debian] }],
  ])('the embedded parser is left when %s', (_why, facts) => {
    expect(chooseLibclang({ ...LINUX, ...facts })).toBeNull();
  });

  it('llvm-config is asked first, then Homebrew, then the newest tested version, then what stands alone', () => {
    const versions = [
      { path: '/home/linuxbrew/.linuxbrew/opt', names: ['llvm@18', 'llvm', 'lld'] },
      { path: '/usr/lib', names: ['llvm-14', 'llvm-22', 'llvm-9', 'llvm-19', 'llvm-config', 'gcc'] },
    ];
    expect(foldersToLookInto({ platform: 'linux', configured: '/opt/llvm/lib', versions })).toEqual([
      '/opt/llvm/lib',
      '/home/linuxbrew/.linuxbrew/opt/llvm/lib',
      '/home/linuxbrew/.linuxbrew/opt/llvm@18/lib',
      '/usr/lib/llvm-19/lib',
      '/usr/lib/llvm-14/lib',
      '/usr/lib/llvm-22/lib',
      '/usr/lib/llvm-9/lib',
      '/usr/lib64',
      '/usr/lib',
    ]);
  });

  it('a Mac is searched for Homebrew before Xcode', () => {
    const versions = [{ path: '/opt/homebrew/opt', names: ['llvm'] }];
    const [first, second] = foldersToLookInto({ platform: 'darwin', configured: undefined, versions });
    expect(first).toBe('/opt/homebrew/opt/llvm/lib');
    expect(second).toMatch(/CommandLineTools/);
  });
});

describe('the version that a libclang tells', () => {
  it.each(['Debian clang version 14.0.6', 'clang version 18.1.1', 'Debian clang version 19.1.7 (3~deb12u1)'])(
    'costs no warning when it is a tested one: %s',
    (version) => {
      expect(versionWarning(version, '/opt/libclang.so')).toBeNull();
    },
  );

  it.each(['clang version 13.0.1', 'Apple clang version 15.0.0 (clang-1500.3.9.4)', 'something else'])(
    'costs a warning that names it, the file and the tested ones otherwise: %s',
    (version) => {
      const warning = versionWarning(version, '/opt/libclang.so');
      for (const part of [version, '/opt/libclang.so', TESTED_VERSIONS.join(', ')]) expect(warning).toContain(part);
    },
  );
});

describe('a file that is no libclang', () => {
  const folder = mkdtempSync(join(tmpdir(), 'a3s-libclang-'));
  const library = join(folder, 'libclang.so');
  let workerPath = '';
  beforeAll(async () => {
    writeFileSync(library, 'no library');
    workerPath = await bundleWorker();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const parse = (named: string | undefined, warn: (message: string) => void) =>
    parseWithBestParser(
      [{ headers: [{ name: 'a.h', content: 'int call(void);\n' }], target: TARGETS['linux-x64'] }],
      { workerPath, warn },
      { named, platform: 'linux', toolchain: { ask: async () => folder } },
    );

  it('is an error that names it when LIBCLANG_PATH asks for it', async () => {
    const failure = await parse(library, () => undefined).then(
      () => expect.unreachable('it was used'),
      (error: unknown) => (error instanceof BuildError ? error.failure : expect.unreachable(String(error))),
    );
    expect(failure.code).toBe('A3S3004');
    expect(failure.message).toContain(library);
    expect(failure.fix).toContain('LIBCLANG_PATH');
  });

  it('costs a warning when it was found on the system, and the embedded parser does the work', async () => {
    const warnings: string[] = [];
    const { units, parser } = await parse(undefined, (message) => warnings.push(message));
    expect(parser).toBe('embedded');
    expect(units.map(({ items }) => items.map(({ name }) => name))).toEqual([['call']]);
    expect(warnings).toEqual([expect.stringContaining(library)]);
  });

  it('is found beside the llvm-config of PATH without starting that', async () => {
    for (const name of ['bin', 'lib']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'bin/llvm-config'), 'never started');
    writeFileSync(join(folder, 'lib/libclang.so'), 'no library');
    const warnings: string[] = [];
    await parseWithBestParser(
      [{ headers: [{ name: 'a.h', content: 'int call(void);\n' }], target: TARGETS['linux-x64'] }],
      { workerPath, warn: (message) => warnings.push(message) },
      {
        named: undefined,
        platform: 'linux',
        toolchain: { ask: () => expect.unreachable('it was asked') },
        searchPath: `/nowhere:${join(folder, 'bin')}`,
      },
    );
    expect(warnings).toEqual([expect.stringContaining(join(folder, 'lib/libclang.so'))]);
  });
});
