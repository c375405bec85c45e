import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { extractMember, extractTree, packTarball, readArchive } from '../../pipeline/effects/archive.ts';
import { listTree } from '../../pipeline/effects/files.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';
import { TAR_END, type TarEntry, tar, tarEntry, tarGz } from './make-tar.ts';

const folder = makeFolder('archive');
afterAll(folder.remove);

const LIMITS = { bytes: 1_000_000, entries: 100 };
const SOUND: TarEntry = { path: 'first', content: 'sound' };

function fresh(): string {
  return join(folder.path, randomBytes(8).toString('hex'));
}

function archiveOf(bytes: Buffer): string {
  const path = fresh();
  writeFileSync(path, bytes);
  return path;
}

/** Unpacks, expects a refusal and an empty disk, and returns the message. */
async function refusal(bytes: Buffer, limits = LIMITS): Promise<string> {
  const to = fresh();
  const { code, exit, message } = await failureOf(() => extractTree(archiveOf(bytes), to, limits));
  expect({ code, exit }).toEqual({ code: 'A3S2004', exit: 65 });
  expect(existsSync(to)).toBe(false);
  return message;
}

describe('extractTree', () => {
  it('unpacks files, folders and links that stay inside', async () => {
    const to = fresh();
    const entries: TarEntry[] = [
      { path: './', type: '5' },
      { path: 'libkrun/', type: '5' },
      { path: 'libkrun/src/a.rs', content: 'fn a() {}' },
      { path: 'libkrun/src/', type: '5' },
      { path: './libkrun/build.sh', content: '#!/bin/sh', mode: 0o775 },
      { path: 'libkrun/src/b.rs', type: '2', linkpath: 'a.rs' },
      { path: 'libkrun/src/up', type: '2', linkpath: '../build.sh' },
      { path: `libkrun/${'n'.repeat(200)}`, content: 'long name' },
      { path: 'libkrun/..file', type: '2', linkpath: 'src/a.rs' },
    ];
    await extractTree(archiveOf(tar(...entries)), to, LIMITS);
    expect(readFileSync(join(to, 'libkrun/src/a.rs'), 'utf8')).toBe('fn a() {}');
    expect(readlinkSync(join(to, 'libkrun/src/b.rs'))).toBe('a.rs');
    expect(readFileSync(join(to, 'libkrun/src/up'), 'utf8')).toBe('#!/bin/sh');
    expect(readFileSync(join(to, 'libkrun', 'n'.repeat(200)), 'utf8')).toBe('long name');
  });

  it('gives files our owner and modes 0755 or 0644, whatever the archive says', async () => {
    const to = fresh();
    const modes = [0o4755, 0o2644, 0o1777, 0o600, 0];
    const entries = modes.map((mode): TarEntry => ({ path: `m${mode.toString(8)}`, mode, uid: 12_345, content: 'x' }));
    await extractTree(archiveOf(tarGz(...entries)), to, LIMITS);
    const stats = modes.map((mode) => statSync(join(to, `m${mode.toString(8)}`)));
    expect(stats.map(({ mode }) => mode & 0o7777)).toEqual([0o755, 0o644, 0o755, 0o644, 0o644]);
    expect(new Set(stats.map(({ uid }) => uid))).toEqual(new Set([process.getuid?.()]));
  });

  it.each<[string, TarEntry[]]>([
    ['a path that climbs', [{ path: '../out', content: 'x' }]],
    ['a path that climbs in its middle', [{ path: 'a/../../out', content: 'x' }]],
    ['an absolute path', [{ path: '/tmp/out', content: 'x' }]],
    ['an absolute link', [{ path: 'link', type: '2', linkpath: '/etc/passwd' }]],
    ['a link that climbs out', [{ path: 'a/link', type: '2', linkpath: '../../out' }]],
    ['a link to nowhere', [{ path: 'a/link', type: '2', linkpath: 'b\nc' }]],
    [
      'an entry below a link',
      [
        { path: 'a/b/', type: '5' },
        { path: 'link', type: '2', linkpath: 'a/b' },
        { path: 'link/file', content: 'x' },
      ],
    ],
    [
      'a link that takes the place of a folder',
      [
        { path: 'a/file', content: 'x' },
        { path: 'a', type: '2', linkpath: 'b' },
      ],
    ],
    [
      'a chain of links that climbs where another has led',
      [
        { path: 'a/b/c/root', type: '2', linkpath: '../../..' },
        { path: 'out', type: '2', linkpath: 'a/b/c/root/../../x' },
      ],
    ],
    ['a hard link', [SOUND, { path: 'hard', type: '1', linkpath: 'first' }]],
    ['a hard link out', [{ path: 'hard', type: '1', linkpath: '/etc/passwd' }]],
    ['a character device', [{ path: 'null', type: '3' }]],
    ['a block device', [{ path: 'disk', type: '4' }]],
    ['a FIFO', [{ path: 'pipe', type: '6' }]],
    ['an unknown type', [{ path: 'what', type: 'Z', content: 'x' }]],
    ['a sparse file', [{ path: 'sparse', type: 'S', content: 'x' }]],
    ['the same name twice', [SOUND, SOUND]],
    ['the same name twice, spelled otherwise', [SOUND, { path: './first', content: 'x' }]],
    ['the same folder twice', Array(2).fill({ path: 'a/', type: '5' })],
    [
      'names that differ in case',
      [
        { path: 'readme', content: 'a' },
        { path: 'README', content: 'b' },
      ],
    ],
    [
      'folders that differ in case',
      [
        { path: 'lib/a', content: 'a' },
        { path: 'LIB/b', content: 'b' },
      ],
    ],
    [
      'names that differ in Unicode form',
      [
        { path: 'caf\u00e9', content: 'a' },
        { path: 'cafe\u0301', content: 'b' },
      ],
    ],
    ['a newline in a name', [{ path: 'a\nb', content: 'x' }]],
    ['an escape sequence in a name', [{ path: 'a\x1b[2Jb', content: 'x' }]],
    ['a backslash in a name', [{ path: 'a\\..\\b', content: 'x' }]],
    ['a name that reads as an option', [{ path: 'a/-rf', content: 'x' }]],
    ['a name of 300 bytes', [{ path: 'n'.repeat(300), content: 'x' }]],
    ['a name of 150 letters and 300 bytes', [{ path: 'é'.repeat(150), content: 'x' }]],
    ['a path of 2000 folders', [{ path: `${'d/'.repeat(2000)}f`, content: 'x' }]],
  ])('refuses %s, and writes nothing of what stood before it', async (_name, entries) => {
    const message = await refusal(tar({ path: 'before', content: 'x' }, ...entries));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no hostile name may reach the terminal
    expect(message).not.toMatch(/[\u0000-\u001f]/);
    expect(message.length).toBeLessThan(600);
  });

  it('refuses a header whose checksum is wrong', async () => {
    const bytes = tar(SOUND, { path: 'second', content: 'x' });
    bytes[1024] = 0x7a;
    expect(await refusal(bytes)).toContain('checksum');
  });

  it.each([
    ['gzip data cut short', tarGz(SOUND, { path: 'noise', content: randomBytes(5000) }).subarray(0, -2000)],
    ['no end', tarEntry(SOUND)],
    ['half an end', Buffer.concat([tarEntry(SOUND), Buffer.alloc(512)])],
    ['an end in the middle of a block', Buffer.concat([tarEntry(SOUND), Buffer.alloc(700)])],
    ['an entry cut short', tarEntry({ path: 'cut', content: 'x', size: 9999 })],
    ['an entry behind the end', Buffer.concat([tar(SOUND), tar({ path: 'behind', content: 'x' })])],
    ['a second gzip member with an archive', Buffer.concat([tarGz(SOUND), tarGz({ path: 'behind', content: 'x' })])],
    ['junk behind the gzip data', Buffer.concat([tarGz(SOUND), Buffer.from('junk')])],
    ['much junk behind the gzip data', Buffer.concat([tarGz(SOUND), randomBytes(300_000).fill(7)])],
    ['an archive packed twice', gzipSync(tarGz(SOUND))],
    ['an HTML page', Buffer.from('<!doctype html>'.repeat(100))],
    ['nothing', Buffer.alloc(0)],
    ['half an end before an entry', Buffer.concat([Buffer.alloc(512), tarEntry(SOUND), TAR_END])],
  ])('refuses %s', async (_name, bytes) => {
    await refusal(bytes);
  });

  it('goes on in a second gzip member where the first has no end', async () => {
    const to = fresh();
    const rest = Buffer.concat([tarEntry({ path: 'second', content: 'two' }), TAR_END]);
    await extractTree(archiveOf(Buffer.concat([gzipSync(tarEntry(SOUND)), gzipSync(rest)])), to, LIMITS);
    expect(listTree(to).map(({ path }) => path)).toEqual(['first', 'second']);
  });

  it.each([
    ['450 to 1', Buffer.alloc(20_000_000)],
    ['1000 to 1', Buffer.alloc(60_000_000)],
  ])('stops a bomb of %s at the limit of bytes', async (_name, content) => {
    const bytes = tarGz({ path: 'bomb', content });
    expect(content.length / bytes.length).toBeGreaterThan(450);
    expect(await refusal(bytes)).toContain('more than');
  });

  it('stops a bomb behind the end, and one in a header', async () => {
    expect(await refusal(gzipSync(Buffer.concat([tar(SOUND), Buffer.alloc(20_000_000)])))).toContain('unpacks to more');
    const header = { path: 'PaxHeader', type: 'x', content: Buffer.alloc(3_000_000, 'a') };
    await refusal(tarGz(header, SOUND));
  });

  it('counts entries', async () => {
    const many = Array.from({ length: 101 }, (_, index): TarEntry => ({ path: `f${index}` }));
    expect(await refusal(tar(...many))).toContain('100 entries');
  });
});

