import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ArchiveLimits, readArchive } from '../effects/archive.ts';
import { withDiskErrors } from '../effects/files.ts';
import { buildError } from '../plan/errors.ts';
import { compareFiles, type Depth, type Sides } from './compare-tarballs.ts';
import type { Streams, Surroundings } from './session.ts';

/** Bounds for the tarballs of a release; the largest unpacks to some 35 MB. */
const LIMITS: ArchiveLimits = { bytes: 256 * 1024 * 1024, entries: 1000 };

/** Differences told of one tarball. */
const SHOWN = 50;

/**
 * Compares two folders of package tarballs, and says of each difference in which file of which tarball it is.
 * @throws BuildError A3S4023 when they differ, A3S4024 for a folder without tarballs, A3S2004 for a damaged one.
 */
export async function runCompare(
  folders: Sides,
  depth: Depth,
  { cwd }: Surroundings,
  { stderr }: Streams,
): Promise<void> {
  const count = await compareFolders([resolve(cwd, folders[0]), resolve(cwd, folders[1])], depth, folders);
  const how = depth === 'bytes' ? 'the same, byte for byte' : 'the same files, modes, names and exports';
  stderr.write(`${count} tarballs in each folder: ${how}\n`);
}

/**
 * Does what {@link runCompare} does, without a word when all is the same.
 * @param names How the two folders are called in messages.
 * @returns How many tarballs each folder holds.
 */
export async function compareFolders(folders: Sides, depth: Depth, names: Sides = folders): Promise<number> {
  const [one, other] = await Promise.all([tarballsIn(folders[0]), tarballsIn(folders[1])]);
  const lines = [
    ...one.filter((name) => !other.includes(name)).map((name) => `${name}: only in ${names[0]}`),
    ...other.filter((name) => !one.includes(name)).map((name) => `${name}: only in ${names[1]}`),
  ];
  for (const name of one.filter((name) => other.includes(name))) {
    const found = await compareTarball([join(folders[0], name), join(folders[1], name)], depth, names);
    const more = found.length > SHOWN ? [`and ${found.length - SHOWN} more`] : [];
    lines.push(...[...found.slice(0, SHOWN), ...more].map((line) => `${name}: ${line}`));
  }
  if (lines.length > 0) {
    throw buildError('A3S4023', { message: [`${names[0]} and ${names[1]} differ:`, ...lines].join('\n  ') });
  }
  return one.length;
}

async function tarballsIn(folder: string): Promise<readonly string[]> {
  const names = await withDiskErrors(folder, () => readdir(folder));
  const tarballs = names.filter((name) => name.endsWith('.tgz')).sort();
  if (tarballs.length === 0)
    throw buildError('A3S4024', { message: `${folder} holds no .tgz`, where: { file: folder } });
  return tarballs;
}

async function compareTarball([one, other]: Sides, depth: Depth, names: Sides): Promise<readonly string[]> {
  const read = (path: string): Promise<Buffer> => withDiskErrors(path, () => readFile(path));
  const [bytes, otherBytes] = await Promise.all([read(one), read(other)]);
  if (bytes.equals(otherBytes)) return [];
  const [files, otherFiles] = await Promise.all([readArchive(one, LIMITS), readArchive(other, LIMITS)]);
  const found = compareFiles(files, otherFiles, depth, names);
  if (found.length > 0 || depth === 'layout') return found;
  return ['the same files, packed in another way: order, times, owners or compression differ'];
}
