import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { build } from 'esbuild';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { platformTable } from '../../pipeline/steps/package/root-code.ts';
import {
  bareEnvironment,
  copyConsumer,
  makeConsumer,
  nodeProgram,
  placePackage,
  ROOT_PACKAGE,
  runIn,
  serveBuild,
  TOO_OLD_NODE,
} from './consumer.ts';

const { installed, temporary } = inject('fullBuild');
const PLATFORM_PACKAGE = `${ROOT_PACKAGE}-linux-x64-gnu`;
const PLATFORM = `node_modules/${PLATFORM_PACKAGE}`;
const ADDON = `${PLATFORM}/libkrun.linux-x64-gnu.node`;

/** Prints what the first call of a function of libkrun fails with, down the chain of causes. */
const TELL = `
const { LoadError, raw } = require('${ROOT_PACKAGE}');
try {
  console.log(JSON.stringify({ id: raw.krunCreateCtx() }));
} catch (error) {
  const causes = [];
  for (let cause = error.cause; cause !== undefined; cause = cause.cause) causes.push(cause.code ?? cause.name);
  console.log(JSON.stringify({ isLoadError: error instanceof LoadError, code: error.code, message: error.message, causes }));
}
`;

/** Makes the process look as if it ran elsewhere. */
interface Elsewhere {
  readonly platform?: string;
  readonly arch?: string;
  readonly processor?: string;
  readonly report?: object;
}

let consumer = '';
let without = '';
beforeAll(async () => {
  const registry = await serveBuild(installed);
  const install = async (name: string, ...flags: readonly string[]): Promise<string> => {
    const folder = mkdtempSync(join(temporary, name));
    makeConsumer(folder, { 'tell.cjs': TELL });
    await runIn(folder, ['npm', 'install', ...flags], bareEnvironment(folder, registry.url));
    return folder;
  };
  try {
    consumer = await install('loader-');
    without = await install('without-', '--omit=optional');
  } finally {
    await registry.close();
  }
});

async function copy(): Promise<string> {
  const folder = join(mkdtempSync(join(temporary, 'changed-')), 'consumer');
  await copyConsumer(consumer, folder);
  return folder;
}

/** Writes a file anew: in a copy, the old one is shared with the original. */
function replace(folder: string, path: string, content: string | Buffer): void {
  rmSync(join(folder, path), { force: true });
  writeFileSync(join(folder, path), content);
}

function changeManifest(folder: string, change: object): void {
  const file = `${PLATFORM}/package.json`;
  const manifest = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  replace(folder, file, JSON.stringify({ ...manifest, ...change }));
}

async function tell(folder: string, node = process.execPath, ...flags: readonly string[]) {
  return JSON.parse(await runIn(folder, [node, ...flags, 'tell.cjs'], bareEnvironment(folder)));
}

async function tellElsewhere({ platform, arch, processor, report }: Elsewhere, folder = consumer) {
  const text = `
    const as = ${JSON.stringify({ platform, arch })};
    for (const name of Object.keys(as)) Object.defineProperty(process, name, { value: as[name] });
    require('node:os').cpus = () => [{ model: ${JSON.stringify(processor ?? '')} }];
    if (${report !== undefined}) process.report.getReport = () => (${JSON.stringify(report ?? {})});`;
  const preload = join(mkdtempSync(join(temporary, 'elsewhere-')), 'as.cjs');
  writeFileSync(preload, text);
  return tell(folder, process.execPath, '--require', preload);
}

const failure = (code: string, words: string, causes: readonly unknown[] = []) => ({
  isLoadError: true,
  code,
  message: expect.stringContaining(words),
  causes,
});

