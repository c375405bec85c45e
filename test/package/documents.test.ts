import { describe, expect, it } from 'vitest';
import { TARGETS } from '../../pipeline/plan/targets.ts';
import type { Contents } from '../../pipeline/steps/package/contents.ts';
import { licenseTexts, packageLicense } from '../../pipeline/steps/package/contents.ts';
import { platformManifest, rootManifest } from '../../pipeline/steps/package/manifests.ts';
import { exportedNames, tarballName } from '../../pipeline/steps/package/names.ts';
import { platformTable, rawModules } from '../../pipeline/steps/package/root-code.ts';
import { sbom } from '../../pipeline/steps/package/sbom.ts';
import { notices, readme, sourceNotice } from '../../pipeline/steps/package/texts.ts';
import { unknownSources, versions } from '../../pipeline/steps/package/versions.ts';

const CONTENTS: Contents = {
  name: '@acme/libkrun-linux-x64-gnu',
  version: '1.2.3',
  target: TARGETS['linux-x64'],
  tool: '0.1.0',
  date: 499162500,
  floors: { glibc: '2.34', macos: null },
  libkrun: {
    version: '1.17.0',
    license: 'Apache-2.0',
    features: ['net', 'blk'],
    crate: { name: 'a3s-libkrun-sys', version: '3.3.0', checksum: 'c0de' },
    correspondingSource: ['https://example.org/libkrun'],
  },
  firmware: {
    provider: 'npm',
    version: '5.6.1',
    kernel: '6.12.98',
    sha256: 'f00d',
    license: 'LGPL-2.1-only AND GPL-2.0-only',
    origins: [{ place: 'the npm package x 1.0.0', member: 'package/lib/x', digest: 'sha512-x' }],
    correspondingSource: [{ url: 'https://example.org/libkrunfw', digest: null }],
  },
  ownInit: true,
  crates: [
    { name: 'krun-launcher', version: '0.1.0', checksum: null, license: null, dependencies: ['libc@0.2.180'] },
    { name: 'libc', version: '0.2.180', checksum: 'c0ffee', license: 'MIT OR Apache-2.0', dependencies: [] },
    { name: 'libkrun', version: '1.17.0', checksum: null, license: null, dependencies: ['libc@0.2.180'] },
  ],
  linked: {
    rust: { version: '1.95.0', notices: 'Copyright notices of Rust' },
    crates: [
      {
        name: 'libc',
        version: '0.2.180',
        license: 'MIT OR Apache-2.0',
        authors: [],
        texts: [
          { file: 'LICENSE-APACHE', text: 'the  Apache\nlicence' },
          { file: 'LICENSE-MIT', text: 'Copyright (c) 2014 Somebody' },
        ],
      },
      {
        name: 'log',
        version: '0.4.0',
        license: 'MIT',
        authors: [],
        texts: [{ file: 'COPYING', text: 'Copyright (c) 2014\n  Somebody' }],
      },
      { name: 'napi', version: '3.0.0', license: 'MIT', authors: ['A B <a@b.c>'], texts: [] },
      { name: 'arch', version: '0.1.0', license: null, authors: [], texts: [] },
    ],
  },
};

const KNOWN = new Map([['Apache-2.0.txt', 'the Apache licence']]);

const OWN: Contents = {
  ...CONTENTS,
  ownInit: false,
  libkrun: { ...CONTENTS.libkrun, crate: null },
  firmware: {
    provider: 'A3S_LIBKRUNFW_DYLIB',
    version: null,
    kernel: null,
    sha256: 'f00d',
    license: null,
    origins: [],
    correspondingSource: [],
  },
};

const ARM: Contents = { ...CONTENTS, target: TARGETS['linux-arm64'] };

describe('platformManifest', () => {
  it('says which systems it is for, and nothing that npm would run or skip by', () => {
    const manifest = platformManifest(CONTENTS);
    expect(manifest).toMatchObject({
      name: '@acme/libkrun-linux-x64-gnu',
      version: '1.2.3',
      license: 'Apache-2.0 AND LGPL-2.1-only AND GPL-2.0-only',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['glibc'],
      preferUnplugged: true,
      config: { glibc: '2.34' },
      main: './libkrun.linux-x64-gnu.node',
    });
    for (const field of ['engines', 'scripts', 'exports', 'dependencies']) expect(manifest).not.toHaveProperty(field);
  });

  it('names the repository where the project does, as the root package', () => {
    const repository = 'https://github.com/acme/libkrun';
    const field = { type: 'git', url: `git+${repository}` };
    expect(platformManifest({ ...CONTENTS, repository })).toMatchObject({ repository: field });
    expect(rootManifest({ name: 'a', version: '1.2.3', targets: [], repository })).toMatchObject({ repository: field });
    expect(platformManifest(CONTENTS)).not.toHaveProperty('repository');
  });

  it('names no C library on macOS', () => {
    const manifest = platformManifest({
      ...CONTENTS,
      target: TARGETS['darwin-arm64'],
      floors: { glibc: null, macos: '14.0' },
    });
    expect(manifest).toMatchObject({ os: ['darwin'], cpu: ['arm64'] });
    expect(manifest).toHaveProperty('config', { macos: '14.0' });
    expect(manifest).not.toHaveProperty('libc');
  });
});

