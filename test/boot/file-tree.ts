import { copyFile, cp, mkdir, mkdtemp, open, readdir, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { query } from './process.ts';

/** A file or folder of this machine and the absolute path that it gets elsewhere. */
export interface PlacedFile {
  readonly hostPath: string;
  readonly guestPath: string;
}

/** Links stay links; tables of character sets, which are large, stay away. */
const LIBRARIES = {
  recursive: true,
  verbatimSymlinks: true,
  filter: (path: string) => basename(path) !== 'gconv',
} as const;
const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');

/** Makes a fresh folder, hands it to `use` and removes it, whatever happens. */
export async function withFolder<T>(parent: string, name: string, use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, `${name}-`));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Fills `root` with a static busybox and a link for each of its commands: a small system that needs nothing else.
 * @param ownBusybox one that this machine can run, and so ask for its commands
 */
export async function placeBusybox(
  root: string,
  { busybox, ownBusybox }: { readonly busybox: string; readonly ownBusybox: string },
): Promise<void> {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await copyFile(busybox, join(root, 'bin/busybox'));
  const commands = (await query(ownBusybox, ['--list'])).split('\n');
  for (const command of commands) {
    if (command !== '' && command !== 'busybox') await symlink('busybox', join(root, 'bin', command));
  }
}

/**
 * Copies `files` into `root`, and with them every shared library that `ldd` names for them, at its own path; or else all
 * libraries of `system`, a folder of another architecture.
 */
export async function placeFiles(root: string, files: readonly PlacedFile[], system?: string): Promise<void> {
  if (system !== undefined) {
    for (const folder of ['lib', 'usr/lib']) await cp(join(system, folder), join(root, folder), LIBRARIES);
  }
  const libraries = new Set<string>();
  for (const { hostPath, guestPath } of files) {
    const target = join(root, guestPath);
    await mkdir(dirname(target), { recursive: true });
    await cp(hostPath, target, { recursive: true, verbatimSymlinks: (await stat(hostPath)).isDirectory() });
    if (system !== undefined) continue;
    for (const binary of await binariesIn(target)) {
      for (const library of await librariesOf(binary)) libraries.add(library);
    }
  }
  for (const library of libraries) {
    // Beside the file that needs it: found there by its run path, and copied already.
    if (library.startsWith(root)) continue;
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
}

async function binariesIn(path: string): Promise<readonly string[]> {
  const entry = await stat(path);
  if (!entry.isDirectory()) return (await isElf(path)) ? [path] : [];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const marks = await Promise.all(files.map(isElf));
  return files.filter((_, index) => marks[index]);
}

async function isElf(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.equals(ELF_MAGIC);
  } finally {
    await file.close();
  }
}

/** Damaged files have none: how they fail is for the emulated machine to show. */
async function librariesOf(binary: string): Promise<readonly string[]> {
  const text = await query('ldd', [binary]).catch(() => '');
  return [...text.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].flatMap((match) => match[1] ?? []);
}
