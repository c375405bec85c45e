import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { copyFileWhole, temporaryName, withDiskErrors, writeFileWhole } from '../effects/files.ts';
import { pkgConfigText } from '../plan/pkg-config.ts';
import type { Target } from '../plan/targets.ts';
import type { RealLibraries } from './link-formats.ts';

/** Where a build's files are. Absolute. */
export interface BuiltFiles {
  readonly version: string;
  readonly libraryFile: string;
  readonly firmwareFile: string;
  readonly includePath: string;
}

/**
 * Puts libraries and headers below `folder` as the installations of libkrun and libkrunfw do, each in a prefix of its
 * own: `libkrun/lib64`, `libkrun/include`, `libkrunfw/lib64`; on macOS `lib`. Files that are there are replaced by
 * rename, so that a program that has them open keeps what it has.
 */
export async function layOut(
  folder: string,
  built: BuiltFiles,
  target: Target,
): Promise<Pick<RealLibraries, 'libraryDir' | 'firmwareDir' | 'includeDir' | 'libraryFolder'>> {
  const libraryFolder = target.platform === 'darwin' ? 'lib' : 'lib64';
  const libraryDir = join(folder, 'libkrun', libraryFolder);
  const firmwareDir = join(folder, 'libkrunfw', libraryFolder);
  const includeDir = join(folder, 'libkrun', 'include');
  const versioned = versionedName(target, built.version);
  await copyFileWhole(built.libraryFile, join(libraryDir, versioned), 0o755);
  await link(versioned, join(libraryDir, target.libraryFile));
  await link(target.libraryFile, join(libraryDir, target.builtLibrary));
  await removeOtherVersions(libraryDir, target, versioned);
  const firmware = join(firmwareDir, target.firmwareFile);
  await copyFileWhole(built.firmwareFile, firmware, 0o755);
  // libkrun looks for its guest kernel beside itself.
  await link(relative(libraryDir, firmware), join(libraryDir, target.firmwareFile));
  await writeFileWhole(join(libraryDir, 'pkgconfig', 'libkrun.pc'), pkgConfigText(built.version, libraryFolder));
  for (const header of await headersIn(built.includePath)) {
    await copyFileWhole(join(built.includePath, header), join(includeDir, header), 0o644);
  }
  return { libraryDir, firmwareDir, includeDir, libraryFolder };
}

function versionedName({ platform, builtLibrary }: Target, version: string): string {
  return platform === 'darwin' ? builtLibrary.replace(/(\.[a-z]+)$/, `.${version}$1`) : `${builtLibrary}.${version}`;
}

async function link(to: string, path: string): Promise<void> {
  const temporary = temporaryName(path);
  await withDiskErrors(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    await symlink(to, temporary);
    await rename(temporary, path);
  });
}

/** A bundle takes everything that is called `libkrun.so*`: an older version beside it would go along. */
async function removeOtherVersions(folder: string, target: Target, keep: string): Promise<void> {
  const [before = '', after = ''] = versionedName(target, '*').split('*');
  const isVersion = (name: string): boolean =>
    name.startsWith(before) && name.endsWith(after) && /^\d+\.\d+\.\d+/.test(name.slice(before.length));
  for (const name of await withDiskErrors(folder, () => readdir(folder))) {
    if (isVersion(name) && name !== keep) await withDiskErrors(folder, () => rm(join(folder, name), { force: true }));
  }
}

/** In a folder of the system there are others. */
async function headersIn(folder: string): Promise<string[]> {
  const names = await withDiskErrors(folder, () => readdir(folder));
  return names.filter((name) => /^libkrun\w*\.h$/.test(basename(name)));
}
