import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeMade, emitAbi, sha256Of } from '../../pipeline/bindings/abi.ts';
import { LOCKED_FILES } from '../../pipeline/bindings/abi-files.ts';
import { readAbi } from '../../pipeline/bindings/abi-schema.ts';
import { generateBindings } from '../../pipeline/bindings/generate.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { EmittedFile, HeaderIr } from '../../pipeline/bindings/ir.ts';
import { readLockText } from '../../pipeline/commands/bindings-check.ts';
import { checkGenerated, readCommitted } from '../../pipeline/commands/bindings-compare.ts';
import type { BuiltLibrary } from '../../pipeline/commands/bindings-exports.ts';
import { exportFindingLines } from '../../pipeline/commands/bindings-findings.ts';
import { findingLines, findingsJson } from '../../pipeline/commands/bindings-report.ts';
import type { Config } from '../../pipeline/plan/config.ts';
import { BuildError } from '../../pipeline/plan/errors.ts';
import { rawFunction, rawUnit, scalar } from '../bindings/raw-unit.ts';
import { makeFolder, REPOSITORY, testConfig } from '../helpers/session.ts';

const loaded = vi.hoisted(() => ({ declarations: 0 }));
vi.mock('../../pipeline/bindings/emit-dts.ts', async (original) => {
  loaded.declarations++;
  return original();
});

const LOCK = readFileSync(join(REPOSITORY, 'native/Cargo.lock'), 'utf8');
const FUNCTION = rawFunction('krun_go', { fast: scalar('bool') });
const TARGETS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];
const irs = (...items: Parameters<typeof rawUnit>[0]): readonly HeaderIr[] =>
  TARGETS.map((target) => toIr(rawUnit(items, { target }), []));

let folder: ReturnType<typeof makeFolder>;
let config: Config;
let files: readonly EmittedFile[];
beforeEach(() => {
  folder = makeFolder('check');
  config = testConfig(folder.path);
  for (const { path, content } of files) write(path, content);
});
afterEach(() => folder.remove());

const generated = (path: string): string => join(config.projectRoot, 'generated', path);
const read = (path: string): string => readFileSync(generated(path), 'utf8');
function write(path: string, content: string): void {
  mkdirSync(dirname(generated(path)), { recursive: true });
  writeFileSync(generated(path), content);
}

async function check(now: readonly HeaderIr[], full: boolean, changes: Partial<Config> = {}, library?: BuiltLibrary) {
  const changed = { ...config, missing: [], ...changes };
  const committed = await readCommitted(await readLockText(changed), changed);
  return checkGenerated(committed, now, changed, full, library);
}

