import type { Target } from '../../plan/targets.ts';
import { type Contents, type Licensed, packageLicense } from './contents.ts';
import { addonName, platformPackageName } from './names.ts';

/** Oldest Node that the packages are made for and tested with. */
export const OLDEST_NODE = '20.18.1';

/** A package.json, in the order in which it is written. */
export type Manifest = Readonly<Record<string, unknown>>;

export interface RootPackage {
  readonly name: string;
  readonly version: string;
  /** Targets whose packages were packed in this very version; no other may be named. */
  readonly targets: readonly Target[];
  /** Address of the Git repository, where the project has named one. */
  readonly repository?: string | undefined;
}

/**
 * package.json of a platform package. It has no `engines`: npm silently skips an optional package whose engines do
 * not fit, and the loader names the mismatch instead.
 */
export function platformManifest(
  contents: Pick<Contents, 'name' | 'version' | 'target' | 'floors' | 'repository'> & Licensed,
): Manifest {
  const { name, version, target, floors } = contents;
  const config = Object.fromEntries(Object.entries(floors).filter(([, release]) => release !== null));
  return {
    name,
    version,
    description: `libkrun, its guest kernel, launcher and Node addon for ${target.id}`,
    license: packageLicense(contents),
    ...repositoryField(contents.repository),
    os: [target.platform],
    cpu: [target.arch],
    ...(target.libc === null ? {} : { libc: [target.libc] }),
    main: `./${addonName(target)}`,
    files: [
      addonName(target),
      'bin',
      'lib',
      'licenses',
      'LICENSE',
      'SOURCE.md',
      'THIRD-PARTY-NOTICES.md',
      'sbom.cdx.json',
      'versions.json',
    ],
    // Libraries and executables inside a zip cannot be opened by the system.
    preferUnplugged: true,
    ...(Object.keys(config).length === 0 ? {} : { config }),
  };
}

/** What npm holds against the repository that a proof of provenance names. */
function repositoryField(url: string | undefined): Manifest {
  return url === undefined ? {} : { repository: { type: 'git', url: `git+${url}` } };
}

/** package.json of the root package. */
export function rootManifest({ name, version, targets, repository }: RootPackage): Manifest {
  const conditions = (stem: string): object => ({
    import: { types: `./${stem}.d.ts`, default: `./${stem}.js` },
    require: { types: `./${stem}.d.cts`, default: `./${stem}.cjs` },
  });
  const names = targets.map((target) => platformPackageName(name, target)).sort();
  return {
    name,
    version,
    description: 'Boots Linux microVMs with libkrun, from Node.js',
    keywords: ['libkrun', 'microvm', 'kvm', 'virtualization', 'sandbox'],
    license: 'Apache-2.0',
    ...repositoryField(repository),
    type: 'module',
    main: './index.cjs',
    types: './index.d.cts',
    exports: { '.': conditions('index'), './raw': conditions('libkrun'), './package.json': './package.json' },
    files: [...ROOT_CODE, 'LICENSE', 'README.md', INTEGRITY_FILE],
    sideEffects: false,
    engines: { node: `>=${OLDEST_NODE}` },
    // Exact: addon, launcher and loader of one release are made for each other.
    optionalDependencies: Object.fromEntries(names.map((one) => [one, version])),
  };
}

/**
 * package.json of a stub: the same to whoever imports it, and three times no release. npm refuses to publish a private
 * package, and no range of versions but one of prereleases takes the version.
 */
export function stubManifest({ name, version }: Pick<RootPackage, 'name' | 'version'>): Manifest {
  const { optionalDependencies: _none, ...release } = rootManifest({ name, version, targets: [] });
  return {
    ...release,
    version: stubVersion(version),
    description: `Stub of ${name}: made with A3S_DEPS_STUB, without libkrun; every function throws`,
    private: true,
    stub: true,
    files: [...(release['files'] as readonly string[]).filter((file) => file !== INTEGRITY_FILE), STUB_CODE],
  };
}

const STUB_TAG = 'stub';

/** The only file that a stub has beyond the root package of a release. */
export const STUB_CODE = 'stub.cjs';

/** `1.2.3` → `1.2.3-stub`; `1.2.3-rc.1` → `1.2.3-rc.1.stub`. */
function stubVersion(version: string): string {
  return `${version}${version.includes('-') ? '.' : '-'}${STUB_TAG}`;
}

/** What marks a package.json as a stub's, in words; empty for one that has none of the marks. */
export function stubMarks(manifest: Manifest): readonly string[] {
  return [
    ...('stub' in manifest ? ['it is marked as a stub'] : []),
    ...('private' in manifest ? ['it is private'] : []),
    ...(/[-.]stub$/.test(String(manifest['version'])) ? [`its version is ${String(manifest['version'])}`] : []),
  ];
}

/** Code of the root package that is bundled beforehand; it does not depend on what is packed. */
export const ROOT_RUNTIME = ['index.cjs', 'index.js', 'index.d.cts', 'index.d.ts'] as const;

/** SHA-512 of the platform packages' tarballs, in the root package. */
export const INTEGRITY_FILE = 'integrity.json';

/** All code of the root package. */
export const ROOT_CODE = [
  ...ROOT_RUNTIME,
  'libkrun.cjs',
  'libkrun.js',
  'libkrun.d.cts',
  'libkrun.d.ts',
  'platform.cjs',
] as const;
