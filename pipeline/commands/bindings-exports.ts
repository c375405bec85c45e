import { readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { statIfThere, withDiskErrors } from '../effects/files.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import type { Session } from './session.ts';

/** A library whose exports the headers are held against. */
export interface BuiltLibrary {
  /** As people know it: relative to the project where it lies inside. */
  readonly path: string;
  readonly target: string;
  readonly exported: readonly string[];
  /** Names that the pins allow to be missing, and to be exported beside the headers' own. */
  readonly reviewed: { readonly missing: readonly string[]; readonly extra: readonly string[] };
}

type LibrarySession = Pick<Session, 'config' | 'pins' | 'store' | 'lastRun'>;

/** libkrun has 7 MB. */
const SIZE_LIMIT = 512 * 1024 * 1024;

/**
 * Reads the library that is named, else the one that was built last for the target, as it lies in the output folder or
 * in the store.
 * @param named absolute path
 * @param warn Is told of a built library that cannot be read: nobody asked for that one.
 * @returns undefined where none was built.
 * @throws BuildError A3S5002 and A3S1205 for a named one that cannot be read, or is no library of this kind.
 */
export async function readBuiltLibrary(
  session: LibrarySession,
  named: string | undefined,
  warn: (message: string) => void,
): Promise<BuiltLibrary | undefined> {
  if (named !== undefined) return readLibrary(session, named);
  const path = builtLibraries(session).find((candidate) => statIfThere(candidate) !== undefined);
  if (path === undefined) return undefined;
  try {
    return await readLibrary(session, path);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    warn(`exports are not compared: ${error.message}`);
    return undefined;
  }
}

/** Where builds leave libkrun, the likeliest place first. */
function builtLibraries({ config, store, lastRun }: LibrarySession): readonly string[] {
  const { outDir, target } = config;
  const key = lastRun.key('libkrun');
  const stored = key === undefined ? [] : [join(store.resultDir('libkrun', key), 'lib', target.libraryFile)];
  return [join(outDir, target.id, 'prefix', 'lib', target.libraryFile), ...stored];
}

async function readLibrary({ config, pins }: LibrarySession, path: string): Promise<BuiltLibrary> {
  const bytes = await withDiskErrors(path, async () => {
    const status = await stat(path);
    if (status.isFile() && status.size <= SIZE_LIMIT) return readFile(path);
    throw buildError('A3S1205', { message: `${path} is no file of a library's size`, where: { file: path } });
  });
  const { readElf } = await import('../binary/elf.ts');
  const { missing, extra } = pins.libkrun.exports;
  const inside = relative(resolve(config.projectRoot), path);
  return {
    path: inside.startsWith('..') ? path : inside,
    target: config.target.id,
    exported: readElf(bytes, path).exports.map(({ name }) => name),
    reviewed: { missing: Object.keys(missing), extra: Object.keys(extra) },
  };
}
