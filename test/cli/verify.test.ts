import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../pipeline/index.ts';
import type { FirmwarePins } from '../../pipeline/plan/pins.ts';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import { makeElf } from '../binary/make-elf.ts';
import { runCli } from '../helpers/cli.ts';
import { editJsonIn, flipBit, packSet, repack, replaceIn, setPins } from '../package/make-set.ts';
import { madeFiles, madeLock } from '../package/step-context.ts';

const ROOT = 'acme-libkrun-1.2.3.tgz';
const X64 = 'acme-libkrun-linux-x64-gnu-1.2.3.tgz';
const ARM64 = 'acme-libkrun-linux-arm64-gnu-1.2.3.tgz';
const MAC = 'acme-libkrun-darwin-arm64-1.2.3.tgz';
const ALL = ['linux-x64', 'linux-arm64', 'darwin-arm64'] as const;
const FIRMWARE = TARGETS['linux-x64'].firmwareFile;

/** Of the sources that the committed pins name. */
const DIGESTS = {
  'https://github.com/containers/libkrunfw/tree/v5.6.1': `git:${'0'.repeat(40)}`,
  'https://cdn.kernel.org/pub/linux/kernel/v6.x/linux-6.12.98.tar.xz': `sha256:${'0'.repeat(64)}`,
};

let parent = '';
let good = '';
let project = '';

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'verify é '));
  good = join(parent, 'good');
  project = join(parent, 'project');
  await mkdir(good);
  await packSet(good, ALL);
  await mkdir(join(project, 'vendor'), { recursive: true });
  await mkdir(join(project, 'generated'));
  await writeFile(join(project, 'package.json'), '{ "name": "p" }');
  await writeFile(join(project, 'vendor/libkrunfw.json'), await setPins());
  await writeFile(join(project, 'generated/abi.json'), madeLock(['krun_create_ctx', 'krun_free_ctx']));
}, 60_000);
afterAll(() => rm(parent, { recursive: true, force: true }));

async function copyOf(change?: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = await mkdtemp(join(parent, 'set-'));
  await cp(good, folder, { recursive: true });
  await change?.(folder);
  return folder;
}