describe('extractMember', () => {
  const member = 'package/lib/kernel';

  it('takes one file, mode 0644', async () => {
    const to = fresh();
    const content = randomBytes(200_000);
    await extractMember(archiveOf(tarGz(SOUND, { path: member, content, mode: 0o755 })), member, to, content.length);
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(statSync(to).mode & 0o7777).toBe(0o644);
  });

  it.each<[string, Buffer]>([
    ['it is not there', tarGz(SOUND)],
    ['it is there twice', tarGz({ path: member, content: 'a' }, { path: member, content: 'b' })],
    ['it is too large', tarGz({ path: member, content: Buffer.alloc(1001) })],
    ['it is a link', tarGz({ path: member, type: '2', linkpath: '/etc/passwd' })],
    ['it is a folder', tarGz({ path: member, type: '5' })],
    ['the archive is damaged behind it', gzipSync(tarEntry({ path: member, content: 'x' }))],
    ['it is cut short', tarGz({ path: member, content: randomBytes(1000) }).subarray(0, -600)],
  ])('refuses when %s, and leaves nothing', async (_name, bytes) => {
    const to = fresh();
    const { code } = await failureOf(() => extractMember(archiveOf(bytes), member, to, 1000));
    expect(code).toBe('A3S2004');
    expect(existsSync(to)).toBe(false);
  });

  it('reports a disk that refuses, and keeps a file that was there', async () => {
    const to = fresh();
    writeFileSync(to, 'mine');
    const archive = archiveOf(tarGz({ path: member, content: 'x' }));
    expect((await failureOf(() => extractMember(archive, member, to, 10))).code).toBe('A3S5002');
    expect(readFileSync(to, 'utf8')).toBe('mine');
    expect((await failureOf(() => extractMember(fresh(), member, fresh(), 10))).code).toBe('A3S5002');
  });

  it('takes its own file only', async () => {
    const to = fresh();
    await extractMember(archiveOf(tarGz({ path: '../escape', content: 'x' }, { path: member })), member, to, 10);
    expect(existsSync(join(folder.path, '../escape'))).toBe(false);
    expect(lstatSync(to).size).toBe(0);
  });
});

