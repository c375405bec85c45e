import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../plan/config.ts';
import { readTextIfThere, temporaryName, withDiskErrors } from './files.ts';

/** A file below `vendor/`. */
export interface PinFile {
  /** Relative to `vendor/`, with `/`. */
  readonly path: string;
  readonly content: string;
}

/** The project's own file, else the one that comes with the tool; undefined where neither has it. */
export async function readPinFile(
  { projectRoot, toolRoot }: Pick<Config, 'projectRoot' | 'toolRoot'>,
  path: string,
): Promise<string | undefined> {
  const own = await readTextIfThere(join(projectRoot, 'vendor', path));
  return own ?? (await readTextIfThere(join(toolRoot, 'vendor', path)));
}

/**
 * Writes pins of the project. All files are on disk before the first gets its name, so that little can come between
 * them; each is the old or the new one, never a part.
 * @returns Paths of those whose content changed, relative to the project.
 */
export async function writePinFiles(projectRoot: string, files: readonly PinFile[]): Promise<readonly string[]> {
  const staged: { temporary: string; file: string }[] = [];
  const written: string[] = [];
  try {
    for (const { path, content } of files) {
      const file = join(projectRoot, 'vendor', path);
      if ((await readTextIfThere(file)) === content) continue;
      const temporary = temporaryName(file);
      staged.push({ temporary, file });
      written.push(`vendor/${path}`);
      await withDiskErrors(file, async () => {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(temporary, content, { mode: 0o644, flush: true });
      });
    }
    for (const { temporary, file } of staged) await withDiskErrors(file, () => rename(temporary, file));
  } finally {
    for (const { temporary } of staged) await rm(temporary, { force: true });
  }
  return written;
}
