import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeMade, emitAbi, readAbi, sha256Of } from '../../pipeline/bindings/abi.ts';
import { generateBindings } from '../../pipeline/bindings/generate.ts';
import { toIr } from '../../pipeline/bindings/header.ts';
import type { EmittedFile, HeaderIr } from '../../pipeline/bindings/ir.ts';
import { checkGenerated, readLock } from '../../pipeline/commands/bindings-check.ts';
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
const ir = (...items: Parameters<typeof rawUnit>[0]): HeaderIr => toIr(rawUnit(items), []);

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

async function check(now: HeaderIr, full: boolean, changes: Partial<Config> = {}) {
  const changed = { ...config, missing: [], ...changes };
  return checkGenerated(await readLock(changed), now, changed, full);
}

// Before anything is generated: what the fast check loads must not be there already.
describe('the fast check', () => {
  beforeAll(() => {
    const made = describeMade('1.2.3', '1.2.3', LOCK, [], [{ path: 'sys.rs', content: 'text' }]);
    files = [{ path: 'sys.rs', content: 'text' }, emitAbi(ir(FUNCTION), made)];
  });

  it('is content with what the lock says, and does not load what writes declarations', async () => {
    expect((await check(ir(FUNCTION), false)).reasons).toEqual([]);
    expect(loaded.declarations).toBe(0);
  });

  it('names a file that was edited, and one that is gone', async () => {
    write('sys.rs', 'other text');
    expect((await check(ir(FUNCTION), false)).reasons).toEqual(['sys.rs is not as it was made']);
    rmSync(generated('sys.rs'));
    expect((await check(ir(FUNCTION), false)).reasons).toEqual(['sys.rs is missing']);
    rmSync(generated('abi.json'));
    expect((await check(ir(FUNCTION), false)).reasons).toEqual(['abi.json is missing']);
  });

  it('tells what the header changed, and whether the version is enough for it', async () => {
    const now = ir(rawFunction('krun_go', { fast: scalar('unsigned char') }));
    const found = await check(now, false, { package: { name: 'x', version: '1.3.0' } });
    expect(findingLines(found)).toEqual([
      'test.h for linux-x64',
      '~ BREAKING changed  krun_go: argument 1  bool → u8',
      'abi.json does not say what the header declares',
      'made for package version 1.2.3; it is 1.3.0 now',
      'semver: major',
      '  Rust crate: 1.2.3 → at least 2.0.0; package.version 1.3.0 is too low',
      '  npm package: 1.2.3 → at least 2.0.0; package.version 1.3.0 is too low',
    ]);
    expect(findingsJson(found)).toMatchObject({
      schema: 1,
      headers: ['test.h'],
      target: 'linux-x64',
      changes: [
        { change: 'changed', kind: 'parameter-type', before: 'bool', after: 'u8', rust: 'major', npm: 'major' },
      ],
      versions: { recorded: '1.2.3', current: '1.3.0' },
      semver: { rust: { bump: 'major', needs: '2.0.0', enough: false } },
    });
  });

  it('sees another generator, target and order', async () => {
    const other = await check(ir(FUNCTION), false, { toolVersion: '1.2.4' });
    expect(other.reasons).toEqual(["another version of a3s-build, or of the addon's runtime, made it"]);
    const target = await check({ ...ir(FUNCTION), target: 'darwin-arm64' }, false);
    expect(target.reasons).toContain('abi.json was made for linux-x64');
    write('abi.json', emitAbi(ir(FUNCTION)).content);
    expect((await check(ir(FUNCTION), false)).reasons).toHaveLength(1);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, 40), 4],
    ['merged with conflicts', (text: string) => text.replace('\n  "target"', '\n<<<<<<< HEAD\n  "target"'), 3],
    ['with a digest that is none', (text: string) => text.replace(/"generator": ".*"/, '"generator": "x"'), 7],
  ])('refuses a lock that is %s, with line and column', async (_what, damage, line) => {
    write('abi.json', damage(read('abi.json')));
    const failure = await check(ir(FUNCTION), false).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BuildError);
    expect((failure as BuildError).failure).toMatchObject({
      code: 'A3S3001',
      where: { file: 'generated/abi.json', line, column: expect.any(Number) },
    });
  });

  it('refuses a configured version that is none', async () => {
    const now = ir(FUNCTION, rawFunction('krun_stop', {}));
    const found = await check(now, false, { package: { name: 'x', version: '01.2.3' } });
    expect(() => findingLines(found)).toThrow(expect.objectContaining({ code: 'A3S1101' }));
  });
});

describe('the full check', () => {
  beforeAll(async () => {
    const versions = { package: '1.2.3', tool: '1.2.3' };
    ({ files } = await generateBindings(ir(FUNCTION), { docs: false, lock: LOCK, missing: [], versions }));
  });

  it('is content with what the generator writes', async () => {
    expect((await check(ir(FUNCTION), true)).reasons).toEqual([]);
    expect(loaded.declarations).toBe(1);
    expect((await check(ir(FUNCTION), false)).reasons).toEqual([]);
  });

  it('finds a declaration that was edited by hand and given a digest that fits, which the fast one does not', async () => {
    const edited = read('libkrun.d.ts').replace('fast: boolean', 'fast: any');
    const { files: made = [] } = readAbi(read('abi.json')).made ?? {};
    const old = made.find(({ path }) => path === 'libkrun.d.ts')?.sha256 ?? expect.unreachable('not in the lock');
    write('libkrun.d.ts', edited);
    write('abi.json', read('abi.json').replace(old, sha256Of(edited)));
    expect((await check(ir(FUNCTION), false)).reasons).toEqual([]);
    expect((await check(ir(FUNCTION), true)).reasons).toEqual([
      'libkrun.d.ts differs from what the header gives',
      'abi.json differs from what the header gives',
    ]);
  });
});