const cli = (...args: readonly string[]) => runCli(['verify', ...args], { cwd: project });
const integrityOf = async (file: string) =>
  `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;

/** Writes the digests of a folder's tarballs into its root package, as whoever forges a set would. */
async function recordAgain(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (file === ROOT) continue;
    const [bytes, integrity] = [await readFile(join(folder, file)), await integrityOf(join(folder, file))];
    await editJsonIn(join(folder, ROOT), 'integrity.json', (record: { packages: Record<string, object> }) => {
      const name = `@acme/${file.slice('acme-'.length, -'-1.2.3.tgz'.length)}`;
      record.packages[name] = { version: '1.2.3', integrity, size: bytes.length };
    });
  }
}

/** A guest kernel of the forger's, with a versions.json that agrees with it. */
async function forge(folder: string): Promise<void> {
  const kernel = Buffer.from(madeFiles()[`prefix/prefix/lib/${FIRMWARE}`] ?? '');
  kernel.write('evil', kernel.indexOf('code'), 'latin1');
  await replaceIn(join(folder, X64), `lib/${FIRMWARE}`, () => kernel);
  await editJsonIn(join(folder, X64), 'versions.json', (told: { libkrunfw: { sha256: string } }) => {
    told.libkrunfw.sha256 = createHash('sha256').update(kernel).digest('hex');
  });
}

type Bad = [name: string, exit: number, code: string, words: RegExp, change: (folder: string) => Promise<unknown>];
const BAD: Bad[] = [
  [
    'a package that is missing',
    2,
    'A3S4003',
    /@acme\/libkrun-darwin-arm64: missing: .* names it/,
    (folder) => rm(join(folder, MAC)),
  ],
  ['no root package', 2, 'A3S4003', /root package: root: there is none/, (folder) => rm(join(folder, ROOT))],
  [
    'one flipped bit',
    65,
    'A3S4002',
    /linux-arm64-gnu-1\.2\.3\.tgz: archive: /,
    (folder) => flipBit(join(folder, ARM64)),
  ],
  [
    'a tarball that was packed anew',
    65,
    'A3S4002',
    /darwin-arm64-1\.2\.3\.tgz: integrity: it has sha512-.* the root package records sha512-/,
    (folder) => replaceIn(join(folder, MAC), 'LICENSE', () => 'another licence\n'),
  ],
  [
    'a forged kernel with a versions.json and a record that agree with it',
    65,
    'A3S4002',
    /linux-x64-gnu-1\.2\.3\.tgz: pin: libkrunfw\.so\.5 is not the pinned one/,
    async (folder) => {
      await forge(folder);
      await recordAgain(folder);
    },
  ],
  [
    'an extra package',
    2,
    'A3S4003',
    /acme-other-1\.2\.3\.tgz: extra: @acme\/other is a second root package|acme-libkrun-1\.2\.3\.tgz: extra/,
    (folder) =>
      repack(
        join(folder, ROOT),
        (files) => {
          const manifest = files.get('package/package.json');
          if (manifest !== undefined)
            files.set('package/package.json', {
              ...manifest,
              content: Buffer.from('{"name":"@acme/other","version":"1.2.3"}'),
            });
        },
        join(folder, 'acme-other-1.2.3.tgz'),
      ),
  ],
  [
    'the same package twice',
    2,
    'A3S4003',
    /copy\.tgz: extra: there is a second package @acme\/libkrun-linux-x64-gnu/,
    (folder) => cp(join(folder, X64), join(folder, 'copy.tgz')),
  ],
  [
    'a package that the root does not name',
    2,
    'A3S4003',
    /darwin-arm64-1\.2\.3\.tgz: extra: @acme\/libkrun 1\.2\.3 does not name @acme\/libkrun-darwin-arm64/,
    async (folder) => {
      const other = await mkdtemp(join(parent, 'two-'));
      await packSet(other, ['linux-x64', 'linux-arm64']);
      await cp(join(other, ROOT), join(folder, ROOT));
    },
  ],
  [
    'packages of two releases',
    2,
    'A3S4003',
    /1\.2\.4\.tgz: name: it is version 1\.2\.4, the root package 1\.2\.3/,
    async (folder) => {
      const other = await mkdtemp(join(parent, 'next-'));
      await packSet(other, ['linux-arm64'], { version: '1.2.4' });
      await rm(join(folder, ARM64));
      await cp(join(other, ARM64.replace('1.2.3', '1.2.4')), join(folder, ARM64.replace('1.2.3', '1.2.4')));
    },
  ],
  [
    'a stub',
    2,
    'A3S4003',
    /stub: a stub cannot be released: it is marked as a stub/,
    (folder) =>
      editJsonIn(join(folder, ROOT), 'package.json', (manifest: Record<string, unknown>) => {
        Object.assign(manifest, { stub: true, private: true });
      }),
  ],
  [
    'a guest kernel for another processor, recorded as if it were right',
    65,
    'A3S4002',
    /linux-x64-gnu-1\.2\.3\.tgz: binaries: package\/lib\/libkrunfw\.so\.5: machine: machine is 'aarch64'/,
    async (folder) => {
      const arm64 = madeFiles(TARGETS['linux-arm64'])[`prefix/prefix/lib/${FIRMWARE}`] ?? Buffer.alloc(0);
      await replaceIn(join(folder, X64), `lib/${FIRMWARE}`, () => arm64);
      await recordAgain(folder);
    },
  ],
  [
    'a libkrun that lacks a function of the header, recorded as if it were right',
    2,
    'A3S4003',
    /exports: does not export krun_create_ctx, krun_free_ctx/,
    async (folder) => {
      const library = makeElf({ soname: 'libkrun.so.1', runpath: '$ORIGIN' });
      await replaceIn(join(folder, X64), 'lib/libkrun.so.1', () => library);
      await recordAgain(folder);
    },
  ],
  [
    'a mode that was lost, recorded as if it were right',
    2,
    'A3S4003',
    /modes: package\/bin\/krun-launcher has mode 0644 instead of 0755/,
    async (folder) => {
      await repack(join(folder, X64), (files) => {
        for (const [path, file] of files) files.set(path, { ...file, mode: 0o644 });
      });
      await recordAgain(folder);
    },
  ],
  [
    'a SOURCE.md that says something else',
    2,
    'A3S4003',
    /texts: SOURCE\.md does not say what versions\.json holds/,
    async (folder) => {
      await replaceIn(join(folder, X64), 'SOURCE.md', () => 'Ask somebody.\n');
      await recordAgain(folder);
    },
  ],
  [
    'a home folder of the build machine',
    2,
    'A3S4003',
    /paths: package\/THIRD-PARTY-NOTICES\.md holds \/home\//,
    async (folder) => {
      await replaceIn(join(folder, X64), 'THIRD-PARTY-NOTICES.md', (text) => `${text}/home/somebody/x\n`);
      await recordAgain(folder);
    },
  ],
  [
    'another licence under the name of one',
    2,
    'A3S4003',
    /texts: licenses\/GPL-2\.0-only\.txt is not that licence's text/,
    async (folder) => {
      await replaceIn(join(folder, X64), 'licenses/GPL-2.0-only.txt', () => 'Do what you want.\n');
      await recordAgain(folder);
    },
  ],
  [
    'a platform that a loader would not find',
    2,
    'A3S4003',
    /root: platform\.cjs does not name these packages/,
    (folder) => replaceIn(join(folder, ROOT), 'platform.cjs', () => 'module.exports = {};\n'),
  ],
  [
    'no record of digests',
    65,
    'A3S4002',
    /integrity\.json has no digest of @acme\/libkrun-linux-x64-gnu/,
    (folder) =>
      editJsonIn(join(folder, ROOT), 'integrity.json', (record: { packages: Record<string, unknown> }) => {
        delete record.packages['@acme/libkrun-linux-x64-gnu'];
      }),
  ],
  [
    'names with control characters, which are made visible',
    2,
    'A3S4003',
    /files: package\/\\u\{1b\}\[2J does not belong here/,
    async (folder) => {
      await repack(join(folder, X64), (files) => {
        files.set('x', { path: 'package/\u001b[2J', type: 'File', mode: 0o644, content: Buffer.from('x') });
      });
      await recordAgain(folder);
    },
  ],
  [
    'a tarball under another name',
    2,
    'A3S4003',
    /renamed\.tgz: name: it holds what npm calls acme-libkrun-darwin-arm64-1\.2\.3\.tgz/,
    (folder) => rename(join(folder, MAC), join(folder, 'renamed.tgz')),
  ],
  [
    'what is no package',
    2,
    'A3S4003',
    /x\.tgz: manifest: it is no npm package/,
    (folder) =>
      repack(
        join(folder, MAC),
        (files) => {
          files.delete('package/package.json');
        },
        join(folder, 'x.tgz'),
      ),
  ],
];

describe('a3s-build verify', () => {
  it('takes a set of three platforms, and says what each package is', async () => {
    const result = await cli(good);
    expect(result.stderr).toContain(`--expect ${await integrityOf(join(good, ROOT))}`);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toMatch(/^@acme\/libkrun-darwin-arm64 1\.2\.3 +[\d.]+ kB +macOS 14\.0$/m);
    expect(result.stdout).toMatch(/^@acme\/libkrun-linux-arm64-gnu 1\.2\.3 +[\d.]+ kB +glibc 2\.34$/m);
  });

  it.each(BAD)('refuses %s', async (_name, exit, code, words, change) => {
    const folder = await copyOf(change);
    const result = await verify({ folder, cwd: project, variables: {} });
    expect(result).toMatchObject({ ok: false, error: { code, exit } });
    if (result.ok) return;
    expect(result.error.message).toMatch(words);
    expect(result.report?.findings.length).toBeGreaterThan(0);
  });

  it('takes the root package whose digest is known, and no other', async () => {
    const expected = await integrityOf(join(good, ROOT));
    const anchored = await cli(good, '--expect', expected);
    expect(anchored.stderr).toContain('verified against the root package that was expected');
    expect(anchored.code).toBe(0);
    // Forged through and through: kernel, versions.json, pins' own check apart, and the record in the root package.
    const folder = await copyOf(async (forged) => {
      await replaceIn(join(forged, X64), 'THIRD-PARTY-NOTICES.md', (text) => `${text}One more line.\n`);
      await recordAgain(forged);
    });
    expect((await cli(folder)).code).toBe(0);
    const refused = await cli(folder, '--expect', expected);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toMatch(/acme-libkrun-1\.2\.3\.tgz: expect: it has sha512-.* was expected/);
    expect(refused.stderr).toContain('A3S4002');
  });

  it.each(['v1.2.3', '1.2.3'])('takes packages of the release %s', async (release) => {
    expect((await cli(good, '--release', release)).code).toBe(0);
  });

  it('refuses packages of another version than the release', async () => {
    const refused = await cli(good, '--release', 'v1.2.4');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/acme-libkrun-1\.2\.3\.tgz: release: it is version 1\.2\.3 .*, not 1\.2\.4/);
    expect(refused.stderr).toContain('A3S4003');
  });

  it('refuses to publish what nobody can name the source of', async () => {
    const refused = await cli(good, '--publish');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/source: unknown: digest of https:\/\/cdn\.kernel\.org\//);
    expect(refused.stderr).toContain('A3S4004');
  });

  it('lets a set be published whose sources somebody looked at', async () => {
    const known = join(parent, 'known');
    await mkdir(join(known, 'vendor'), { recursive: true });
    await mkdir(join(known, 'generated'));
    await writeFile(join(known, 'package.json'), '{ "name": "p" }');
    await writeFile(join(known, 'vendor/libkrunfw.json'), await setPins(DIGESTS));
    await writeFile(join(known, 'generated/abi.json'), madeLock(['krun_create_ctx', 'krun_free_ctx']));
    const folder = await mkdtemp(join(parent, 'known-'));
    const firmware = JSON.parse(await setPins(DIGESTS)) as FirmwarePins;
    await packSet(folder, ALL, { firmware });
    const outcome = await verify({ folder, cwd: known, variables: {}, publish: true });
    expect(outcome).toMatchObject({ ok: true, report: { findings: [] } });
  });

  it('tells machines the same', async () => {
    const result = await cli(await copyOf((folder) => rm(join(folder, MAC))), '--json');
    expect(result.code).toBe(2);
    expect(JSON.parse(result.stdout)).toMatchObject({
      ok: false,
      anchored: false,
      packages: [{ target: 'linux-arm64' }, { target: 'linux-x64' }, { name: '@acme/libkrun', target: null }],
      findings: [{ where: '@acme/libkrun-darwin-arm64', check: 'missing' }],
    });
  });

  it.each([
    ['a folder that is not there', 'A3S4005', ['nowhere']],
    ['a folder without tarballs', 'A3S4005', ['.']],
    ['a digest that is none', 'A3S1001', ['.', '--expect', 'sha256-x']],
    ['a release that is no version', 'A3S1001', ['.', '--release', 'main']],
  ])('exits 64 for %s', async (_name, code, args) => {
    const result = await cli(...args);
    expect(result.code).toBe(64);
    expect(result.stderr).toContain(code);
  });
});
