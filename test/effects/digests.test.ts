import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDigestCache } from '../../pipeline/effects/digests.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

const folder = makeFolder('digests');
afterAll(folder.remove);

const at = (...parts: string[]): string => join(folder.path, ...parts);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

// Files older than the two seconds in which a change may go unseen.
const OLD = ['hit', 'edited', 'cut', 'moved', 'distrusted'];
beforeAll(async () => {
  for (const name of OLD) writeFileSync(at(name), `content of ${name}`);
  // A whole second, which can be set again exactly.
  utimesSync(at('edited'), new Date(1_600_000_000_000), new Date(1_600_000_000_000));
  await sleep(2100);
});

/** Rows on disk after one look at `path`, with every digest in them replaced by `forged`. */
async function forgeRows(path: string, forged: string): Promise<string> {
  const file = at(`${forged}.json`);
  const cache = openDigestCache(file, true);
  await cache.digest(path);
  await cache.save();
  const rows = JSON.parse(readFileSync(file, 'utf8')) as [string, string[]][];
  expect(rows).toHaveLength(1);
  writeFileSync(file, JSON.stringify(rows.map(([name, row]) => [name, [...row.slice(0, 5), forged]])));
  return file;
}

describe('unchanged files', () => {
  it('are not read again: what the row says is believed', async () => {
    const cache = openDigestCache(await forgeRows(at('hit'), 'from-the-row'), true);
    expect(await cache.digest(at('hit'))).toBe('from-the-row');
  });

  it('are read all the same when rows are not to be trusted', async () => {
    const cache = openDigestCache(await forgeRows(at('distrusted'), 'forged'), false);
    expect(await cache.digest(at('distrusted'))).toBe(sha256('content of distrusted'));
  });
});

describe('changed files', () => {
  it('are noticed through ctime when size and mtime are as before', async () => {
    const path = at('edited');
    const file = await forgeRows(path, 'stale');
    const before = statSync(path);
    writeFileSync(path, 'CONTENT OF EDITED');
    utimesSync(path, before.atime, before.mtime);
    expect(statSync(path)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs });
    expect(await openDigestCache(file, true).digest(path)).toBe(sha256('CONTENT OF EDITED'));
  });

  it('are noticed when they were cut and filled with zeros again', async () => {
    const path = at('cut');
    const file = await forgeRows(path, 'stale-cut');
    const { size } = statSync(path);
    truncateSync(path, 0);
    truncateSync(path, size);
    expect(await openDigestCache(file, true).digest(path)).toBe(sha256('\0'.repeat(size)));
  });

  it('are noticed when another file took their place', async () => {
    const path = at('moved');
    const file = await forgeRows(path, 'stale-moved');
    const rows = JSON.parse(readFileSync(file, 'utf8')) as [string, string[]][];
    writeFileSync(file, JSON.stringify(rows.map(([name, [dev, , ...rest]]) => [name, [dev, '1', ...rest]])));
    expect(await openDigestCache(file, true).digest(path)).toBe(sha256('content of moved'));
  });

  it('get no row while they may change again within the resolution of the clock, nor with a time in the future', async () => {
    const file = at('racy.json');
    writeFileSync(at('racy'), 'x');
    writeFileSync(at('future'), 'y');
    utimesSync(at('future'), new Date('2100-01-01'), new Date('2100-01-01'));
    const cache = openDigestCache(file, true);
    expect(await cache.digest(at('racy'))).toBe(sha256('x'));
    expect(await cache.digest(at('future'))).toBe(sha256('y'));
    await cache.save();
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
  });
});

it.each(['', '{', 'null', '{"a":1}', '[["x"]]', '[["x",[1,2,3,4,5,6]]]', '[null,["x",["1"]]]'])(
  'takes no harm from a damaged file of rows: %s',
  async (text) => {
    const file = at('damaged.json');
    writeFileSync(file, text);
    const cache = openDigestCache(file, true);
    expect(await cache.digest(at('hit'))).toBe(sha256('content of hit'));
    await cache.save();
    expect(readFileSync(file, 'utf8')).toContain(sha256('content of hit'));
  },
);

describe('trees', () => {
  it('have the digest of every file by path, and of a link what it says', async () => {
    mkdirSync(at('tree/sub'), { recursive: true });
    writeFileSync(at('tree/b'), 'b');
    writeFileSync(at('tree/sub/a'), 'a');
    symlinkSync('../b', at('tree/sub/link'));
    symlinkSync('nowhere', at('tree/dangling'));
    const cache = openDigestCache(at('tree.json'), true);
    expect(await cache.tree(at('tree'))).toEqual({
      b: sha256('b'),
      dangling: sha256('link:nowhere'),
      'sub/a': sha256('a'),
      'sub/link': sha256('link:../b'),
    });
    expect(Object.keys(await cache.tree(at('tree'), ['sub', 'dangling']))).toEqual(['b']);
  });

  it('say when nothing is there', async () => {
    const cache = openDigestCache(at('none.json'), true);
    expect(await cache.digest(at('no-such-file'))).toBe('absent');
    expect((await failureOf(() => cache.tree(at('no-such-folder')))).code).toBe('A3S5002');
  });
});

describe('an input that is one file', () => {
  it('is what a link leads to, so that its content counts', async () => {
    const cache = await openDigestCache(at('input.json'), true);
    writeFileSync(at('target'), 'one');
    symlinkSync('target', at('link'));
    expect(await cache.file(at('link'))).toBe(sha256('one'));
    writeFileSync(at('target'), 'other');
    expect(await cache.file(at('link'))).toBe(sha256('other'));
    expect(await cache.file(at('nowhere'))).toBe('absent');
  });

  it.each(['/dev/zero', folder.path])('is no device and no folder: %s', async (path) => {
    const cache = await openDigestCache(at('input.json'), true);
    expect((await failureOf(() => cache.file(path))).code).toBe('A3S5002');
  });
});
