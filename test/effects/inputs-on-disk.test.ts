import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readPins, readPlanFacts } from '../../pipeline/effects/inputs-on-disk.ts';
import { openWellFormed } from '../../pipeline/effects/well-formed.ts';
import { makeFolder, REPOSITORY, testConfig } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('inputs');
afterAll(folder.remove);

let root = '';
let project = '';
let count = 0;
beforeEach(() => {
  count += 1;
  root = join(folder.path, `case-${count}`);
  project = join(root, 'project');
  mkdirSync(join(project, 'vendor'), { recursive: true });
});

function facts(flags: { libkrunDir?: string } = {}) {
  return readPlanFacts(testConfig(root, flags), join(root, 'home/.cargo'));
}

describe('the source of libkrun', () => {
  it('is the pinned crate when the project has none', () => {
    expect(facts().source).toEqual({ kind: 'crate' });
  });

  it('is vendor/libkrun when it holds one', () => {
    mkdirSync(join(project, 'vendor/libkrun'));
    writeFileSync(join(project, 'vendor/libkrun/Cargo.toml'), '');
    expect(facts().source).toEqual({ kind: 'tree', path: join(project, 'vendor/libkrun') });
  });

  it('is the folder named by the user before all others', () => {
    for (const path of [join(project, 'vendor/libkrun'), join(root, 'mine')]) {
      mkdirSync(path);
      writeFileSync(join(path, 'Cargo.toml'), '');
    }
    expect(facts({ libkrunDir: 'mine' }).source).toEqual({ kind: 'tree', path: join(root, 'mine') });
  });

  it.each([
    ['is empty', () => mkdirSync(join(project, 'vendor/libkrun'))],
    ['is no folder', () => writeFileSync(join(project, 'vendor/libkrun'), '')],
    ['does not exist', () => symlinkSync('nowhere', join(project, 'vendor/libkrun'))],
    ['has no Cargo.toml', () => mkdirSync(join(project, 'vendor/libkrun/src'), { recursive: true })],
  ])('is missed when vendor/libkrun %s', async (state, prepare) => {
    prepare();
    const { code, exit, message, fix } = await failureOf(() => facts());
    expect({ code, exit }).toEqual({ code: 'A3S1301', exit: 78 });
    expect(message).toBe(`Vendored sources not found: ${join(project, 'vendor/libkrun')} ${state}`);
    expect(fix).toMatch(/git submodule update --init.*pinned crate/);
  });

  it('is missed when the folder named by the user does not exist', async () => {
    const { code, message } = await failureOf(() => facts({ libkrunDir: 'nowhere' }));
    expect(code).toBe('A3S1301');
    expect(message).toContain('nowhere does not exist');
  });
});

describe('the configuration of cargo', () => {
  it('is that of the project, of all folders above, and of the home', () => {
    const places = [
      join(project, '.cargo/config.toml'),
      join(root, '.cargo/config'),
      join(root, 'home/.cargo/config.toml'),
    ];
    for (const place of places) {
      mkdirSync(join(place, '..'), { recursive: true });
      writeFileSync(place, '');
    }
    expect(facts().cargoConfigs).toEqual(expect.arrayContaining(places));
  });
});

describe('pins', () => {
  const names = ['libkrunfw.json', 'libkrun.json'];

  it('come with the tool', async () => {
    const pins = await readPins({ projectRoot: project, toolRoot: REPOSITORY }, await openWellFormed('1.2.3'));
    expect(pins.libkrun.crate.name).toBe('a3s-libkrun-sys');
    expect(Object.keys(pins.firmware.providers)).toEqual(['npm', 'github']);
  });

  it("are the project's own where it has them, file by file", async () => {
    const text = readFileSync(join(REPOSITORY, 'vendor/libkrun.json'), 'utf8');
    writeFileSync(join(project, 'vendor/libkrun.json'), text.replace(/"version": "1\.17\.0"/, '"version": "1.99.0"'));
    const pins = await readPins({ projectRoot: project, toolRoot: REPOSITORY }, await openWellFormed('1.2.3'));
    expect(pins.libkrun.library.version).toBe('1.99.0');
    expect(pins.firmware.schema).toBe(1);
  });

  it.each(names)('that are malformed are refused with line and column: %s', async (name) => {
    for (const each of names) cpSync(join(REPOSITORY, 'vendor', each), join(project, 'vendor', each));
    const file = join(project, 'vendor', name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/"sha256": "[0-9a-f]/, '"sha256": "Z'));
    const place = text.slice(0, text.search(/"sha256": "/)).split('\n');
    const column = (place.at(-1)?.length ?? 0) + '"sha256": '.length + 1;
    const { code, exit, where } = await failureOf(async () =>
      readPins({ projectRoot: project, toolRoot: REPOSITORY }, await openWellFormed('1.2.3')),
    );
    expect({ code, exit, where }).toEqual({ code: 'A3S1102', exit: 78, where: { file, line: place.length, column } });
  });

  it('of the project are looked at closely once, and again when they change', async () => {
    cpSync(join(REPOSITORY, 'vendor/libkrun.json'), join(project, 'vendor/libkrun.json'));
    const looked: string[] = [];
    const all = await openWellFormed('1.2.3');
    const add = (kind: string, text: string): void => {
      looked.push(kind);
      all.add(kind, text);
    };
    const known = { ...all, add };
    const roots = { projectRoot: project, toolRoot: REPOSITORY };
    const first = await readPins(roots, known);
    expect(looked).toEqual(['libkrun.json']);
    expect(await readPins(roots, known)).toEqual(first);
    expect(looked).toEqual(['libkrun.json']);
    writeFileSync(join(project, 'vendor/libkrun.json'), '{ "schema": 2 }');
    expect((await failureOf(() => readPins(roots, known))).code).toBe('A3S1102');
    expect(looked).toEqual(['libkrun.json']);
  });

  it('of the tool are what its schemas ask for', async () => {
    const looked: string[] = [];
    const known = { has: () => false, add: (kind: string) => void looked.push(kind) };
    await readPins({ projectRoot: REPOSITORY, toolRoot: REPOSITORY }, known);
    expect(looked).toEqual(['libkrunfw.json', 'libkrun.json', 'sysroot.json']);
  });

  it('that are missing from the installation are a bug of ours', async () => {
    const { code } = await failureOf(async () =>
      readPins({ projectRoot: project, toolRoot: join(root, 'nowhere') }, await openWellFormed('1.2.3')),
    );
    expect(code).toBe('A3S9001');
  });
});