describe('the loader of the installed packages', () => {
  it('loads, where nothing is wrong', async () => {
    expect(await tell(consumer)).toEqual({ id: expect.any(Number) });
  });

  it('tells a Node that is too old', async () => {
    const told = await tell(consumer, nodeProgram(TOO_OLD_NODE));
    expect(told).toEqual(failure('LOADER_NODE_TOO_OLD', 'needs Node 20.18.1 or newer, and this is Node 18.'));
  });

  it('tells an install with --omit=optional', async () => {
    expect(await tell(without)).toEqual(failure('LOADER_NOT_INSTALLED', '--omit=optional', ['MODULE_NOT_FOUND']));
  });

  it.each<[string, Elsewhere, string, string]>([
    ['Windows', { platform: 'win32' }, 'LOADER_UNSUPPORTED_PLATFORM', 'Windows is not supported'],
    [
      'an Intel Mac',
      { platform: 'darwin', processor: 'Intel(R) Core(TM) i7' },
      'LOADER_UNSUPPORTED_PLATFORM',
      'Intel Macs',
    ],
    ['Rosetta', { platform: 'darwin', processor: 'Apple M2' }, 'LOADER_ROSETTA', 'Install Node for arm64'],
    ['a platform without binaries', { arch: 'riscv64' }, 'LOADER_UNSUPPORTED_PLATFORM', 'linux-riscv64'],
    ['musl', { report: { header: {}, sharedObjects: ['/lib/ld-musl-x86_64.so.1'] } }, 'LOADER_MUSL', 'node:20-slim'],
  ])('tells %s', async (_name, elsewhere, code, words) => {
    expect(await tellElsewhere(elsewhere)).toEqual(failure(code, words));
  });

  it('tells a node_modules that was copied from another platform', async () => {
    const folder = await copy();
    const { version } = JSON.parse(readFileSync(join(folder, PLATFORM, 'package.json'), 'utf8'));
    const table = platformTable({ name: ROOT_PACKAGE, version, targets: Object.values(TARGETS) });
    replace(folder, `node_modules/${ROOT_PACKAGE}/platform.cjs`, table);
    renameSync(join(folder, PLATFORM), join(folder, `node_modules/${ROOT_PACKAGE}-darwin-arm64`));
    const told = await tell(folder);
    expect(told).toEqual(
      failure('LOADER_OTHER_PLATFORM', 'the binaries for darwin-arm64, and this is linux-x64', ['MODULE_NOT_FOUND']),
    );
  });

  it('tells a platform package of another version, and one that needs a newer glibc', async () => {
    const folder = await copy();
    changeManifest(folder, { version: '0.0.1' });
    expect(await tell(folder)).toEqual(failure('LOADER_WRONG_VERSION', 'has version 0.0.1'));
    const newer = await copy();
    changeManifest(newer, { config: { glibc: '9.99' } });
    expect(await tell(newer)).toEqual(failure('LOADER_GLIBC_TOO_OLD', 'needs glibc 9.99 or newer'));
  });

  it('names the library that the system lacks, and keeps its words', async () => {
    const folder = await copy();
    const missing = join(folder, 'libmissing.so');
    execFileSync('cc', ['-shared', '-nostdlib', '-Wl,-soname,libmissing.so.7', '-o', missing, '-xc', '-'], {
      input: '',
    });
    rmSync(join(folder, ADDON));
    const args = [
      '-shared',
      '-nostdlib',
      '-Wl,--no-as-needed',
      '-o',
      join(folder, ADDON),
      '-xc',
      '-',
      '-xnone',
      missing,
    ];
    execFileSync('cc', args, { input: '' });
    expect(await tell(folder)).toEqual(
      failure('LOADER_DLOPEN', 'needs the library libmissing.so.7', ['ERR_DLOPEN_FAILED']),
    );
  });

  it('tells a damaged addon, and a library that is gone', async () => {
    const folder = await copy();
    replace(folder, ADDON, readFileSync(join(folder, ADDON)).subarray(0, 40));
    expect(await tell(folder)).toEqual(failure('LOADER_DLOPEN', 'is damaged', ['ERR_DLOPEN_FAILED']));
    const gone = await copy();
    rmSync(join(gone, PLATFORM, 'lib/libkrunfw.so.5'));
    expect(await tell(gone)).toEqual(
      failure('LOADER_NOT_INSTALLED', 'one of its libraries is missing', ['MODULE_NOT_FOUND']),
    );
  });

  it('gives two copies in one process a libkrun each', async () => {
    const folder = await copy();
    const other = join(mkdtempSync(join(temporary, 'other-')), 'node_modules');
    mkdirSync(join(other, '@a3s-lab'), { recursive: true });
    for (const name of [ROOT_PACKAGE, PLATFORM_PACKAGE])
      execFileSync('cp', ['-r', join(folder, 'node_modules', name), join(other, name)]);
    replace(
      folder,
      'two.cjs',
      `const all = [require('${ROOT_PACKAGE}'), require(${JSON.stringify(join(other, ROOT_PACKAGE))})];
       const ids = all.map(({ raw }) => [raw.krunCreateCtx(), raw.krunCreateCtx()].join());
       const loaded = process.report.getReport().sharedObjects.filter((file) => file.endsWith('libkrun.so.1'));
       console.log(JSON.stringify({ same: ids[0] === ids[1], loaded: new Set(loaded).size }));`,
    );
    const told = JSON.parse(await runIn(folder, [process.execPath, 'two.cjs'], bareEnvironment(folder)));
    expect(told).toEqual({ same: true, loaded: 2 });
  });

  it('takes the binaries from app.asar.unpacked', async () => {
    const folder = await copy();
    for (const place of ['app.asar', 'app.asar.unpacked'])
      placePackage(folder, PLATFORM_PACKAGE, `${place}/${PLATFORM}`);
    placePackage(folder, ROOT_PACKAGE, `app.asar/node_modules/${ROOT_PACKAGE}`);
    writeFileSync(
      join(folder, 'app.asar/main.cjs'),
      `const { raw } = require('${ROOT_PACKAGE}');
       raw.krunFreeCtx(raw.krunCreateCtx());
       console.log(process.report.getReport().sharedObjects.filter((file) => file.includes('libkrun')).join());`,
    );
    const told = await runIn(folder, [process.execPath, 'app.asar/main.cjs'], bareEnvironment(folder));
    const loaded = told.split(',').map((file) => file.slice(file.indexOf('app.asar')));
    expect(loaded).toHaveLength(3);
    for (const file of loaded) expect(file).toMatch(/^app\.asar\.unpacked\//);
  });
});

describe('tools that collect the files of an application', () => {
  it('find addon, libraries and launcher by tracing', async () => {
    const { fileList } = await nodeFileTrace([join(consumer, 'tell.cjs')], { base: consumer });
    const binaries = [
      'libkrun.linux-x64-gnu.node',
      'lib/libkrun.so.1',
      'lib/libkrunfw.so.5',
      'bin/krun-launcher',
      'package.json',
    ];
    expect([...fileList]).toEqual(expect.arrayContaining(binaries.map((path) => `${PLATFORM}/${path}`)));
  });

  const bundle = async (folder: string, name: string, external: readonly string[]): Promise<void> => {
    const entryPoints = [join(folder, 'tell.cjs')];
    const options = { entryPoints, bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' } as const;
    await build({ ...options, external: [...external], outfile: join(folder, name) });
  };

  it('work when they leave the packages, or the platform packages, out of the bundle', async () => {
    const folder = await copy();
    for (const [name, external] of [
      ['all.cjs', ROOT_PACKAGE],
      ['root.cjs', `${PLATFORM_PACKAGE}/*`],
    ] as const) {
      await bundle(folder, name, [external]);
      const told = await runIn(folder, [process.execPath, name], bareEnvironment(folder));
      expect(JSON.parse(told), name).toEqual({ id: expect.any(Number) });
    }
  });

  it('are named when a bundle runs without the packages', async () => {
    const folder = await copy();
    await bundle(folder, 'alone.cjs', [`${PLATFORM_PACKAGE}/*`]);
    const elsewhere = mkdtempSync(join(temporary, 'bundle-'));
    mkdirSync(join(elsewhere, 'home'));
    writeFileSync(join(elsewhere, 'tell.cjs'), readFileSync(join(folder, 'alone.cjs')));
    expect(await tell(elsewhere)).toEqual(
      failure('LOADER_NOT_INSTALLED', 'A bundler must leave', ['MODULE_NOT_FOUND']),
    );
  });
});
