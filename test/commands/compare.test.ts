import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareFolders, runCompare } from '../../pipeline/commands/compare.ts';
import type { Depth } from '../../pipeline/commands/compare-tarballs.ts';
import { packTarball } from '../../pipeline/effects/archive.ts';
import { makeFolder } from '../helpers/session.ts';

const NAME = 'acme-vm-linux-x64-gnu-1.2.3.tgz';

let folder: ReturnType<typeof makeFolder>;
let tree: string;
beforeEach(async () => {
  folder = makeFolder('compare');
  tree = join(folder.path, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'package.json'), '{"name":"vm","main":"a","config":{"glibc":"2.34"}}');
  writeFileSync(join(tree, 'SOURCE.md'), 'one');
  library('int krun_one(void) { return 1; } int krun_two(void) { return 2; }', 'libkrun.so.1');
  await pack('one');
});
afterEach(() => folder.remove());

function library(code: string, soname: string): void {
  const args = ['-shared', '-fPIC', '-nostdlib', `-Wl,-soname,${soname}`, '-o', join(tree, 'lib.so'), '-xc', '-'];
  execFileSync('cc', args, { input: code });
}

/** Packs the tree as it is now into `<side>/`. */
async function pack(side: string, modes: Readonly<Record<string, 0o644 | 0o755>> = {}): Promise<void> {
  const names = ['SOURCE.md', 'lib.so', 'package.json'];
  const entries = names.map((name) => ({
    path: `package/${name}`,
    file: join(tree, name),
    mode: modes[name] ?? 0o644,
  }));
  await packTarball(entries, join(folder.path, side, NAME), 0);
}

const compare = (depth: Depth) =>
  compareFolders([join(folder.path, 'one'), join(folder.path, 'two')], depth, ['one', 'two']);

describe('compareFolders', () => {
  it('finds nothing between two packs of the same files', async () => {
    await pack('two');
    expect(await compare('bytes')).toBe(1);
    expect(await compare('layout')).toBe(1);
  });

  it('names the byte, the file and the tarball that differ', async () => {
    writeFileSync(join(tree, 'SOURCE.md'), 'ore and more');
    await pack('two');
    await expect(compare('bytes')).rejects.toMatchObject({
      code: 'A3S4023',
      message: `one and two differ:\n  ${NAME}: package/SOURCE.md: 3 and 12 bytes, different from byte 1`,
    });
    expect(await compare('layout')).toBe(1);
  });

  it('finds another mode, at either depth', async () => {
    await pack('two', { 'lib.so': 0o755 });
    for (const depth of ['bytes', 'layout'] as const) {
      await expect(compare(depth)).rejects.toThrow(`${NAME}: package/lib.so: mode 644 and 755`);
    }
  });

  it('holds two builds of one library against each other by their names and exports', async () => {
    library('int krun_two(void) { return 3; } int krun_one(void) { return 4; }', 'libkrun.so.1');
    await pack('two');
    expect(await compare('layout')).toBe(1);
    await expect(compare('bytes')).rejects.toMatchObject({ code: 'A3S4023' });
    library('int krun_one(void) { return 1; } int krun_new(void) { return 2; }', 'libkrun.so.2');
    await pack('two');
    await expect(compare('layout')).rejects.toThrow(
      [
        'package/lib.so: named libkrun.so.1 and libkrun.so.2 inside',
        'package/lib.so: exported by the first only: krun_two',
        'package/lib.so: exported by the second only: krun_new',
      ].join(`\n  ${NAME}: `),
    );
  });

  it('does not mind another measured glibc at the depth of the layout, but any other field', async () => {
    writeFileSync(join(tree, 'package.json'), '{"name":"vm","main":"a","config":{"glibc":"2.28"}}');
    await pack('two');
    expect(await compare('layout')).toBe(1);
    writeFileSync(join(tree, 'package.json'), '{"name":"vm","main":"b","os":["linux"]}');
    await pack('two');
    await expect(compare('layout')).rejects.toThrow('field "main" differs');
    await expect(compare('layout')).rejects.toThrow('field "os" differs');
  });

  it('tells the same files that were packed in another way', async () => {
    await pack('two');
    const path = join(folder.path, 'two', NAME);
    writeFileSync(path, gzipSync(gunzipSync(readFileSync(path)), { level: 1 }));
    await expect(compare('bytes')).rejects.toThrow('the same files, packed in another way');
    expect(await compare('layout')).toBe(1);
  });

  it('finds a tarball and a file on one side only', async () => {
    await pack('two');
    cpSync(join(folder.path, 'two', NAME), join(folder.path, 'two', 'more-1.2.3.tgz'));
    await expect(compare('bytes')).rejects.toThrow('more-1.2.3.tgz: only in two');
  });

  it('refuses a damaged tarball, a folder without any, and one that is not there', async () => {
    mkdirSync(join(folder.path, 'two'));
    await expect(compare('bytes')).rejects.toMatchObject({ code: 'A3S4024' });
    rmSync(join(folder.path, 'two'), { recursive: true });
    await expect(compare('bytes')).rejects.toMatchObject({ code: 'A3S5002' });
    await pack('two');
    chmodSync(join(folder.path, 'two', NAME), 0o644);
    appendFileSync(join(folder.path, 'two', NAME), 'rubbish');
    await expect(compare('bytes')).rejects.toMatchObject({ code: 'A3S2004' });
  });
});

describe('runCompare', () => {
  it('says how many tarballs are the same', async () => {
    await pack('two');
    let said = '';
    const stderr = { write: (text: string) => (said += text) } as unknown as NodeJS.WriteStream;
    await runCompare(['one', 'two'], 'bytes', { cwd: folder.path, variables: {} }, { stdout: process.stdout, stderr });
    expect(said).toBe('1 tarballs in each folder: the same, byte for byte\n');
  });
});
