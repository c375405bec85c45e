import { describe, expect, it } from 'vitest';
import type { ArchiveFile } from '../../pipeline/effects/archive.ts';
import {
  assertPackage,
  auditTarball,
  type PackedTarball,
  type TarballExpectation,
} from '../../pipeline/steps/package/audit.ts';
import { makeElf } from '../binary/make-elf.ts';

const MANIFEST = { name: '@acme/x', version: '1.2.3', config: { glibc: '2.34' } };
const LIBRARY = makeElf({
  soname: 'libx.so.1',
  needed: ['libc.so.6'],
  symbols: [{ name: 'memcpy', version: 0 }],
  versions: [{ library: 'libc.so.6', name: 'GLIBC_2.34' }],
});

const file = (path: string, content: string | Buffer, mode = 0o644, type = 'File'): ArchiveFile => ({
  path: `package/${path}`,
  type,
  mode,
  content: Buffer.from(content),
});

const FILES = [
  file('package.json', JSON.stringify(MANIFEST)),
  file('bin/tool', '#!/bin/sh\n', 0o755),
  file('lib/libx.so.1', LIBRARY),
];

const EXPECTED: TarballExpectation = {
  kind: 'platform',
  manifest: MANIFEST,
  modes: { 'package/package.json': 0o644, 'package/bin/tool': 0o755, 'package/lib/libx.so.1': 0o644 },
  binaries: {
    'package/lib/libx.so.1': { format: 'elf', soname: 'libx.so.1', needed: ['libc.so.6'], glibcLimit: '2.36' },
  },
  forbiddenText: ['/home/builder/'],
  sizeLimit: 1000,
};

const ROOT: TarballExpectation = { ...EXPECTED, kind: 'root' };
const STUB = { private: true, stub: true, version: '1.2.3-stub' };
const STUBS: TarballExpectation = { ...EXPECTED, kind: 'stub' };

const audit = (change: Partial<PackedTarball>, expected = EXPECTED) =>
  auditTarball({ files: FILES, size: 1000, ...change }, expected);

/** The good files with one replaced or added. */
const replaced = (...more: ArchiveFile[]): ArchiveFile[] => {
  const paths = more.map(({ path }) => path);
  return [...FILES.filter(({ path }) => !paths.includes(path)), ...more];
};
const manifest = (change: object): ArchiveFile[] =>
  replaced(file('package.json', JSON.stringify({ ...MANIFEST, ...change })));

type Case = [name: string, check: string, words: string, change: Partial<PackedTarball>, expected?: TarballExpectation];

const CASES: Case[] = [
  [
    'a file that is missing',
    'files',
    'package/bin/tool is missing',
    { files: FILES.filter(({ mode }) => mode !== 0o755) },
  ],
  ['a file that does not belong here', 'files', 'package/.npmrc', { files: replaced(file('.npmrc', 'x')) }],
  ['a file that is there twice', 'files', 'twice', { files: [...FILES, ...FILES.slice(1, 2)] }],
  ['a link', 'files', 'SymbolicLink', { files: replaced(file('bin/tool', 'x', 0o755, 'SymbolicLink')) }],
  ['an empty file', 'files', 'is empty', { files: replaced(file('bin/tool', '', 0o755)) }],
  ['a lost mode', 'modes', '0644 instead of 0755', { files: replaced(file('bin/tool', '#!/bin/sh\n', 0o644)) }],
  ['a wider mode', 'modes', '0666 instead of 0644', { files: replaced(file('lib/libx.so.1', LIBRARY, 0o666)) }],
  ['another package.json', 'manifest', 'not the one', { files: manifest({ version: '1.2.4' }) }],
  ['a damaged package.json', 'manifest', 'not valid JSON', { files: replaced(file('package.json', '{')) }],
  ['install scripts', 'manifest', 'has scripts', { files: manifest({ scripts: { install: 'x' } }) }],
  ['engines in a platform package', 'manifest', 'skipped by npm', { files: manifest({ engines: { node: '>=22' } }) }],
  ['a root without platforms', 'manifest', 'no platform package', {}, ROOT],
  [
    'a loose version',
    'manifest',
    'another version',
    { files: manifest({ optionalDependencies: { y: '^1.2.3' } }) },
    ROOT,
  ],
  [
    'another soname',
    'binaries',
    "soname is 'libx.so.1.0'",
    { files: replaced(file('lib/libx.so.1', makeElf({ soname: 'libx.so.1.0' }))) },
  ],
  ['a binary that is none', 'binaries', 'lib/libx.so.1', { files: replaced(file('lib/libx.so.1', '<html>')) }],
  ['a binary that nobody expects', 'binaries', 'nobody expects', { files: replaced(file('bin/tool', LIBRARY, 0o755)) }],
  [
    'a wrong floor',
    'floors',
    'states glibc 2.28, the binaries need 2.34',
    { files: manifest({ config: { glibc: '2.28' } }) },
  ],
  [
    'a folder of this machine',
    'paths',
    '/home/builder/',
    { files: replaced(file('bin/tool', 'cd /home/builder/x', 0o755)) },
  ],
  ['a private package', 'stub', 'it is private', { files: manifest({ private: true }) }],
  ['the mark of a stub', 'stub', 'marked as a stub', { files: manifest({ stub: true }) }],
  ['the version of a stub', 'stub', '1.2.3-stub', { files: manifest({ version: '1.2.3-stub' }) }],
  [
    'the version of a stub of a candidate',
    'stub',
    '1.2.3-rc.1.stub',
    { files: manifest({ version: '1.2.3-rc.1.stub' }) },
  ],
  ['the code of a stub', 'stub', 'holds stub.cjs', { files: replaced(file('stub.cjs', 'x')) }],
  [
    'a stub that could be published',
    'stub',
    'being published',
    { files: manifest({ ...STUB, private: false }) },
    STUBS,
  ],
  ['a stub that does not say so', 'stub', 'being published', { files: manifest({ ...STUB, stub: false }) }, STUBS],
  [
    'a stub in the version of a release',
    'stub',
    'being published',
    { files: manifest({ ...STUB, version: '1.2.3' }) },
    STUBS,
  ],
  ['too large a package', 'size', '0.0 MB packed', { size: 1001 }],
];

describe('auditTarball', () => {
  it('finds nothing in a good package', () => {
    expect(audit({})).toEqual([]);
    expect(audit({ files: manifest(STUB) }, { ...STUBS, manifest: { ...MANIFEST, ...STUB } })).toEqual([]);
    expect(audit({ files: manifest({ version: '1.2.3-stubborn' }) }).map(({ check }) => check)).not.toContain('stub');
  });

  it.each(CASES)('finds %s', (_name, check, words, change, expected) => {
    const findings = audit(change, expected);
    const found = findings.filter((finding) => finding.check === check).map(({ message }) => message);
    expect(found.join('\n')).toContain(words);
  });
});

describe('assertPackage', () => {
  it('names every check that failed', () => {
    expect(() => assertPackage([], 'x.tgz')).not.toThrow();
    expect(() => assertPackage(audit({ size: 1001 }), 'x.tgz')).toThrow(
      expect.objectContaining({ code: 'A3S4001', message: expect.stringContaining('size: ') }),
    );
  });
});
