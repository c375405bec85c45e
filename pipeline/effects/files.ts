import { createHash, randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  constants,
  createReadStream,
  lstatSync,
  readdirSync,
  readFileSync,
  statfsSync,
} from 'node:fs';
import { chmod, copyFile, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildError } from '../plan/errors.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Runs `work` and turns the system's refusals into errors with a code: A3S5001 for a full disk, A3S5002 for the rest.
 * Errors that are not the system's pass through.
 */
export async function withDiskErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(path, error);
  }
}

/** The failure for a system error at `path`; anything that is not a system error is returned as it came. */
export function diskError(path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const where = { file: path };
  if (FULL.has(code)) return buildError('A3S5001', { message: `${shortage(path)} at ${path} (${code})`, where }, error);
  return buildError('A3S5002', { message: `${(error as Error).message}`, where }, error);
}

/** The system reports a lack of inodes as one of space, which `df` then does not show. */
function shortage(path: string): string {
  try {
    const { files, ffree } = statfsSync(dirname(path));
    return files > 0 && ffree === 0 ? 'no inode left (too many files)' : 'no space left';
  } catch {
    return 'no space left';
  }
}

/** The `code` of a Node system error (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The file's text, or undefined when there is none. Read in one go: the files are small, and a wait for each adds up. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw diskError(path, error);
  }
}

/** Status without following links, or undefined when nothing is there. */
export function statIfThere(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** A name beside `path` that no other process uses. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Writes a whole file by rename: readers see the old or the new content, never a part. */
export async function writeFileWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = temporaryName(path);
  await withDiskErrors(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    try {
      await writeFile(temporary, content, { mode, flush: true });
      // The mode given to writeFile is cut by the umask; published files have the mode asked for.
      await chmod(temporary, mode);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

/** Copies a file by rename, sharing blocks where the file system can. */
export async function copyFileWhole(from: string, to: string, mode: number): Promise<void> {
  const temporary = temporaryName(to);
  await withDiskErrors(to, async () => {
    await mkdir(dirname(to), { recursive: true });
    try {
      await copyFile(from, temporary, constants.COPYFILE_FICLONE);
      await chmod(temporary, mode);
      await rename(temporary, to);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

/** SHA-256 of a file's bytes, lower-case hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await withDiskErrors(path, async () => {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  });
  return hash.digest('hex');
}

/** Makes what was written to `path` survive a loss of power. */
export async function syncFile(path: string): Promise<void> {
  // Windows flushes only what was opened for writing.
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export interface TreeEntry {
  /** Relative to the tree's root, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'link';
}

/**
 * Files and symbolic links below `root`, sorted by path; folders are implied. Links are listed, not followed.
 * `exclude` names files or whole folders by relative path.
 * @throws BuildError A3S5002 for sockets, devices and other things no source tree has.
 */
export function listTree(root: string, exclude: readonly string[] = []): TreeEntry[] {
  const excluded = new Set(exclude);
  const entries: TreeEntry[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (excluded.has(path)) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) entries.push({ path, kind: 'file' });
      else if (entry.isSymbolicLink()) entries.push({ path, kind: 'link' });
      else throw buildError('A3S5002', { message: `${join(root, path)} is neither a file nor a folder nor a link` });
    }
  };
  try {
    visit('');
  } catch (error) {
    throw diskError(root, error);
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}
