import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { buildError } from '../plan/errors.ts';
import { hashFile, listTree, readTextIfThere, statIfThere, writeFileWhole } from './files.ts';

/** `[device, inode, size, mtime ns, ctime ns, sha256]`, numbers as decimal text. */
type CacheRow = readonly [string, string, string, string, string, string];

/**
 * Digests of files, remembered by what the file system says of them. A row counts only while device, inode, size and
 * both times are the same, and only when the file was last changed well before the row was written: a file changed
 * within the clock's resolution of a look at it could change again unseen (Git's racy-timestamp rule). ctime is part
 * of the row because no program can set it back.
 */
export interface DigestCache {
  /** SHA-256 of the file, or of a link's target text with `link:` before it; `absent` when nothing is there. */
  digest(path: string): Promise<string>;
  /**
   * SHA-256 of the file that `path` leads to; `absent` when nothing is there.
   * @throws BuildError A3S5002 for a folder or a device, which could be endless.
   */
  file(path: string): Promise<string>;
  /** Digest of every file below `root` by relative path. */
  tree(root: string, exclude?: readonly string[]): Promise<Record<string, string>>;
  /** Writes new rows to disk, if there are any. */
  save(): Promise<void>;
}

/** Larger than the time resolution of any file system in use (FAT and some network shares: 2 s). */
const RACY_NS = 2_000_000_000n;

const ABSENT = 'absent';

/**
 * @param file Where rows are kept between runs.
 * @param trust False hashes every file whatever the rows say.
 */
export function openDigestCache(file: string, trust: boolean): DigestCache {
  // Read when the first file is asked for: a run that looks at none need not wait for thousands of rows.
  let loading: Promise<Map<string, CacheRow>> | undefined;
  const load = async (): Promise<Map<string, CacheRow>> => (trust ? readRows(await readTextIfThere(file)) : new Map());
  let dirty = false;

  const digest = async (path: string): Promise<string> => {
    loading ??= load();
    const rows = await loading;
    const stat = statIfThere(path);
    if (stat === undefined) return ABSENT;
    if (stat.isSymbolicLink())
      return createHash('sha256')
        .update(`link:${readlinkSync(path)}`)
        .digest('hex');
    const seen = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].map(String);
    const row = rows.get(path);
    if (row !== undefined && seen.every((text, index) => text === row[index])) return row[5];
    const [dev = '', ino = '', size = '', mtime = '', ctime = ''] = seen;
    const sha256 = await hashFile(path);
    const newest = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
    if (BigInt(Date.now()) * 1_000_000n - newest > RACY_NS) {
      rows.set(path, [dev, ino, size, mtime, ctime, sha256]);
      dirty = true;
    }
    return sha256;
  };

  return {
    digest,
    async file(path) {
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined) return ABSENT;
      if (statIfThere(real)?.isFile()) return digest(real);
      throw buildError('A3S5002', { message: `${path} is not a file`, where: { file: path } });
    },
    async tree(root, exclude) {
      const digests: Record<string, string> = {};
      for (const entry of listTree(root, exclude)) digests[entry.path] = await digest(join(root, entry.path));
      return digests;
    },
    async save() {
      if (!dirty || loading === undefined) return;
      await writeFileWhole(file, JSON.stringify([...(await loading)]));
      dirty = false;
    },
  };
}

function readRows(text: string | undefined): Map<string, CacheRow> {
  if (text === undefined) return new Map();
  try {
    const parsed: unknown = JSON.parse(text);
    return new Map((Array.isArray(parsed) ? parsed : []).filter(isRow));
  } catch {
    // The cache only spares work: a damaged one is the same as none.
    return new Map();
  }
}

function isRow(entry: unknown): entry is [string, CacheRow] {
  if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !Array.isArray(entry[1])) return false;
  return entry[1].length === 6 && entry[1].every((part) => typeof part === 'string');
}
