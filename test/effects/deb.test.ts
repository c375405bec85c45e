import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractDeb } from '../../pipeline/effects/deb.ts';
import { makeDeb, packTree } from '../helpers/deb.ts';
import { makeFolder } from '../helpers/session.ts';
import { failureOf } from './failure.ts';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder('deb');
});
afterEach(() => folder.remove());

const LIMITS = { bytes: 1_000_000, entries: 100 };

async function unpack(deb: Buffer, rules = {}, limits = LIMITS): Promise<string> {
  const file = join(folder.path, 'package.deb');
  writeFileSync(file, deb);
  const to = join(folder.path, 'unpacked');
  await extractDeb(file, to, limits, rules, folder.path);
  return to;
}

/** A tree with a file and links, as the data of a package. */
function tree(links: Readonly<Record<string, string>> = {}): string {
  const root = join(folder.path, 'tree');
  mkdirSync(join(root, 'usr/lib/gnu'), { recursive: true });
  mkdirSync(join(root, 'lib'), { recursive: true });
  writeFileSync(join(root, 'lib/libm.so.6'), 'library');
  for (const [path, to] of Object.entries(links)) symlinkSync(to, join(root, path));
  return root;
}

describe('a Debian package', () => {
  it.each(['data.tar.xz', 'data.tar.gz', 'data.tar'])('unpacks its %s', async (name) => {
    const to = await unpack(
      makeDeb({ 'debian-binary': '2.0\n', 'control.tar.xz': 'odd', [name]: packTree(tree(), name) }),
    );
    expect(readFileSync(join(to, 'lib/libm.so.6'), 'utf8')).toBe('library');
    expect(existsSync(join(folder.path, 'data.tar'))).toBe(false);
  });

  it('has links to the root made links inside what is unpacked, where that is asked for', async () => {
    const links = { 'usr/lib/gnu/libm.so': '/lib/libm.so.6', 'usr/top': '/lib', 'lib/near': 'libm.so.6' };
    const deb = makeDeb({ 'debian-binary': '2.0\n', 'data.tar.xz': packTree(tree(links), 'data.tar.xz') });
    const to = await unpack(deb, { absoluteLinks: 'inside' });
    expect(readlinkSync(join(to, 'usr/lib/gnu/libm.so'))).toBe('../../../lib/libm.so.6');
    expect(readlinkSync(join(to, 'usr/top'))).toBe('../lib');
    expect(readlinkSync(join(to, 'lib/near'))).toBe('libm.so.6');
    expect(readFileSync(join(to, 'usr/lib/gnu/libm.so'), 'utf8')).toBe('library');
  });

  it.each([
    ['/lib/../../etc/passwd', { absoluteLinks: 'inside' }],
    ['../../../../etc/passwd', { absoluteLinks: 'inside' }],
    ['/etc/passwd', {}],
  ])('may hold no link to %s', async (to, rules) => {
    const data = packTree(tree({ 'usr/lib/gnu/bad': to }), 'data.tar');
    const deb = makeDeb({ 'debian-binary': '2.0\n', 'data.tar': data });
    expect((await failureOf(() => unpack(deb, rules))).code).toBe('A3S2004');
    expect(existsSync(join(folder.path, 'unpacked'))).toBe(false);
  });

  it('leaves out what is not asked for, and judges only the rest', async () => {
    const root = tree({ 'usr/lib/gnu/bad': '/etc/passwd' });
    const deb = makeDeb({ 'debian-binary': '2.0\n', 'data.tar': packTree(root, 'data.tar') });
    const to = await unpack(deb, { exclude: ['usr/lib/gnu'] });
    expect([existsSync(join(to, 'lib/libm.so.6')), existsSync(join(to, 'usr/lib/gnu'))]).toEqual([true, false]);
  });

  const data = gzipSync(Buffer.alloc(1024));
  it.each([
    ['is no archive', Buffer.from('<html>')],
    ['is empty', Buffer.alloc(0)],
    ['has no version', makeDeb({ 'data.tar.gz': data })],
    ['has another version', makeDeb({ 'debian-binary': '3.0\n', 'data.tar.gz': data })],
    ['has no data', makeDeb({ 'debian-binary': '2.0\n' })],
    ['has data twice', makeDeb({ 'debian-binary': '2.0\n', 'data.tar.gz': data, 'data.tar': data })],
    ['is packed in an unknown way', makeDeb({ 'debian-binary': '2.0\n', 'data.tar.zst': data })],
    ['is cut off', makeDeb({ 'debian-binary': '2.0\n', 'data.tar.gz': data }).subarray(0, -10)],
    [
      'has damaged xz data',
      makeDeb({ 'debian-binary': '2.0\n', 'data.tar.xz': Buffer.from('\xfd7zXZ\0 damaged', 'latin1') }),
    ],
    ['has a size that is no number', Buffer.from(`!<arch>\n${'debian-binary'.padEnd(48)}${'-4'.padEnd(10)}\`\n2.0\n`)],
  ])('that %s is refused', async (_what, deb) => {
    expect((await failureOf(() => unpack(deb))).code).toBe('A3S2004');
  });

  it('may not unpack to more than the limit', async () => {
    const root = tree();
    writeFileSync(join(root, 'large'), Buffer.alloc(5_000_000));
    const deb = makeDeb({ 'debian-binary': '2.0\n', 'data.tar.xz': packTree(root, 'data.tar.xz') });
    const failed = await failureOf(() => unpack(deb, {}, { bytes: 100_000, entries: 10 }));
    expect(failed.code).toBe('A3S2004');
    expect(existsSync(join(folder.path, 'data.tar'))).toBe(false);
  });

  it('is read as dpkg-deb reads it', async () => {
    const root = tree({ 'usr/top': 'lib' });
    mkdirSync(join(root, 'DEBIAN'));
    const control = 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n';
    writeFileSync(join(root, 'DEBIAN/control'), control);
    const file = join(folder.path, 'made.deb');
    execFileSync('dpkg-deb', ['--build', '-Zxz', root, file], { stdio: 'ignore' });
    const to = await unpack(readFileSync(file));
    expect(readFileSync(join(to, 'lib/libm.so.6'), 'utf8')).toBe('library');
  });
});
