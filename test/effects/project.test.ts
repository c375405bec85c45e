import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findProject, findTool, storeFolder } from '../../pipeline/effects/project.ts';
import { openWellFormed } from '../../pipeline/effects/well-formed.ts';
import { makeFolder, REPOSITORY } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('project');
afterAll(folder.remove);

const CONFIG = 'a3s-build.config.json';
let count = 0;

/** A folder with these files, and where it is. */
function tree(files: Record<string, string>): (path?: string) => string {
  count += 1;
  const root = join(folder.path, `tree-${count}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return (path = '') => join(root, path);
}

const known = await openWellFormed('1.2.3');

describe('the project', () => {
  it('is where the nearest configuration is, from any folder below', async () => {
    const at = tree({ [CONFIG]: '{}', [`app/${CONFIG}`]: '{"firmware":"github"}', 'app/src/deep/x': '' });
    expect(await findProject(at('app/src/deep'), undefined, known)).toEqual({
      root: at('app'),
      file: { firmware: 'github' },
      path: at(`app/${CONFIG}`),
    });
  });

  it('can be told by a field of package.json', async () => {
    const at = tree({ 'package.json': '{"name":"x","a3s-build":{"out":"dist"}}', 'src/x': '' });
    expect(await findProject(at('src'), undefined, known)).toEqual({
      root: at().replace(/\/$/, ''),
      file: { out: 'dist' },
      path: at('package.json'),
    });
  });

  it('prefers the file of configuration to the field beside it', async () => {
    const at = tree({ 'package.json': '{"a3s-build":{"out":"field"}}', [CONFIG]: '{"out":"file"}' });
    expect((await findProject(at(), undefined, known)).file).toEqual({ out: 'file' });
  });

  it.each([
    ['npm', { 'package.json': '{"workspaces":["packages/*"]}' }],
    ['pnpm', { 'pnpm-workspace.yaml': 'packages: ["packages/*"]' }],
  ])('is the root of the %s workspace when there is no configuration', async (_name, files) => {
    const at = tree({ ...files, 'packages/a/package.json': '{"name":"a"}', 'packages/a/src/x': '' });
    expect(await findProject(at('packages/a/src'), undefined, known)).toEqual({
      root: at().replace(/\/$/, ''),
      file: {},
      path: at(CONFIG),
    });
  });

  it('is the nearest package outside of any workspace', async () => {
    const at = tree({ 'a/package.json': '{"name":"a"}', 'a/src/x': '', 'b/x': '' });
    expect((await findProject(at('a/src'), undefined, known)).root).toBe(at('a'));
    expect((await findProject(at('b'), undefined, known)).root).toBe(at('b'));
  });

  it('is where the configuration named by the user is', async () => {
    const at = tree({ 'ci/other.json': '{"jobs":3}', [CONFIG]: '{"jobs":1}' });
    expect(await findProject(at(), 'ci/other.json', known)).toEqual({
      root: at('ci'),
      file: { jobs: 3 },
      path: at('ci/other.json'),
    });
    const { code, where } = await failureOf(() => findProject(at(), 'ci/absent.json', known));
    expect({ code, where }).toEqual({ code: 'A3S1101', where: { file: at('ci/absent.json') } });
  });

  it('is not troubled by a package.json that is no JSON, or none of an object', async () => {
    const at = tree({ 'package.json': '{"name":"root"}', 'a/package.json': '{', 'a/b/package.json': 'null' });
    expect((await findProject(at('a/b'), undefined, known)).root).toBe(at().replace(/\/$/, ''));
  });
});

describe('a configuration that cannot be used', () => {
  it.each([
    ['syntax', '{\n  "out": "build",\n  "jobs" 2\n}', 3, 10],
    ['an unknown field', '{\n  "out": "build",\n  "job": 2\n}', 3, 10],
    ['a wrong value', '{\n\n    "jobs": 0\n}', 3, 13],
    ['a repeated key', '{\n  "jobs": 1,\n  "jobs": 2\n}', 3, 3],
  ])('is refused with line and column: %s', async (_name, text, line, column) => {
    const at = tree({ [CONFIG]: text });
    const { code, exit, where } = await failureOf(() => findProject(at(), undefined, known));
    expect({ code, exit, where }).toEqual({
      code: 'A3S1101',
      exit: 78,
      where: { file: at(CONFIG), line, column },
    });
  });

  it('is refused with line and column of package.json where it is a field of that', async () => {
    const text = '{\n  "name": "x",\n  "a3s-build": {\n    "firmware": "ftp"\n  }\n}';
    const at = tree({ 'package.json': text });
    const { code, message, where } = await failureOf(() => findProject(at(), undefined, known));
    expect({ code, where }).toEqual({ code: 'A3S1101', where: { file: at('package.json'), line: 4, column: 17 } });
    expect(message).toContain('"a3s-build.firmware"');
    const empty = tree({ 'package.json': '{ "a3s-build": 7 }' });
    expect((await failureOf(() => findProject(empty(), undefined, known))).where).toEqual({
      file: empty('package.json'),
      line: 1,
      column: 16,
    });
  });

  it('is not looked at for keys that repeat elsewhere in package.json', async () => {
    const at = tree({ 'package.json': '{"name":"a","name":"b","a3s-build":{"jobs":2}}' });
    expect((await findProject(at(), undefined, known)).file).toEqual({ jobs: 2 });
  });
});

it('finds the folder and version of the tool itself', () => {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  expect(findTool()).toEqual({ root: REPOSITORY, version });
});

it('keeps the store where it is told, else in the cache folder of the system', () => {
  expect(storeFolder('cache', '/work-here')).toBe('/work-here/cache');
  expect(storeFolder('/abs', '/work-here')).toBe('/abs');
  expect(storeFolder(undefined, '/work-here')).toMatch(/a3s-build$/);
});
