import { type Contents, hasEdk2, packageLicense } from './contents.ts';
import { type Crate, crateKey } from './crates.ts';

type Component = Readonly<Record<string, unknown>> & { readonly 'bom-ref': string };

interface Dependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

/**
 * The package's bill of materials, CycloneDX 1.6. It has no serial number, and the time that was given: equal
 * packages have equal bills.
 */
export function sbom(contents: Contents): object {
  const main = mainComponent(contents);
  const parts = [libkrun(contents), ...firmware(contents), ...edk2(contents)];
  const crates = contents.crates.filter((crate) => !isLibkrun(crate)).map(crateComponent);
  const dependencies = [
    { ref: main['bom-ref'], dependsOn: ['libkrun', 'libkrunfw', ...roots(contents.crates)].sort() },
    { ref: 'libkrun', dependsOn: [...(hasEdk2(contents.target) ? ['edk2'] : []), ...below(contents.crates)].sort() },
    { ref: 'libkrunfw', dependsOn: ['linux'] },
    ...contents.crates
      .filter((crate) => !isLibkrun(crate))
      .map((crate): Dependency => ({ ref: crateRef(crate), dependsOn: crate.dependencies.map(refOfKey) })),
  ];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(contents.date * 1000).toISOString().replace('.000Z', 'Z'),
      tools: { components: [{ type: 'application', name: 'a3s-build', version: contents.tool }] },
      component: main,
    },
    components: [...parts, ...crates],
    dependencies,
  };
}

function mainComponent(contents: Contents): Component {
  const { name, version } = contents;
  return {
    type: 'library',
    'bom-ref': 'package',
    name,
    version,
    licenses: licenses(packageLicense(contents)),
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
  };
}

function libkrun({ libkrun: { version, license, correspondingSource } }: Contents): Component {
  return {
    type: 'library',
    'bom-ref': 'libkrun',
    name: 'libkrun',
    version,
    licenses: licenses(license),
    purl: `pkg:generic/libkrun@${version}`,
    ...sources(correspondingSource),
  };
}

function firmware({ firmware: found }: Contents): Component[] {
  const { version, kernel, license, sha256, correspondingSource } = found;
  const versions = (text: string | null): object => (text === null ? {} : { version: text });
  return [
    {
      type: 'library',
      'bom-ref': 'libkrunfw',
      name: 'libkrunfw',
      ...versions(version),
      hashes: [{ alg: 'SHA-256', content: sha256 }],
      licenses: licenses(license),
      ...(version === null ? {} : { purl: `pkg:generic/libkrunfw@${version}` }),
      ...sources(correspondingSource.map(({ url }) => url)),
    },
    {
      type: 'operating-system',
      'bom-ref': 'linux',
      name: 'linux',
      ...versions(kernel),
      licenses: licenses('GPL-2.0-only'),
      ...(kernel === null
        ? {}
        : { cpe: `cpe:2.3:o:linux:linux_kernel:${kernel}:*:*:*:*:*:*:*`, purl: `pkg:generic/linux@${kernel}` }),
    },
  ];
}

function edk2({ target }: Contents): Component[] {
  if (!hasEdk2(target)) return [];
  return [{ type: 'firmware', 'bom-ref': 'edk2', name: 'edk2', licenses: licenses('BSD-2-Clause-Patent') }];
}

function crateComponent(crate: Crate): Component {
  const { name, version, checksum, license } = crate;
  return {
    type: 'library',
    'bom-ref': crateRef(crate),
    name,
    version,
    ...(checksum === null ? {} : { hashes: [{ alg: 'SHA-256', content: checksum }] }),
    licenses: licenses(license),
    // A crate of the tree may bear the name of another one that is published.
    ...(checksum === null ? {} : { purl: `pkg:cargo/${name}@${version}` }),
  };
}

/** SPDX's word for "nobody told" is no SPDX licence: CycloneDX takes it as a name only. */
function licenses(expression: string | null): object[] {
  return expression === null ? [{ license: { name: 'NOASSERTION' } }] : [{ expression }];
}

function sources(urls: readonly string[]): object {
  if (urls.length === 0) return {};
  return { externalReferences: urls.map((url) => ({ type: 'source-distribution', url })) };
}

/** libkrun is itself a crate of its lock, and has a component of its own already. */
function isLibkrun({ name, checksum }: Crate): boolean {
  return name === 'libkrun' && checksum === null;
}

function crateRef(crate: Crate): string {
  return isLibkrun(crate) ? 'libkrun' : refOfKey(crateKey(crate));
}

function refOfKey(key: string): string {
  return `crate:${key}`;
}

/** Crates on which no other depends: the programs themselves. */
function roots(crates: readonly Crate[]): string[] {
  const needed = new Set(crates.flatMap(({ dependencies }) => dependencies));
  return crates.filter((crate) => !isLibkrun(crate) && !needed.has(crateKey(crate))).map(crateRef);
}

function below(crates: readonly Crate[]): string[] {
  return (crates.find(isLibkrun)?.dependencies ?? []).map(refOfKey);
}
