import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assemblePlan, type PlanFacts } from '../../pipeline/plan/assemble.ts';
import { NO_CROSS_TOOLS } from '../../pipeline/plan/cross-tools.ts';
import { parseFirmwarePins } from '../../pipeline/plan/pins.ts';
import { parseSysrootPins } from '../../pipeline/plan/sysroot-pins.ts';
import type { SystemCandidate } from '../../pipeline/plan/system-libkrun.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { runPlan } from '../../pipeline/run/engine.ts';
import { runFirmware } from '../../pipeline/steps/firmware.ts';
import { runPrefix } from '../../pipeline/steps/prefix.ts';
import type { RunStep } from '../../pipeline/steps/step.ts';
import { judge, runSystemLibkrun } from '../../pipeline/steps/system-libkrun.ts';
import { makeFolder, REPOSITORY, testConfig, testEnvironment } from '../helpers/session.ts';
import { compileLibrary, DECLARED, EXPORTED, installLibkrun, KERNEL_EXPORTS, PINS } from '../helpers/system-libkrun.ts';

const shared = makeFolder('system-good');
let good: { library: string; firmware: string };
beforeAll(() => {
  good = installLibkrun(shared.path);
});
afterAll(() => shared.remove());

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('system-step');
});
afterEach(() => folder.remove());

const candidate = (change: Partial<SystemCandidate> = {}): SystemCandidate => ({
  origin: 'pkg-config',
  version: '1.9.8',
  refused: null,
  ...good,
  ...change,
});

const expected = {
  target: TARGETS['linux-x64'],
  required: DECLARED,
  missing: PINS.exports.missing,
  ownFirmware: false,
};
const library = (soname: string, names: readonly string[]): string =>
  compileLibrary(join(folder.path, 'made.so'), soname, names);

