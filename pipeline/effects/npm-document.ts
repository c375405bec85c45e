import { readFile, rm } from 'node:fs/promises';
import { BuildError, buildError } from '../plan/errors.ts';
import { withDiskErrors } from './files.ts';
import { download, printableUrl } from './http.ts';
import type { RegistryAccess } from './npm-registry.ts';

/** What a registry says of one version of a package. */
export interface PackageVersion {
  /** SRI digest of the tarball, as published. */
  readonly integrity: string | null;
  /** SPDX expression of the package itself. */
  readonly license: string | null;
}

/** Packages with hundreds of versions have documents of some MB. */
const SIZE_LIMIT = 64 * 1024 * 1024;
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/;

/**
 * Asks the registry for the versions of a package.
 * @param partial File for the answer; gone afterwards.
 * @returns By version; what is malformed in it counts as not said.
 * @throws BuildError A3S1611 when there is no such package, A3S2002 or A3S2005 as {@link download} does.
 */
export async function readPackageVersions(
  access: RegistryAccess,
  name: string,
  partial: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PackageVersion>> {
  // The slash of a scope is part of the name, not of the path.
  const url = `${access.registry}${name.replace('/', '%2f')}`;
  try {
    await rm(partial, { force: true });
    await download({ ...access, url, sizeLimit: SIZE_LIMIT, partial, signal });
    return readDocument(await withDiskErrors(partial, () => readFile(partial, 'utf8')), url);
  } catch (error) {
    if (!(error instanceof BuildError) || !/\b404\b/.test(error.message)) throw error;
    throw buildError('A3S1611', { message: `the npm registry has no package ${name} (${printableUrl(url)})` }, error);
  } finally {
    await rm(partial, { force: true });
  }
}

function readDocument(text: string, url: string): ReadonlyMap<string, PackageVersion> {
  const versions = field(parse(text), 'versions');
  if (typeof versions !== 'object' || versions === null) {
    throw buildError('A3S1612', {
      message: `${printableUrl(url)} is no document of an npm package`,
      cause: 'The registry, or a proxy or login page on the way, answered with something else.',
    });
  }
  return new Map(
    Object.entries(versions).map(([version, entry]) => {
      const integrity = field(field(entry, 'dist'), 'integrity');
      const license = field(entry, 'license');
      return [
        version,
        {
          integrity: typeof integrity === 'string' && INTEGRITY.test(integrity) ? integrity : null,
          license: typeof license === 'string' ? license.slice(0, 100) : null,
        },
      ];
    }),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