// Before anything is generated: what the fast check loads must not be there already.
describe('the fast check', () => {
  beforeAll(() => {
    const locked = LOCKED_FILES.map((path) => ({ path, content: `text of ${path}` }));
    files = [...locked, emitAbi(irs(FUNCTION), describeMade('1.2.3', '1.2.3', LOCK, [], locked))];
  });

  it('is content with what the lock says, and does not load what writes declarations', async () => {
    expect((await check(irs(FUNCTION), false)).reasons).toEqual([]);
    expect(loaded.declarations).toBe(0);
  });

  it('names a file that was edited, and one that is gone', async () => {
    write('sys.rs', 'other text');
    expect((await check(irs(FUNCTION), false)).reasons).toEqual(['sys.rs is not as it was made']);
    rmSync(generated('sys.rs'));
    expect((await check(irs(FUNCTION), false)).reasons).toEqual(['sys.rs is missing']);
    rmSync(generated('abi.json'));
    expect((await check(irs(FUNCTION), false)).reasons).toEqual(['abi.json is missing']);
  });

  it('tells what the header changed, and whether the version is enough for it', async () => {
    const now = irs(rawFunction('krun_go', { fast: scalar('unsigned char') }));
    const found = await check(now, false, { package: { name: 'x', version: '1.3.0' } });
    expect(findingLines(found)).toEqual([
      'test.h for linux-x64, linux-arm64, darwin-arm64',
      '~ BREAKING changed  krun_go: argument 1  bool → u8',
      'abi.json does not say what the header declares',
      'made for package version 1.2.3; it is 1.3.0 now',
      'semver: major',
      '  Rust crate: 1.2.3 → at least 2.0.0; package.version 1.3.0 is too low',
      '  npm package: 1.2.3 → at least 2.0.0; package.version 1.3.0 is too low',
    ]);
    expect(findingsJson(found)).toMatchObject({
      schema: 2,
      headers: ['test.h'],
      targets: TARGETS,
      changes: [
        {
          change: 'changed',
          kind: 'parameter-type',
          header: 'test.h',
          targets: TARGETS,
          before: 'bool',
          after: 'u8',
          rust: 'major',
          npm: 'major',
        },
      ],
      versions: { recorded: '1.2.3', current: '1.3.0' },
      semver: { rust: { bump: 'major', needs: '2.0.0', enough: false } },
      semverByTarget: { 'darwin-arm64': { rust: 'major', npm: 'major' } },
      exports: null,
    });
  });

  it('names the targets and the verdict of each where they differ', async () => {
    const [x64, arm64] = irs(FUNCTION);
    const [, , darwin] = irs(FUNCTION, rawFunction('krun_hvf', {}));
    const now = [x64, arm64, darwin].filter((one) => one !== undefined);
    expect(findingLines(await check(now, false)).slice(0, 5)).toEqual([
      'test.h for darwin-arm64',
      '+ added             krun_hvf() -> void  (Rust crate minor, npm package patch)',
      'abi.json does not say what the header declares',
      'semver: Rust crate minor, npm package patch',
      '  linux-x64, linux-arm64: none',
    ]);
    expect(findingsJson(await check(now, false))).toMatchObject({
      changes: [{ name: 'krun_hvf', targets: ['darwin-arm64'] }],
      semverByTarget: { 'linux-x64': { rust: 'none', npm: 'none' }, 'darwin-arm64': { rust: 'minor', npm: 'patch' } },
    });
  });

  it('sees another generator, a target too few, and a lock that is written in another way', async () => {
    const other = await check(irs(FUNCTION), false, { toolVersion: '1.2.4' });
    expect(other.reasons).toEqual(["another version of a3s-build, or of the addon's runtime, made it"]);
    const text = read('abi.json');
    write('abi.json', text.replace(', "darwin-arm64"', ''));
    expect((await check(irs(FUNCTION), false)).reasons).toEqual([
      'abi.json does not say what the header declares',
      'abi.json was not made for darwin-arm64',
    ]);
    write('abi.json', text.replace('"form": 2', '"form":  2'));
    expect((await check(irs(FUNCTION), false)).reasons).toEqual(['abi.json is not written as it would be now']);
    write('abi.json', emitAbi(irs(FUNCTION)).content);
    expect((await check(irs(FUNCTION), false)).reasons).toHaveLength(1);
  });

  it('is not content with a lock that no longer names a file, whatever stands in that', async () => {
    const locked = LOCKED_FILES.slice(1).map((path) => ({ path, content: `text of ${path}` }));
    write('abi.json', emitAbi(irs(FUNCTION), describeMade('1.2.3', '1.2.3', LOCK, [], locked)).content);
    write('sys.rs', 'anything');
    expect((await check(irs(FUNCTION), false)).reasons).toEqual(['abi.json does not name sys.rs']);
    rmSync(generated('sys.rs'));
    expect((await check(irs(FUNCTION), false)).reasons).toEqual(['sys.rs is missing']);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, 40), 4],
    ['merged with conflicts', (text: string) => text.replace('\n  "headers"', '\n<<<<<<< HEAD\n  "headers"'), 3],
    ['with a digest that is none', (text: string) => text.replace(/"generator": ".*"/, '"generator": "x"'), 6],
  ])('refuses a lock that is %s, with line and column', async (_what, damage, line) => {
    write('abi.json', damage(read('abi.json')));
    const failure = await check(irs(FUNCTION), false).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BuildError);
    expect((failure as BuildError).failure).toMatchObject({
      code: 'A3S3001',
      where: { file: 'generated/abi.json', line, column: expect.any(Number) },
    });
  });

  it('refuses a configured version that is none', async () => {
    const now = irs(FUNCTION, rawFunction('krun_stop', {}));
    const found = await check(now, false, { package: { name: 'x', version: '01.2.3' } });
    expect(() => findingLines(found)).toThrow(expect.objectContaining({ code: 'A3S1101' }));
  });
});

