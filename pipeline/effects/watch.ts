import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';

/** Editors save in several steps (write beside, rename, restore the mode): this much silence ends a save. */
const QUIET_MS = 120;
/** Larger files are told apart by size and time; no header is. */
const HASHED_SIZE = 4 * 1024 * 1024;

/** What files held, by path; null for one that was not there. */
export type Contents = ReadonlyMap<string, string | null>;

/** Waits for changes of files; holds the system's watches until it is closed. */
export interface FileWatch {
  /**
   * Resolves with the files that differ from `seen` once no more changes arrive: at once where one differs already. A
   * file that is written again with what it held does not differ.
   * @returns null when `signal` is aborted.
   */
  changed(seen: Contents, signal: AbortSignal): Promise<readonly string[] | null>;
  close(): Promise<void>;
}

/** What the files hold now, to be compared with later. */
export async function contentsOf(paths: readonly string[]): Promise<Contents> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await contentOf(path)] as const)));
}

async function contentOf(path: string): Promise<string | null> {
  try {
    const status = await stat(path, { bigint: true });
    if (!status.isFile() || status.size > HASHED_SIZE) return `${status.ino} ${status.size} ${status.mtimeNs}`;
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch {
    return null;
  }
}

/**
 * Starts to watch. Folders are watched, not files: an editor's rename puts another file in place, and a watch on the
 * old one would go with it.
 */
export async function openWatch(): Promise<FileWatch> {
  const { watch } = await import('chokidar');
  let current: { readonly key: string; close(): Promise<void> } | undefined;
  let events = 0;
  let wake = (): void => {};
  const follow = async (paths: readonly string[]): Promise<void> => {
    const files = [...new Set([...paths, ...(await Promise.all(paths.map(realPath)))])];
    const folders = [...new Set(files.map(nearestFolder))].sort();
    const key = JSON.stringify([files, folders]);
    if (key === current?.key) return;
    await current?.close();
    const matters = (path: string) => files.some((file) => file === path || file.startsWith(path + sep));
    const watcher = watch(folders, { depth: 0, ignoreInitial: true, ignored: (path) => !matters(path) });
    watcher.on('all', () => {
      events += 1;
      wake();
    });
    // What cannot be watched (a folder that is gone again) shows as a file that is not there.
    watcher.on('error', () => {});
    await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
    current = { key, close: () => watcher.close() };
  };
  return {
    async changed(seen, signal) {
      const onAbort = () => wake();
      signal.addEventListener('abort', onAbort);
      try {
        while (!signal.aborted) {
          await follow([...seen.keys()]);
          const before = await quiet(() => events);
          const differing = await differingFrom(seen);
          if (differing.length > 0) return differing;
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (signal.aborted || events !== before) resolve();
          });
        }
        return null;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    close: async () => current?.close(),
  };
}

async function differingFrom(seen: Contents): Promise<readonly string[]> {
  const now = await contentsOf([...seen.keys()]);
  return [...seen.keys()].filter((path) => seen.get(path) !== now.get(path));
}

/** Waits until no event arrives for a while; how many there were by then. */
async function quiet(count: () => number): Promise<number> {
  let before = -1;
  while (before !== count()) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
  return before;
}

/** Where a link leads, so that what it leads to is watched too. */
function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** The folder of a file, or the innermost one above it that is there. */
function nearestFolder(path: string): string {
  const folder = dirname(path);
  return folder === path || existsSync(folder) ? folder : nearestFolder(folder);
}
