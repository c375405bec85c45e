import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { $ } from 'zx';
import { readElf } from '../../pipeline/binary/elf.ts';
import type { ElfFile } from '../../pipeline/binary/elf-types.ts';
import { compareReleases, glibcNeeds } from '../../pipeline/binary/glibc.ts';
import { readArchive } from '../../pipeline/effects/archive.ts';
import type { BuildManifest } from '../../pipeline/run/outputs.ts';
import { REPOSITORY } from '../helpers/session.ts';
import { crossVariables, pathWithout } from './cross-tools.ts';

const { installed, checkoutStore, temporary } = inject('fullBuild');
const project = join(temporary, 'arm64');
const npm = join(project, 'build/npm');

/** Runs the program for linux-arm64, with the store of the build for this machine. */
async function build(args: readonly string[], variables: Record<string, string> = {}): Promise<BuildManifest> {
  const env = { ...process.env, ...crossVariables(), A3S_CACHE_DIR: checkoutStore, CI: 'true', ...variables };
  const program = join(REPOSITORY, 'dist/cli.cjs');
  const run = ['--reporter', 'plain', 'build', '--target', 'linux-arm64', ...args];
  const result = await $({ cwd: project, env, nothrow: true })`${process.execPath} ${program} ${run}`;
  if (result.exitCode !== 0) throw new Error(`exit code ${result.exitCode}:\n${result.stderr}`);
  return JSON.parse(readFileSync(join(project, 'build/linux-arm64/manifest.json'), 'utf8'));
}

/** A file of a step's result. */
function result(manifest: BuildManifest, step: string, path: string): ElfFile {
  const key = manifest.steps.find(({ id }) => id === step)?.key ?? '';
  const file = join(checkoutStore, 'v1/results', step, key, 'out', path);
  return readElf(readFileSync(file), path);
}

const files = async (name: string) => readArchive(join(npm, name), { bytes: 256 * 1024 * 1024, entries: 100 });

beforeAll(() => {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"arm64"}');
});

describe('linux-arm64 from linux-x64, linked by zig for glibc 2.28', () => {
  let manifest: BuildManifest;
  let binaries: Map<string, ElfFile>;
  beforeAll(async () => {
    manifest = await build(['--glibc', '2.28']);
    const [platform = ''] = readdirSync(npm).filter((name) => name.includes('linux-arm64-gnu'));
    const found = (await files(platform)).filter(({ content }) => content.toString('latin1', 1, 4) === 'ELF');
    binaries = new Map(found.map(({ path, content }) => [path.replace('package/', ''), readElf(content, path)]));
  }, 3_000_000);

  it('takes source and bindings from the build for another target', () => {
    const outcomes = new Map(manifest.steps.map(({ id, outcome }) => [id, outcome]));
    expect([outcomes.get('source'), outcomes.get('bindings')]).toEqual(['reused', 'reused']);
  });

  it('packs binaries for arm64 that load with glibc 2.28', () => {
    expect([...binaries.keys()].toSorted()).toEqual([
      'bin/krun-launcher',
      'lib/libkrun.so.1',
      'lib/libkrunfw.so.5',
      'libkrun.linux-arm64-gnu.node',
    ]);
    for (const [path, elf] of binaries) {
      expect([path, elf.machine]).toEqual([path, 'aarch64']);
      const { floor } = glibcNeeds(elf);
      expect(floor === null || compareReleases(floor, '2.28') <= 0, `${path} needs glibc ${floor}`).toBe(true);
    }
  });

  it('exports the functions that the library for this machine exports', () => {
    const here = join(installed, 'linux-x64/prefix/lib/libkrun.so.1');
    const names = (elf: ElfFile | undefined): string[] => (elf?.exports ?? []).map(({ name }) => name).toSorted();
    const expected = names(readElf(readFileSync(here), here)).filter((name) => name.startsWith('krun_'));
    expect(expected.length).toBeGreaterThan(50);
    expect(names(binaries.get('lib/libkrun.so.1')).filter((name) => name.startsWith('krun_'))).toEqual(expected);
  });

  it('states the processor, the C library and its measured release, and is named by the root package', async () => {
    const [platform = '', root = ''] = readdirSync(npm).toSorted((a, b) => b.length - a.length);
    const manifestOf = async (name: string) => {
      const file = (await files(name)).find(({ path }) => path === 'package/package.json');
      return JSON.parse(file?.content.toString('utf8') ?? '');
    };
    const stated = await manifestOf(platform);
    expect(stated).toMatchObject({ os: ['linux'], cpu: ['arm64'], libc: ['glibc'] });
    expect(compareReleases(stated.config.glibc, '2.28')).toBeLessThanOrEqual(0);
    expect(Object.keys((await manifestOf(root)).optionalDependencies)).toEqual([stated.name]);
  });

  it('passes the audit that needs no build', async () => {
    const { exitCode } = await $({ cwd: project, nothrow: true })`${process.execPath} ${join(
      REPOSITORY,
      'dist/cli.cjs',
    )} verify ${npm}`;
    expect(exitCode).toBe(0);
  });
});

it('links with the cross compiler that is found, for the glibc that it has', async () => {
  const elf = result(await build(['--only', 'launcher']), 'launcher', 'bin/krun-launcher');
  expect(elf.machine).toBe('aarch64');
  const floor = glibcNeeds(elf).floor ?? '';
  expect([compareReleases(floor, '2.28') > 0, compareReleases(floor, '2.36') <= 0]).toEqual([true, true]);
}, 1_200_000);

describe("the guest's init, as machines other than Linux make it", () => {
  /** The Rust toolchain in use: Debian's, which has no lld. */
  const noCross = (name: string, more: RegExp) =>
    pathWithout(join(temporary, name), new RegExp(`^aarch64-linux-gnu-|^zig$|${more.source}`));

  it.each([
    ['the lld on PATH', 'with-lld', /^$/],
    ['the lld of the Rust toolchain', 'without-lld', /^ld\.lld/],
  ])('is compiled by clang and linked by %s against the pinned sysroot', async (_what, name, unwanted) => {
    const variables = { PATH: noCross(name, unwanted), RUSTC: 'rustc', CARGO: 'cargo' };
    const manifest = await build(['--only', 'init', '--force'], variables);
    const init = manifest.steps.find(({ id }) => id === 'init');
    expect(init?.facts['compiler']).toBe('clang');
    const elf = result(manifest, 'init', 'init');
    expect([elf.machine, elf.isStatic]).toEqual(['aarch64', true]);
  });
});
