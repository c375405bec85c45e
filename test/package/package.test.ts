import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readArchive } from '../../pipeline/effects/archive.ts';
import type { Fact } from '../../pipeline/effects/store.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { COMMITTED } from '../../pipeline/steps/bindings.ts';
import { runPackage } from '../../pipeline/steps/package.ts';
import { makeElf } from '../binary/make-elf.ts';
import { type MadeMachO, makeMachO } from '../binary/make-macho.ts';
import { type ContextOptions, madeFiles, madeLock, stepContext } from './step-context.ts';

const UMASK = process.umask();
let parent = '';
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'package test é '));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

async function pack(options: Partial<ContextOptions> = {}) {
  const folder = await mkdtemp(join(parent, 'run-'));
  const context = await stepContext({ folder, ...options });
  const result = await runPackage(context);
  const read = async (name: string) => readFile(join(context.out, 'npm', name));
  const files = async (name: string) => {
    const found = await readArchive(join(context.out, 'npm', name), { bytes: 1e8, entries: 100 });
    return Object.fromEntries(found.map(({ path, content }) => [path, content.toString()]));
  };
  return { ...result, read, files, warnings: context.warnings };
}

const ROOT = 'acme-libkrun-1.2.3.tgz';
const PLATFORM = 'acme-libkrun-linux-x64-gnu-1.2.3.tgz';
const changed = (path: string, content: Buffer): Record<string, Buffer> => ({ ...madeFiles(), [path]: content });

