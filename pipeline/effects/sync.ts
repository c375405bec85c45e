import { chmod, mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DigestCache } from './digests.ts';
import { copyFileWhole, listTree, statIfThere, withDiskErrors } from './files.ts';

/** A file that a folder is to hold. */
export interface WantedFile {
  /** Relative to the folder. */
  readonly path: string;
  /** Where its content is; a symbolic link is copied as a link. */
  readonly from: string;
  /** As `DigestCache` gives it. */
  readonly sha256: string;
  readonly executable: boolean;
}

/**
 * Makes `folder` hold `wanted`, touching only files whose content differs: build tools that look at times then see no
 * change where there is none.
 * @param mayRemove Says of a file that is not wanted whether it is ours to remove.
 */
export async function syncFolder(
  folder: string,
  wanted: readonly WantedFile[],
  digests: DigestCache,
  mayRemove: (path: string) => boolean,
): Promise<void> {
  await withDiskErrors(folder, () => mkdir(folder, { recursive: true }));
  const names = new Set(wanted.map((file) => file.path));
  for (const { path } of listTree(folder)) {
    if (!names.has(path) && mayRemove(path))
      await withDiskErrors(folder, () => rm(join(folder, path), { force: true }));
  }
  for (const file of wanted) {
    const target = join(folder, file.path);
    if ((await digests.digest(target)) !== file.sha256) await replaceFile(file, target);
    else await setMode(file, target);
  }
}

/** Content and mode may differ apart; setting a mode leaves the time of the content alone. */
async function setMode(file: WantedFile, target: string): Promise<void> {
  const stat = statIfThere(target);
  if (!stat?.isFile() || ((stat.mode & 0o100n) !== 0n) === file.executable) return;
  await withDiskErrors(target, () => chmod(target, file.executable ? 0o755 : 0o644));
}

async function replaceFile(file: WantedFile, target: string): Promise<void> {
  if (!statIfThere(file.from)?.isSymbolicLink()) {
    return copyFileWhole(file.from, target, file.executable ? 0o755 : 0o644);
  }
  await withDiskErrors(target, async () => {
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { force: true });
    await symlink(await readlink(file.from), target);
  });
}