describe('packTarball', () => {
  const names = ['package/b.js', 'package/a.js', 'package/bin/tool'];
  const date = 499_162_500;

  async function pack(where: string, order: readonly string[], umask: number): Promise<Buffer> {
    const before = process.umask(umask);
    try {
      const entries = order.map((path) => {
        const file = join(where, path);
        mkdirSync(join(file, '..'), { recursive: true });
        writeFileSync(file, `content of ${path}`);
        return { path, file, mode: path.endsWith('tool') ? 0o755 : 0o644 } as const;
      });
      const to = join(where, 'out.tgz');
      await packTarball(entries, to, date);
      return readFileSync(to);
    } finally {
      process.umask(before);
    }
  }

  it('writes the same bytes from other folders, umasks and orders', async () => {
    const first = await pack(fresh(), names, 0o000);
    const second = await pack(fresh(), [...names].reverse(), 0o077);
    expect(first.equals(second)).toBe(true);
    expect([...first.subarray(4, 10)]).toEqual([0, 0, 0, 0, 0, 255]);
  });

  it('writes what readArchive and tar read back: sorted, modes as given, owner 0', async () => {
    const where = fresh();
    await pack(where, names, 0o022);
    const files = await readArchive(join(where, 'out.tgz'), LIMITS);
    expect(files.map(({ path, mode, type }) => [path, mode, type])).toEqual([
      ['package/a.js', 0o644, 'File'],
      ['package/b.js', 0o644, 'File'],
      ['package/bin/tool', 0o755, 'File'],
    ]);
    expect(files[0]?.content.toString()).toBe('content of package/a.js');
    const listing = spawnSync('tar', ['--numeric-owner', '--utc', '-tvzf', join(where, 'out.tgz')], {
      encoding: 'utf8',
    });
    expect(listing.status).toBe(0);
    expect(listing.stdout.split('\n')[2]).toMatch(/^-rwxr-xr-x 0\/0 .* 1985-10-26 08:15 package\/bin\/tool$/);
  });

  it('is refused by readArchive beyond its limits', async () => {
    const where = fresh();
    await pack(where, names, 0o022);
    const archive = join(where, 'out.tgz');
    expect((await failureOf(() => readArchive(archive, { bytes: 30, entries: 9 }))).code).toBe('A3S2004');
    expect((await failureOf(() => readArchive(archive, { bytes: 999, entries: 2 }))).code).toBe('A3S2004');
  });

  it('leaves no half archive when a file is missing or a name too long', async () => {
    const to = fresh();
    const file = archiveOf(Buffer.from('x'));
    await expect(
      failureOf(() => packTarball([{ path: 'a', file: fresh(), mode: 0o644 }], to, date)),
    ).resolves.toMatchObject({ code: 'A3S5002' });
    const long = { path: 'n'.repeat(300), file, mode: 0o644 } as const;
    expect((await failureOf(() => packTarball([long], to, date))).code).toBe('A3S2004');
    expect(existsSync(to)).toBe(false);
  });
});
