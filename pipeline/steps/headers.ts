import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { HeaderFile } from '../bindings/libclang/request.ts';
import { statIfThere, withDiskErrors } from '../effects/files.ts';
import { buildError } from '../plan/errors.ts';

/** libkrun.h, and those that only some versions have. */
const OWN_HEADERS = [
  { name: 'libkrun.h', required: true },
  { name: 'libkrun_display.h', required: false },
  { name: 'libkrun_input.h', required: false },
] as const;

/** libkrun.h has 39 KB. */
const SIZE_LIMIT = 4 * 1024 * 1024;

/**
 * Reads the headers to bind: those of the source tree, then the user's own. The parser sees these files and no others.
 * @param further absolute paths; each header is known to the others by its file name.
 * @throws BuildError A3S3002 for a header that is too large, no file, or a link out of the source tree; A3S5002 for one
 *   that cannot be read.
 */
export async function readHeaders(source: string, further: readonly string[]): Promise<readonly HeaderFile[]> {
  const root = await withDiskErrors(source, () => realpath(source));
  const headers: HeaderFile[] = [];
  for (const { name, required } of OWN_HEADERS) {
    const path = join(source, 'include', name);
    if (!required && statIfThere(path) === undefined) continue;
    const real = await withDiskErrors(path, () => realpath(path));
    if (!real.startsWith(root + sep)) throw refused(`include/${name} leads out of the source tree`, path);
    headers.push({ name, content: await readHeader(real) });
  }
  for (const path of further) headers.push({ name: basename(path), content: await readHeader(path) });
  return headers;
}

function readHeader(path: string): Promise<string> {
  return withDiskErrors(path, async () => {
    // A pipe without a writer would otherwise never open.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = await file.stat();
      if (!status.isFile()) throw refused('a header must be a file', path);
      if (status.size > SIZE_LIMIT) throw refused(`${status.size} bytes; the limit is ${SIZE_LIMIT}`, path);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  });
}

function refused(message: string, file: string) {
  return buildError('A3S3002', { message, cause: 'The header was refused before it was parsed.', where: { file } });
}