describe('rootManifest', () => {
  it('names exactly the packages that were packed, in exactly this version', () => {
    const one = rootManifest({ name: '@acme/libkrun', version: '1.2.3', targets: [TARGETS['linux-x64']] });
    expect(one['optionalDependencies']).toEqual({ '@acme/libkrun-linux-x64-gnu': '1.2.3' });
    const all = rootManifest({ name: '@acme/libkrun', version: '1.2.3', targets: Object.values(TARGETS) });
    expect(Object.keys(all['optionalDependencies'] as object)).toEqual([
      '@acme/libkrun-darwin-arm64',
      '@acme/libkrun-linux-arm64-gnu',
      '@acme/libkrun-linux-x64-gnu',
    ]);
    expect(one).toMatchObject({ engines: { node: '>=20.18.1' }, sideEffects: false, type: 'module' });
    expect(one).not.toHaveProperty('scripts');
  });
});

describe('names', () => {
  it('names tarballs as npm does', () => {
    expect(tarballName('@a3s-lab/libkrun', '1.2.3')).toBe('a3s-lab-libkrun-1.2.3.tgz');
    expect(tarballName('libkrun', '1.2.3-rc.1')).toBe('libkrun-1.2.3-rc.1.tgz');
  });

  it('finds the values that a declaration file exports, and no types', () => {
    const text = [
      'export interface KrunError extends Error {}',
      'export declare const KRUN_A: 1;',
      'export declare function krunB(): void;',
      'export declare namespace raw {',
      '  export function krunC(): never;',
      '}',
    ].join('\n');
    expect(exportedNames(text)).toEqual(['KRUN_A', 'krunB', 'raw']);
  });
});

describe('root code', () => {
  it('spells out every name in a require of its own', () => {
    const table = platformTable({ name: '@acme/libkrun', version: '1.2.3', targets: Object.values(TARGETS) });
    for (const suffix of ['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-arm64']) {
      expect(table).toContain(`require('@acme/libkrun-${suffix}/libkrun.${suffix}.node')`);
      expect(table).toContain(`require.resolve('@acme/libkrun-${suffix}/package.json')`);
      expect(table).toContain(`require.resolve('@acme/libkrun-${suffix}/bin/krun-launcher')`);
      const libraries = suffix.startsWith('darwin')
        ? ['libkrun.1.dylib', 'libkrunfw.5.dylib']
        : ['libkrun.so.1', 'libkrunfw.so.5'];
      for (const library of libraries)
        expect(table).toContain(`require.resolve('@acme/libkrun-${suffix}/lib/${library}')`);
    }
  });

  it('exports each function of the subpath by name', () => {
    const { esm } = rawModules('export declare function krunB(): void;\n');
    expect(esm).toContain('export const {\n  krunB,\n} = library.raw;');
  });
});

describe('sbom', () => {
  const bill = (contents: Contents) =>
    sbom(contents) as { components: { 'bom-ref': string }[]; dependencies: object[] };

  it('lists libkrun, libkrunfw, the kernel and the crates, with digests', () => {
    expect(bill(CONTENTS)).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { timestamp: '1985-10-26T08:15:00Z', component: { 'bom-ref': 'package' } },
      components: [
        { name: 'libkrun', version: '1.17.0', licenses: [{ expression: 'Apache-2.0' }] },
        { name: 'libkrunfw', version: '5.6.1', hashes: [{ alg: 'SHA-256', content: 'f00d' }] },
        { name: 'linux', version: '6.12.98', licenses: [{ expression: 'GPL-2.0-only' }] },
        { name: 'krun-launcher', licenses: [{ license: { name: 'NOASSERTION' } }] },
        {
          name: 'libc',
          hashes: [{ alg: 'SHA-256', content: 'c0ffee' }],
          licenses: [{ expression: 'MIT OR Apache-2.0' }],
          purl: 'pkg:cargo/libc@0.2.180',
        },
      ],
    });
    expect(bill(CONTENTS)).not.toHaveProperty('serialNumber');
  });

  it('refers only to what it lists', () => {
    for (const contents of [CONTENTS, OWN, ARM]) {
      const { components, dependencies } = bill(contents);
      const known = new Set(['package', ...components.map((component) => component['bom-ref'])]);
      const named = (dependencies as { ref: string; dependsOn: string[] }[]).flatMap(({ ref, dependsOn }) => [
        ref,
        ...dependsOn,
      ]);
      expect(named.filter((ref) => !known.has(ref))).toEqual([]);
      expect(known.size).toBe(components.length + 1);
    }
  });

  it('lists EDK2 on arm64 only', () => {
    expect(bill(ARM).components.map((component) => component['bom-ref'])).toContain('edk2');
    expect(bill(CONTENTS).components.map((component) => component['bom-ref'])).not.toContain('edk2');
  });
});

