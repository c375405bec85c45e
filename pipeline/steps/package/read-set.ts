import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchive } from '../../effects/archive.ts';
import { withDiskErrors } from '../../effects/files.ts';
import { BuildError, buildError } from '../../plan/errors.ts';
import { integrityOf, TARBALL_LIMITS } from './pack.ts';
import type { FoundTarball } from './set-types.ts';

/**
 * Reads every tarball that lies in a folder.
 * @throws BuildError A3S4005 where there is no folder, or no tarball in it; A3S5002 where one cannot be read.
 */
export async function readSet(folder: string): Promise<FoundTarball[]> {
  const names = await tarballsIn(folder);
  const found: FoundTarball[] = [];
  // One after the other: each unpacks to some tens of megabytes.
  for (const name of names) found.push(await readTarball(folder, name));
  return found;
}

async function tarballsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return withDiskErrors(folder, () => Promise.reject(error));
    throw buildError('A3S4005', { message: `there is no folder ${folder}`, where: { file: folder } });
  });
  const tarballs = names.filter((name) => /\.(tgz|tar\.gz)$/i.test(name)).sort();
  if (tarballs.length > 0) return tarballs;
  throw buildError('A3S4005', { message: `${folder} holds no .tgz file`, where: { file: folder } });
}

async function readTarball(folder: string, file: string): Promise<FoundTarball> {
  const path = join(folder, file);
  const bytes = await withDiskErrors(path, () => readFile(path));
  return { file, size: bytes.length, integrity: integrityOf(bytes), files: await unpacked(path) };
}

async function unpacked(path: string): Promise<FoundTarball['files']> {
  try {
    return await readArchive(path, TARBALL_LIMITS);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'A3S2004') return error.message;
    throw error;
  }
}
