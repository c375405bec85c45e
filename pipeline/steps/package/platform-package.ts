import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackEntry } from '../../effects/archive.ts';
import { withDiskErrors, writeFileWhole } from '../../effects/files.ts';
import type { Target } from '../../plan/targets.ts';
import { LAUNCHER } from '../binaries.ts';
import { type Contents, licenseTexts } from './contents.ts';
import { platformManifest } from './manifests.ts';
import { addonName } from './names.ts';
import { sbom } from './sbom.ts';
import { notices, sourceNotice } from './texts.ts';
import { versions } from './versions.ts';

/** Folders that the files of a platform package come from. */
export interface PlatformFolders {
  /** Holds `lib` and `bin`. */
  readonly prefix: string;
  readonly addon: string;
  /** libkrun's source tree. */
  readonly source: string;
  /** The pins' licence texts. */
  readonly licenses: string;
}

/** All files of npm packages lie below this folder of the tarball. */
export const NPM_FOLDER = 'package';

/** The binaries of a platform package, with where each is to be found. */
export function binaryEntries(target: Target, folders: Pick<PlatformFolders, 'prefix' | 'addon'>): PackEntry[] {
  const { prefix, addon } = folders;
  return [
    entry(addonName(target), join(addon, addonName(target))),
    entry(`bin/${LAUNCHER}`, join(prefix, 'bin', LAUNCHER), 0o755),
    entry(`lib/${target.libraryFile}`, join(prefix, 'lib', target.libraryFile)),
    entry(`lib/${target.firmwareFile}`, join(prefix, 'lib', target.firmwareFile)),
  ];
}

/**
 * Writes the texts of a platform package into `staging`.
 * @returns Everything that the package consists of.
 */
export async function stagePlatformPackage(
  contents: Contents,
  folders: PlatformFolders,
  staging: string,
): Promise<PackEntry[]> {
  const told = versions(contents);
  const texts = await writeTexts(staging, {
    'package.json': json(platformManifest(contents)),
    'versions.json': json(told),
    'sbom.cdx.json': json(sbom(contents)),
    'THIRD-PARTY-NOTICES.md': notices(contents, await carriedTexts(contents, folders)),
    'SOURCE.md': sourceNotice(told),
  });
  const licenses = licenseFiles(contents.target, folders).map(({ name, file }) => entry(`licenses/${name}`, file));
  return [
    ...binaryEntries(contents.target, folders),
    ...texts,
    ...licenses,
    entry('LICENSE', join(folders.source, 'LICENSE')),
  ];
}

/** The licence texts that the package carries, by their names in it. */
async function carriedTexts({ target }: Contents, folders: PlatformFolders): Promise<ReadonlyMap<string, string>> {
  const texts = licenseFiles(target, folders).map(async ({ name, file }): Promise<readonly [string, string]> => {
    return [name, await withDiskErrors(file, () => readFile(file, 'utf8'))];
  });
  return new Map(await Promise.all(texts));
}

/** The licence texts of a package: their names in it, and where each lies. */
function licenseFiles(target: Target, folders: PlatformFolders) {
  const roots = { source: folders.source, 'vendor/licenses': folders.licenses };
  return licenseTexts(target).map(({ file, from, path }) => ({ name: file, file: join(roots[from], path) }));
}

/** Writes texts below `staging`, as files of an npm package. */
export async function writeTexts(staging: string, texts: Readonly<Record<string, string>>): Promise<PackEntry[]> {
  await Promise.all(Object.entries(texts).map(([path, text]) => writeFileWhole(join(staging, path), text)));
  return Object.keys(texts).map((path) => entry(path, join(staging, path)));
}

/** A file of an npm package. */
export function entry(path: string, file: string, mode: PackEntry['mode'] = 0o644): PackEntry {
  return { path: `${NPM_FOLDER}/${path}`, file, mode };
}

/** JSON as npm writes it. */
export function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