describe('texts', () => {
  it('names every file with its licence, and every crate', () => {
    const text = notices(CONTENTS, KNOWN);
    expect(text).toContain("| lib/libkrunfw.so.5 | the Linux kernel 6.12.98, run as the guest's | GPL-2.0-only |");
    expect(text).toContain('| libc | 0.2.180 | MIT OR Apache-2.0 |');
    expect(text).toContain('| krun-launcher | 0.1.0 | that of its source tree |');
    expect(text).toContain('LGPL-2.1-or-later');
    expect(notices(OWN, KNOWN)).not.toContain('LGPL-2.1-or-later');
    expect(notices(ARM, KNOWN)).toContain('edk2.txt');
    expect(text).not.toContain('edk2');
  });

  it('passes on what each crate carries, each text once', () => {
    const text = notices(CONTENTS, KNOWN);
    expect(text).toContain('- libc 0.2.180, LICENSE-APACHE\n\nSee licenses/Apache-2.0.txt.');
    expect(text).toContain(
      '- libc 0.2.180, LICENSE-MIT\n- log 0.4.0, COPYING\n\n```text\nCopyright (c) 2014 Somebody\n```',
    );
    expect(text).toContain('- napi 3.0.0: carries no text, and states MIT; its authors: A B <a@b.c>');
    expect(text).toContain('- arch 0.1.0: a part of the source tree');
    expect(text).toContain('## The Rust standard library 1.95.0\n\n```text\nCopyright notices of Rust\n```');
  });

  it('says that it does not know the notices of a Rust that carries none', () => {
    const linked = { ...CONTENTS.linked, rust: { version: '1.95.0', notices: null } };
    expect(notices({ ...CONTENTS, linked }, KNOWN)).toContain('copyright notices: unknown');
    expect(unknownSources(versions({ ...CONTENTS, linked }))).toContain(
      'copyright notices of the Rust standard library',
    );
  });

  it('says where the source is', () => {
    const text = sourceNotice(versions(CONTENTS));
    for (const words of [
      'Linux 6.12.98',
      'f00d',
      'sha512-x',
      'https://example.org/libkrunfw',
      'a3s-libkrun-sys@3.3.0',
    ]) {
      expect(text).toContain(words);
    }
  });

  it('does not answer for a kernel or source of the packager', () => {
    const text = sourceNotice(versions(OWN));
    expect(text).toContain("the packager's to name");
    expect(text).toContain("a source tree of the packager's");
    expect(text).toContain('- upstream: https://example.org/libkrun');
  });

  it('says of what nobody knows that it is unknown, and lists it', () => {
    expect(sourceNotice(versions(CONTENTS))).toContain('- source: https://example.org/libkrunfw (digest: unknown)');
    expect(unknownSources(versions(CONTENTS))).toEqual(['digest of https://example.org/libkrunfw']);
    const known = { url: 'https://example.org/libkrunfw', digest: 'git:c0de' };
    const firmware = { ...CONTENTS.firmware, correspondingSource: [known] };
    const all = versions({ ...CONTENTS, firmware });
    expect(unknownSources(all)).toEqual([]);
    expect(sourceNotice(all)).not.toContain('unknown');
    expect(unknownSources(versions(OWN))).toHaveLength(7);
    expect(sourceNotice(versions(OWN)).match(/: unknown$/gm)).toHaveLength(6);
  });

  it('has the versions for programs', () => {
    expect(versions(CONTENTS)).toMatchObject({
      libkrun: { version: '1.17.0', features: ['net', 'blk'] },
      libkrunfw: { version: '5.6.1', kernel: '6.12.98', provider: 'npm' },
      glibc: '2.34',
    });
  });

  it('shows the package under its own name', () => {
    expect(readme({ name: '@acme/libkrun', platforms: ['linux-x64'] })).toContain("from '@acme/libkrun';");
  });
});

describe('licences', () => {
  it('carries the text of every licence in the expression', () => {
    for (const contents of [CONTENTS, ARM]) {
      const files = licenseTexts(contents.target).map(({ file }) => file);
      for (const id of packageLicense(contents).split(' AND ')) {
        expect(files).toContain(id === 'BSD-2-Clause-Patent' ? 'edk2.txt' : `${id}.txt`);
      }
    }
  });

  it('keeps a choice together', () => {
    const libkrun = { ...CONTENTS.libkrun, license: 'MIT OR Apache-2.0' };
    expect(packageLicense({ ...CONTENTS, libkrun })).toBe('(MIT OR Apache-2.0) AND LGPL-2.1-only AND GPL-2.0-only');
  });
});