describe('the header and a built library', () => {
  beforeAll(() => {
    files = [emitAbi(irs(FUNCTION, rawFunction('krun_tee', {})))];
  });

  const library = (...exported: string[]): BuiltLibrary => ({
    path: 'build/libkrun.so.1',
    target: 'linux-x64',
    exported,
    reviewed: { missing: ['krun_tee'], extra: ['bz_*'] },
  });

  it('are compared both ways', async () => {
    const found = await check(irs(FUNCTION, rawFunction('krun_tee', {})), false, {}, library('krun_go', 'bz_error'));
    expect(found.changes).toEqual([]);
    expect(exportFindingLines(found)).toEqual([
      'build/libkrun.so.1: declared but not exported: krun_tee',
      'build/libkrun.so.1: exported but not declared: bz_error',
    ]);
    expect(findingsJson(found)).toMatchObject({
      exports: {
        library: 'build/libkrun.so.1',
        target: 'linux-x64',
        declaredNotExported: ['krun_tee'],
        exportedNotDeclared: ['bz_error'],
        notReviewed: [],
      },
    });
  });

  it('that was not built are said to be uncompared', async () => {
    const found = await check(irs(FUNCTION), false);
    expect(exportFindingLines(found)).toEqual([expect.stringContaining('no built library')]);
    expect(findingsJson(found)).toMatchObject({ exports: null });
  });

  it('change the verdict where a function ceases or begins to be exported while it stays declared', async () => {
    const declared = irs(FUNCTION, rawFunction('krun_tee', {}), rawFunction('krun_new', {}));
    const found = await check(declared, false, {}, library('krun_tee', 'extra'));
    expect(found.changes.map(({ kind, name, targets }) => [kind, name, targets])).toEqual([
      ['function-added', 'krun_new', TARGETS],
      ['export-removed', 'krun_go', ['linux-x64']],
      ['export-added', 'krun_tee', ['linux-x64']],
    ]);
    expect(findingsJson(found)).toMatchObject({
      semver: { rust: 'major', npm: 'major' },
      semverByTarget: { 'linux-x64': { rust: 'major', npm: 'major' }, 'linux-arm64': { rust: 'minor', npm: 'minor' } },
      exports: { notReviewed: ['krun_go', 'krun_new', 'extra'] },
    });
    expect(exportFindingLines(found).at(-1)).toBe(
      'build/libkrun.so.1: not in the reviewed list of vendor/libkrun.json: krun_go, krun_new, extra',
    );
  });
});

describe('the full check', () => {
  beforeAll(async () => {
    const versions = { package: '1.2.3', tool: '1.2.3' };
    ({ files } = await generateBindings(irs(FUNCTION), { docs: false, lock: LOCK, missing: [], versions }));
  });

  it('is content with what the generator writes', async () => {
    expect((await check(irs(FUNCTION), true)).reasons).toEqual([]);
    expect(loaded.declarations).toBe(1);
    expect((await check(irs(FUNCTION), false)).reasons).toEqual([]);
  });

  it('finds a declaration that was edited by hand and given a digest that fits, which the fast one does not', async () => {
    const edited = read('libkrun.d.ts').replace('fast: boolean', 'fast: any');
    const { files: made = [] } = readAbi(read('abi.json')).made ?? {};
    const old = made.find(({ path }) => path === 'libkrun.d.ts')?.sha256 ?? expect.unreachable('not in the lock');
    write('libkrun.d.ts', edited);
    write('abi.json', read('abi.json').replace(old, sha256Of(edited)));
    expect((await check(irs(FUNCTION), false)).reasons).toEqual([]);
    expect((await check(irs(FUNCTION), true)).reasons).toEqual([
      'libkrun.d.ts differs from what the header gives',
      'abi.json differs from what the header gives',
    ]);
  });
});