describe('the package step', () => {
  afterEach(() => {
    process.umask(UMASK);
  });

  it('gives the same bytes in another folder under another umask', async () => {
    process.umask(0o077);
    const one = await pack();
    process.umask(0o000);
    const other = await pack();
    for (const name of [ROOT, PLATFORM]) expect((await one.read(name)).equals(await other.read(name))).toBe(true);
    expect(one.facts).toEqual(other.facts);
  });

  it('follows SOURCE_DATE_EPOCH', async () => {
    const dated = await pack({ variables: { SOURCE_DATE_EPOCH: '1700000000' } });
    const plain = await pack();
    expect((await dated.read(ROOT)).equals(await plain.read(ROOT))).toBe(false);
    expect((await dated.files(PLATFORM))['package/sbom.cdx.json']).toContain('2023-11-14T22:13:20Z');
  });

  it('tells file, integrity, sizes and glibc of each package', async () => {
    const { facts, read, summary } = await pack();
    const packages = facts['packages'] as readonly Record<string, Fact>[];
    expect(packages.map((one) => one['file'])).toEqual([`npm/${PLATFORM}`, `npm/${ROOT}`]);
    for (const one of packages) {
      const bytes = await read(String(one['file']).slice('npm/'.length));
      expect(one['integrity']).toBe(`sha512-${createHash('sha512').update(bytes).digest('base64')}`);
      expect(one['packed']).toBe(bytes.length);
      expect(Number(one['unpacked'])).toBeGreaterThan(bytes.length);
    }
    expect(facts['glibc']).toBe('2.34');
    expect(summary).toContain('@acme/libkrun-linux-x64-gnu');
  });

  it('lays out the platform package', async () => {
    const files = await (await pack()).files(PLATFORM);
    expect(Object.keys(files)).toEqual(
      [
        'LICENSE',
        'SOURCE.md',
        'THIRD-PARTY-NOTICES.md',
        'bin/krun-launcher',
        'lib/libkrun.so.1',
        'lib/libkrunfw.so.5',
        'libkrun.linux-x64-gnu.node',
        'licenses/Apache-2.0.txt',
        'licenses/GPL-2.0-only.txt',
        'licenses/LGPL-2.1-only.txt',
        'package.json',
        'sbom.cdx.json',
        'versions.json',
      ].map((name) => `package/${name}`),
    );
  });

  it('names in the root package what was packed, and nothing else', async () => {
    const files = await (await pack()).files(ROOT);
    const manifest = JSON.parse(files['package/package.json'] ?? '') as Record<string, unknown>;
    expect(manifest['optionalDependencies']).toEqual({ '@acme/libkrun-linux-x64-gnu': '1.2.3' });
    const pointers = JSON.stringify(manifest['exports']).match(/\.\/[\w./]+/g) ?? [];
    const targets = pointers.filter((path) => path !== './raw').map((path) => path.replace('./', 'package/'));
    expect(targets.filter((path) => files[path] === undefined)).toEqual([]);
    expect(files['package/index.d.ts']).toContain("typeof import('./libkrun.js')");
    expect(files['package/index.d.cts']).toContain("typeof import('./libkrun.cjs')");
  });

  it('uses the licences that cargo told', async () => {
    const facts = { libkrun: { crates: { 'libc@0.2.180': 'MIT OR Apache-2.0' } } };
    const files = await (await pack({ facts })).files(PLATFORM);
    expect(files['package/THIRD-PARTY-NOTICES.md']).toContain('| libc | 0.2.180 | MIT OR Apache-2.0 |');
  });

  it('warns about a guest kernel whose source it does not know', async () => {
    const firmware = { provider: 'A3S_LIBKRUNFW_DYLIB', version: null, kernel: '6.1.0', sha256: 'f00d' };
    const { warnings, files } = await pack({ facts: { firmware } });
    expect(warnings.join()).toContain('A3S_LIBKRUNFW_DYLIB');
    expect((await files(PLATFORM))['package/SOURCE.md']).toContain("the packager's to name");
  });

  it('never packs a stub', async () => {
    await expect(pack({ variables: { A3S_DEPS_STUB: '1' } })).rejects.toMatchObject({
      code: 'A3S4001',
      message: expect.stringContaining('stub'),
    });
  });

  it.each([
    [
      'an escaped runpath',
      'prefix/prefix/lib/libkrun.so.1',
      makeElf({ soname: 'libkrun.so.1', runpath: '\\$$ORIGIN' }),
      'runpath',
    ],
    ['a foreign library', 'addon/libkrun.linux-x64-gnu.node', makeElf({ needed: ['libssl.so.3'] }), 'libssl.so.3'],
    [
      'another machine',
      'prefix/prefix/lib/libkrunfw.so.5',
      makeElf({ soname: 'libkrunfw.so.5', machine: 183 }),
      'machine',
    ],
    ['an empty licence', 'source/LICENSE', Buffer.alloc(0), 'is empty'],
  ])('refuses %s', async (_name, path, content, words) => {
    await expect(pack({ files: changed(path, content) })).rejects.toMatchObject({
      code: 'A3S4001',
      message: expect.stringContaining(words),
    });
  });

  it.each(['linux-arm64', 'darwin-arm64'] as const)('packs and audits the binaries of %s', async (id) => {
    const target = TARGETS[id];
    const { facts, files } = await pack({ target });
    const inside = await files(`acme-libkrun-${target.packageSuffix}-1.2.3.tgz`);
    const manifest = JSON.parse(inside['package/package.json'] ?? '') as { config: object };
    const floors = id === 'darwin-arm64' ? { macos: '14.0' } : { glibc: '2.34' };
    expect(manifest.config).toEqual(floors);
    expect(facts).toMatchObject(floors);
    expect(Object.keys(inside)).toContain(`package/lib/${target.libraryFile}`);
  });

  it.each([
    ['a launcher without its entitlement', 'prefix/prefix/bin/krun-launcher', { type: 2 }, 'has the entitlements none'],
    [
      'a library that nobody signed',
      'prefix/prefix/lib/libkrun.1.dylib',
      { installName: '@rpath/libkrun.1.dylib', signature: null },
      'signature: is not signed',
    ],
    [
      'a folder of the build machine as install name',
      'addon/libkrun.darwin-arm64.node',
      { installName: '/target/release/libkrun.dylib' },
      "install name is '/target/release/libkrun.dylib'",
    ],
    [
      'a guest kernel for another processor',
      'prefix/prefix/lib/libkrunfw.5.dylib',
      { cpu: 0x01000007, installName: 'libkrunfw.5.dylib' },
      "processor is 'x86_64'",
    ],
  ])('refuses, for macOS, %s', async (_name, path, made: MadeMachO, words) => {
    const target = TARGETS['darwin-arm64'];
    const files = { ...madeFiles(target), [path]: makeMachO(made) };
    await expect(pack({ target, files })).rejects.toMatchObject({
      code: 'A3S4001',
      message: expect.stringContaining(words),
    });
  });

  it('refuses a libkrun that lacks a function of the header, or has one that nobody reviewed', async () => {
    const lock = `bindings/${COMMITTED}/abi.json`;
    const more = Buffer.from(madeLock(['krun_create_ctx', 'krun_free_ctx', 'krun_add_disk']));
    await expect(pack({ files: changed(lock, more) })).rejects.toMatchObject({
      code: 'A3S4001',
      message: expect.stringContaining('exports: does not export krun_add_disk'),
    });
    const fewer = Buffer.from(madeLock(['krun_create_ctx']));
    await expect(pack({ files: changed(lock, fewer) })).rejects.toMatchObject({
      message: expect.stringContaining('exports: also exports krun_free_ctx'),
    });
    const reviewed = Buffer.from(madeLock(['krun_create_ctx', 'krun_free_ctx', 'krun_set_tee_config_file']));
    await expect(pack({ files: changed(lock, reviewed) })).resolves.toBeDefined();
  });

  it('refuses a glibc that the systems it is for do not have', async () => {
    const launcher = makeElf({
      interpreter: '/lib64/ld-linux-x86-64.so.2',
      needed: ['libc.so.6'],
      symbols: [{ name: 'x', version: 0 }],
      versions: [{ library: 'libc.so.6', name: 'GLIBC_2.39' }],
    });
    await expect(pack({ files: changed('prefix/prefix/bin/krun-launcher', launcher) })).rejects.toMatchObject({
      code: 'A3S4001',
      message: expect.stringContaining('2.39'),
    });
  });

  it('refuses a folder of this machine in any file', async () => {
    const folder = await mkdtemp(join(parent, 'run-'));
    const leak = Buffer.from(`export declare const A: 1; // ${folder}/project/x\n`);
    await expect(pack({ folder, files: changed('bindings/libkrun.d.ts', leak) })).rejects.toMatchObject({
      code: 'A3S4001',
      message: expect.stringContaining('paths: '),
    });
  });

  it('says which file is missing', async () => {
    const { 'source/LICENSE': _gone, ...files } = madeFiles();
    await expect(pack({ files })).rejects.toMatchObject({ code: 'A3S5002' });
  });
});
