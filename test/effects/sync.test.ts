import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { openDigestCache } from '../../pipeline/effects/digests.ts';
import { listTree } from '../../pipeline/effects/files.ts';
import { syncFolder, type WantedFile } from '../../pipeline/effects/sync.ts';
import { makeFolder } from '../helpers/session.ts';

const folder = makeFolder('sync');
afterAll(folder.remove);

const digests = openDigestCache(join(folder.path, 'rows.json'), false);
const PAST = new Date('2020-02-02T02:02:02Z');
let from = '';
let to = '';
let count = 0;

beforeEach(() => {
  count += 1;
  from = join(folder.path, `from-${count}`);
  to = join(folder.path, `to-${count}`);
  mkdirSync(join(from, 'sub'), { recursive: true });
  writeFileSync(join(from, 'plain'), 'plain');
  writeFileSync(join(from, 'sub/tool'), 'tool');
  symlinkSync('sub/tool', join(from, 'link'));
});

async function wanted(...paths: string[]): Promise<WantedFile[]> {
  return Promise.all(
    paths.map(async (path) => ({
      path,
      from: join(from, path),
      sha256: await digests.digest(join(from, path)),
      executable: path.endsWith('tool'),
    })),
  );
}

const ALL = ['plain', 'sub/tool', 'link'];

it('makes files, folders and links as wanted', async () => {
  await syncFolder(to, await wanted(...ALL), digests, () => false);
  expect(readFileSync(join(to, 'plain'), 'utf8')).toBe('plain');
  expect(statSync(join(to, 'plain')).mode & 0o777).toBe(0o644);
  expect(statSync(join(to, 'sub/tool')).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(to, 'link'))).toBe('sub/tool');
});

it('touches only files whose content differs', async () => {
  await syncFolder(to, await wanted(...ALL), digests, () => false);
  for (const path of ['plain', 'sub/tool']) utimesSync(join(to, path), PAST, PAST);
  const link = lstatSync(join(to, 'link')).ino;
  writeFileSync(join(from, 'plain'), 'other');
  await syncFolder(to, await wanted(...ALL), digests, () => false);
  expect(readFileSync(join(to, 'plain'), 'utf8')).toBe('other');
  expect(statSync(join(to, 'plain')).mtime).not.toEqual(PAST);
  expect(statSync(join(to, 'sub/tool')).mtime).toEqual(PAST);
  expect(lstatSync(join(to, 'link')).ino).toBe(link);
});

it('heals files that were changed or turned into links', async () => {
  await syncFolder(to, await wanted('plain'), digests, () => false);
  writeFileSync(join(to, 'plain'), 'PLAIN');
  await syncFolder(to, await wanted('plain'), digests, () => false);
  expect(readFileSync(join(to, 'plain'), 'utf8')).toBe('plain');

  const outside = join(folder.path, 'outside');
  writeFileSync(outside, 'outside');
  await syncFolder(join(to, 'x'), [], digests, () => false);
  symlinkSync(outside, join(to, 'x/plain'));
  await syncFolder(join(to, 'x'), await wanted('plain'), digests, () => false);
  expect(lstatSync(join(to, 'x/plain')).isFile()).toBe(true);
  expect(readFileSync(outside, 'utf8')).toBe('outside');
});

it('sets the mode of a file whose content is right', async () => {
  await syncFolder(to, await wanted('plain'), digests, () => false);
  const [file] = await wanted('plain');
  if (file !== undefined) await syncFolder(to, [{ ...file, executable: true }], digests, () => false);
  expect(statSync(join(to, 'plain')).mode & 0o777).toBe(0o755);
});

it('removes what is ours and leaves what is not', async () => {
  await syncFolder(to, await wanted(...ALL), digests, () => false);
  writeFileSync(join(to, 'foreign'), 'mine');
  const asked: string[] = [];
  await syncFolder(to, await wanted('plain'), digests, (path) => {
    asked.push(path);
    return path !== 'foreign';
  });
  expect(asked).toEqual(['foreign', 'link', 'sub/tool']);
  expect(listTree(to).map(({ path }) => path)).toEqual(['foreign', 'plain']);
  expect(readFileSync(join(from, 'sub/tool'), 'utf8')).toBe('tool');
});