describe('a libkrun of this system', () => {
  it('can be used when everything is there', async () => {
    expect(await judge(candidate(), expected)).toEqual([]);
  });

  it('may have more functions than the header', async () => {
    const made = library('libkrun.so.1', [...EXPORTED, 'krun_of_tomorrow']);
    expect(await judge(candidate({ library: made }), expected)).toEqual([]);
  });

  type Case = readonly [what: string, make: () => Partial<SystemCandidate>, reason: RegExp];
  const without = (prefix: string): string[] => EXPORTED.filter((name) => !name.startsWith(prefix));
  const CASES: readonly Case[] = [
    [
      'is a stub',
      () => ({ library: library('libkrun.so.1', ['krun_create_ctx']) }),
      /^it lacks the feature net .*; it lacks the feature blk .*; it does not export .* and \d+ more, which/,
    ],
    [
      'lacks the feature net',
      () => ({ library: library('libkrun.so.1', without('krun_add_net_')) }),
      /^it lacks the feature net \(krun_add_net_unixstream/,
    ],
    [
      'lacks the feature blk',
      () => ({ library: library('libkrun.so.1', without('krun_add_disk')) }),
      /^it lacks the feature blk \(krun_add_disk,/,
    ],
    [
      'lacks one function',
      () => ({ library: library('libkrun.so.1', without('krun_start_enter')) }),
      /^it does not export krun_start_enter, which/,
    ],
    ['has another soname', () => ({ library: library('libkrun.so.2', EXPORTED) }), /^soname is 'libkrun\.so\.2'/],
    ['is for another machine', () => ({ library: forOtherMachine(good.library) }), /^machine is 'aarch64'/],
    ['is no library', () => ({ library: text('GROUP ( libkrun.so.1.9 )') }), /libkrun/],
    ['cannot be read', () => ({ library: join(folder.path, 'gone.so') }), /no such file/],
    ['has no guest kernel', () => ({ firmware: null }), /^no libkrunfw\.so\.5 beside it/],
    [
      'has a kernel of another soname',
      () => ({ firmware: library('libkrunfw.so.4', KERNEL_EXPORTS) }),
      /soname is 'libkrunfw\.so\.4'/,
    ],
    [
      'has a kernel library without a kernel',
      () => ({ firmware: library('libkrunfw.so.5', ['other']) }),
      /does not export krunfw_get_kernel/,
    ],
    [
      'has a kernel library for another machine',
      () => ({ firmware: forOtherMachine(good.firmware) }),
      /machine is 'aarch64'/,
    ],
    ['was refused before', () => ({ refused: 'too old' }), /^too old$/],
  ];
  it.each(CASES)('is refused when it %s', async (_what, change, reason) => {
    const reasons = await judge(candidate(change()), expected);
    expect(reasons.join('; ')).toMatch(reason);
  });

  it('needs no guest kernel where the user names his own', async () => {
    expect(await judge(candidate({ firmware: null }), { ...expected, ownFirmware: true })).toEqual([]);
  });
});

function forOtherMachine(file: string): string {
  const bytes = readFileSync(file);
  bytes.writeUInt16LE(183, 18);
  const to = join(folder.path, 'other-machine.so');
  writeFileSync(to, bytes);
  return to;
}

function text(content: string): string {
  const file = join(folder.path, 'script.so');
  writeFileSync(file, content);
  return file;
}

/** Runs libkrun, firmware and prefix for real; what they need is made by hand. */
async function build(system: readonly SystemCandidate[]) {
  const config = testConfig(folder.path, { only: ['prefix'] }, { A3S_USE_SYSTEM_LIBKRUN: '1' });
  const pins = {
    libkrun: PINS,
    firmware: parseFirmwarePins(readFileSync(join(REPOSITORY, 'vendor/libkrunfw.json'), 'utf8'), 'pins'),
    sysroot: parseSysrootPins(readFileSync(join(REPOSITORY, 'vendor/sysroot.json'), 'utf8'), 'pins'),
  };
  const facts: PlanFacts = { source: { kind: 'crate' }, system, tools: NO_CROSS_TOOLS, cargoConfigs: [] };
  const write =
    (path: string, content: string): RunStep =>
    async ({ out }) => {
      await mkdir(join(out, path, '..'), { recursive: true });
      await writeFile(join(out, path), content);
      return { facts: {}, summary: '' };
    };
  const environment = await testEnvironment(
    config,
    {
      source: write('include/libkrun.h', ''),
      bindings: write('committed/abi.json', readFileSync(join(REPOSITORY, 'generated/abi.json'), 'utf8')),
      launcher: write('bin/krun-launcher', ''),
      libkrun: runSystemLibkrun,
      firmware: runFirmware,
      prefix: runPrefix,
    },
    { pins, system },
  );
  const outcomes = await runPlan(assemblePlan(config, pins, facts), environment);
  const dirOf = (step: 'prefix' | 'firmware' | 'libkrun'): string =>
    environment.store.resultDir(step, outcomes.get(step)?.manifest.key ?? '');
  return { outcomes, dirOf, notes: environment.events.filter((event) => event.kind === 'note') };
}

describe('a build with it', () => {
  it('puts the files of the system into the prefix as they are, under the version of the system', async () => {
    const { dirOf, outcomes } = await build([candidate()]);
    const prefix = join(dirOf('prefix'), 'prefix');
    expect(readFileSync(join(prefix, 'lib/libkrun.so.1'))).toEqual(readFileSync(good.library));
    expect(readFileSync(join(prefix, 'lib/libkrunfw.so.5'))).toEqual(readFileSync(good.firmware));
    expect(readFileSync(join(prefix, 'lib/pkgconfig/libkrun.pc'), 'utf8')).toContain('Version: 1.9.8\n');
    expect(outcomes.get('libkrun')?.manifest.facts).toMatchObject({ origin: 'pkg-config', library: good.library });
    expect(outcomes.get('firmware')?.manifest.facts).toMatchObject({ provider: 'system', version: null });
  });

  it('takes the first one that can be used, and says why not the one before', async () => {
    const { outcomes, notes } = await build([candidate({ library: text('x') }), candidate({ origin: '/usr/lib64' })]);
    expect(outcomes.get('libkrun')?.manifest.facts['origin']).toBe('/usr/lib64');
    expect(notes).toEqual([expect.objectContaining({ message: expect.stringMatching(/^not taken: .*script\.so/) })]);
  });

  it('is the same again until the library changes on disk', async () => {
    const place = join(folder.path, 'lib');
    mkdirSync(place);
    cpSync(good.library, join(place, 'k.so'));
    const own = candidate({ library: join(place, 'k.so') });
    await build([own]);
    expect((await build([own])).outcomes.get('libkrun')?.outcome).toBe('reused');
    compileLibrary(join(place, 'k.so'), 'libkrun.so.1', EXPORTED, 'int changed;');
    expect((await build([own])).outcomes.get('libkrun')).toMatchObject({ outcome: 'built' });
  });

  it('fails with every candidate and its reason when none can be used', async () => {
    const none = candidate({ library: null, firmware: null, refused: 'pkg-config is not installed' });
    const error = await build([none, candidate({ firmware: null })]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'A3S1601' });
    const { message, fix } = (error as { failure: { message: string; fix: string } }).failure;
    expect(message).toContain('pkg-config: pkg-config is not installed');
    expect(message).toContain(`${good.library}: no libkrunfw.so.5`);
    expect(fix).toContain('A3S_BUILD_LIBKRUN=1');
  });
});
