import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findSystemLibkrun } from '../../pipeline/effects/system-libkrun.ts';
import { makeFolder, testConfig } from '../helpers/session.ts';
import { writePkgConfig } from '../helpers/system-libkrun.ts';

// Whether a library can be used is not asked here, so that any file will do.
let folder: ReturnType<typeof makeFolder>;
let at: (path: string) => string;
beforeEach(() => {
  folder = makeFolder('system');
  at = (path) => join(folder.path, path);
  mkdirSync(at('project'));
});
afterEach(() => folder.remove());

function install(path: string, names: readonly string[] = ['libkrun.so.1', 'libkrunfw.so.5']): string {
  mkdirSync(at(path), { recursive: true });
  for (const name of names) writeFileSync(join(at(path), name), name);
  return at(path);
}

/** The system below the test's own folder; the folders of this machine are out of reach. */
const find = (variables: Record<string, string> = {}) => {
  const all = {
    PATH: process.env['PATH'] ?? '',
    PKG_CONFIG_LIBDIR: at('pc'),
    PKG_CONFIG_SYSROOT_DIR: at('root'),
    ...variables,
  };
  return findSystemLibkrun(testConfig(folder.path, {}, all), all);
};

it('finds what pkg-config names, with the kernel beside it, and tells its version', async () => {
  // pkg-config puts the root folder of the system before what the file says.
  const own = install('root/opt/krun/lib64');
  writePkgConfig(at('pc'), '/opt/krun/lib64', '1.9.8');
  expect(await find()).toEqual([
    {
      origin: 'pkg-config',
      library: join(own, 'libkrun.so.1'),
      firmware: join(own, 'libkrunfw.so.5'),
      version: '1.9.8',
      refused: null,
    },
  ]);
});

it('takes folders with spaces as pkg-config writes them', async () => {
  const own = install('with space/lib');
  writePkgConfig(at('pc'), own.replaceAll(' ', '\\ '), '1.9.8');
  const [first] = await find({ PKG_CONFIG_SYSROOT_DIR: '' });
  expect(first).toMatchObject({ library: join(own, 'libkrun.so.1') });
});

it('refuses what pkg-config calls older than 1.0, and looks through the usual folders all the same', async () => {
  install('root/opt/lib');
  const usual = install('root/usr/lib64');
  writePkgConfig(at('pc'), '/opt/lib', '0.9.9');
  expect(await find()).toEqual([
    expect.objectContaining({ origin: 'pkg-config', library: null, refused: expect.stringContaining('0.9.9') }),
    expect.objectContaining({ origin: at('root/usr/lib64'), library: join(usual, 'libkrun.so.1'), refused: null }),
  ]);
});

it('says that pkg-config knows none, is not there, or names an empty folder', async () => {
  expect((await find())[0]?.refused).toMatch(/libkrun/);
  expect((await find({ PKG_CONFIG: at('no-such-program') }))[0]?.refused).toContain('is not installed');
  writePkgConfig(at('pc'), '/nowhere', '1.9.8');
  expect((await find())[0]?.refused).toContain('names no folder with libkrun.so.1');
  writePkgConfig(at('pc'), '/nowhere', 'newest');
  expect((await find())[0]?.refused).toContain('newest');
});

it('looks through the usual folders in order, follows links to the file, and lists each file once', async () => {
  const real = install('root/usr/lib/x86_64-linux-gnu', ['libkrun.so.1.9.8', 'libkrunfw.so.5']);
  symlinkSync('libkrun.so.1.9.8', join(real, 'libkrun.so.1'));
  mkdirSync(at('root/usr/local/lib'), { recursive: true });
  symlinkSync(join(real, 'libkrun.so.1.9.8'), at('root/usr/local/lib/libkrun.so.1'));
  const [none, ...found] = await find();
  expect(none?.library).toBeNull();
  expect(found).toEqual([
    {
      origin: at('root/usr/local/lib'),
      library: join(real, 'libkrun.so.1.9.8'),
      firmware: join(real, 'libkrunfw.so.5'),
      version: '1.9.8',
      refused: null,
    },
  ]);
});

it('has no kernel for a library where there is none', async () => {
  install('root/usr/lib', ['libkrun.so.1']);
  expect((await find()).at(-1)).toMatchObject({ library: at('root/usr/lib/libkrun.so.1'), firmware: null });
});

it('takes PKG_CONFIG_PATH before PKG_CONFIG_LIBDIR, and the program of PKG_CONFIG with its arguments', async () => {
  install('root/a');
  install('root/b');
  writePkgConfig(at('pc'), '/a', '1.1.0');
  writePkgConfig(at('first'), '/b', '1.2.0');
  expect((await find({ PKG_CONFIG_PATH: at('first') }))[0]).toMatchObject({ version: '1.2.0' });
  cpSync(at('first'), at('third'), { recursive: true });
  writeFileSync(at('wrapper'), `PKG_CONFIG_LIBDIR=${at('third')} exec pkg-config "$@"\n`);
  const [wrapped] = await find({ PKG_CONFIG: `sh ${at('wrapper')}` });
  expect(wrapped).toMatchObject({ library: at('root/b/libkrun.so.1') });
});
