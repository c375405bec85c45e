import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  copyFileWhole,
  diskError,
  hashFile,
  listTree,
  readTextIfThere,
  syncFile,
  withDiskErrors,
  writeFileWhole,
} from '../../pipeline/effects/files.ts';
import { download } from '../../pipeline/effects/http.ts';
import { makeFolder } from '../helpers/session.ts';
import { PRIVILEGED, withSmallDisk } from '../helpers/small-disk.ts';
import { failureAsNobody } from './as-nobody.ts';
import { failureOf } from './failure.ts';
import { file, serve } from './servers.ts';

const folder = makeFolder('files');
afterAll(folder.remove);

const at = (...parts: string[]): string => join(folder.path, ...parts);

describe('whole files', () => {
  it('are written and copied with the mode asked for, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      await writeFileWhole(at('new/deep/file'), 'content', 0o755);
      await copyFileWhole(at('new/deep/file'), at('copy'), 0o644);
    } finally {
      process.umask(before);
    }
    expect(statSync(at('new/deep/file')).mode & 0o777).toBe(0o755);
    expect(statSync(at('copy')).mode & 0o777).toBe(0o644);
    expect(await readTextIfThere(at('copy'))).toBe('content');
    expect(await hashFile(at('copy'))).toMatch(/^ed7002b439e9ac84/);
    await syncFile(at('copy'));
  });

  it('keep their old content and leave no other file when the new one cannot be put in place', async () => {
    mkdirSync(at('taken/by-a-folder'), { recursive: true });
    for (const write of [
      () => writeFileWhole(at('taken/by-a-folder'), 'x'),
      () => copyFileWhole(at('copy'), at('taken/by-a-folder'), 0o644),
      () => copyFileWhole(at('no-such-file'), at('taken/new'), 0o644),
    ]) {
      expect((await failureOf(write)).code).toBe('A3S5002');
    }
    expect(readdirSync(at('taken'))).toEqual(['by-a-folder']);
  });

  it('replace a link, not what it points at', async () => {
    writeFileSync(at('target'), 'target');
    symlinkSync('target', at('link'));
    await writeFileWhole(at('link'), 'new');
    expect([readFileSync(at('target'), 'utf8'), readFileSync(at('link'), 'utf8')]).toEqual(['target', 'new']);
  });
});

describe.runIf(PRIVILEGED)('a full disk', () => {
  it('is reported, and takes nothing away of what was there', async () => {
    await withSmallDisk('size=64k', async (disk) => {
      const path = join(disk, 'file');
      await writeFileWhole(path, 'old');
      const { code, exit, message, where } = await failureOf(() => writeFileWhole(path, Buffer.alloc(100_000)));
      expect({ code, exit, where }).toEqual({ code: 'A3S5001', exit: 74, where: { file: path } });
      expect(message).toContain('no space left');
      const large = at('large');
      writeFileSync(large, Buffer.alloc(100_000));
      expect((await failureOf(() => copyFileWhole(large, join(disk, 'copy'), 0o644))).code).toBe('A3S5001');
      expect(readdirSync(disk)).toEqual(['file']);
      expect(readFileSync(path, 'utf8')).toBe('old');
    });
  });

  it('ends a download with that reason, and what came in is kept for the next run', async () => {
    const body = Buffer.alloc(200_000, 'x');
    const server = await serve(file(body));
    await withSmallDisk('size=64k', async (disk) => {
      const partial = join(disk, 'partial');
      const wanted = { url: server.url, size: body.length, sizeLimit: body.length, partial, network: {} };
      expect((await failureOf(() => download(wanted))).code).toBe('A3S5001');
      expect(server.requests).toHaveLength(1);
      expect(statSync(partial).size).toBeLessThanOrEqual(65_536);
    });
  });

  it('says so when it is inodes that are used up', async () => {
    await withSmallDisk('size=1m,nr_inodes=3', async (disk) => {
      const { code, message } = await failureOf(async () => {
        for (const name of ['a', 'b', 'c', 'd']) await writeFileWhole(join(disk, name), 'x');
      });
      expect(code).toBe('A3S5001');
      expect(message).toContain('inode');
    });
  });
});

describe.runIf(PRIVILEGED)('refused access', () => {
  it('to a folder and to a file is reported', async () => {
    chmodSync(folder.path, 0o755);
    mkdirSync(at('mine'), { mode: 0o755 });
    writeFileSync(at('mine/secret'), 'x', { mode: 0o600 });
    const files = 'pipeline/effects/files.ts';
    const refused = { code: 'A3S5002', exit: 74, message: expect.stringMatching(/EACCES.*mine/) };
    expect(await failureAsNobody(files, 'writeFileWhole', [at('mine/new'), 'x'])).toEqual(refused);
    expect(await failureAsNobody(files, 'readTextIfThere', [at('mine/secret')])).toEqual(refused);
    expect(await failureAsNobody(files, 'hashFile', [at('mine/secret')])).toEqual(refused);
    expect(await failureAsNobody(files, 'readTextIfThere', [at('mine/absent')])).toBe('no failure');
    expect(existsSync(at('mine/new'))).toBe(false);
  });
});

describe('system errors', () => {
  it('get a code, and others pass as they came', async () => {
    const own = new Error('not of the system');
    expect(diskError('/x', own)).toBe(own);
    await expect(withDiskErrors('/x', () => Promise.reject(own))).rejects.toBe(own);
    const quota = Object.assign(new Error('EDQUOT: quota'), { code: 'EDQUOT', syscall: 'write' });
    expect(diskError('/x', quota)).toMatchObject({ code: 'A3S5001', cause: quota });
    expect(diskError('/x', Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fsync' }))).toMatchObject({
      code: 'A3S5002',
      failure: { where: { file: '/x' } },
    });
  });

  it('of a file that is not there mean no text, and of a folder a failure', async () => {
    writeFileSync(at('plain'), '');
    expect(await readTextIfThere(at('nothing'))).toBeUndefined();
    expect(await readTextIfThere(at('plain/below'))).toBeUndefined();
    expect((await failureOf(() => readTextIfThere(folder.path))).code).toBe('A3S5002');
  });
});

describe('listTree', () => {
  it('lists files and links by path, less what is excluded, and follows no link', () => {
    mkdirSync(at('tree/b/deep'), { recursive: true });
    for (const path of ['tree/b/deep/z', 'tree/b.txt', 'tree/a']) writeFileSync(at(path), '');
    symlinkSync('..', at('tree/up'));
    expect(listTree(at('tree'))).toEqual([
      { path: 'a', kind: 'file' },
      { path: 'b.txt', kind: 'file' },
      { path: 'b/deep/z', kind: 'file' },
      { path: 'up', kind: 'link' },
    ]);
    expect(listTree(at('tree'), ['b', 'up']).map(({ path }) => path)).toEqual(['a', 'b.txt']);
  });

  it('refuses what no source tree has', async () => {
    mkdirSync(at('odd'));
    const server = createServer().listen(at('odd/socket'));
    await once(server, 'listening');
    const { code, message } = await failureOf(() => listTree(at('odd')));
    server.close();
    expect(code).toBe('A3S5002');
    expect(message).toContain('odd/socket');
  });
});
