import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { decodeHeader } from '../bindings/header-text.ts';
import type { HeaderFile } from '../bindings/libclang/request.ts';
import { withSourceLine } from '../bindings/source-line.ts';
import { statIfThere, withDiskErrors } from '../effects/files.ts';
import type { HeaderPath } from '../plan/config.ts';
import { buildError, type FailureDetails } from '../plan/errors.ts';

/** libkrun.h, and those that only some versions have. */
export const OWN_HEADERS = [
  { name: 'libkrun.h', required: true },
  { name: 'libkrun_display.h', required: false },
  { name: 'libkrun_input.h', required: false },
] as const;

/** libkrun.h has 39 KB. */
const SIZE_LIMIT = 4 * 1024 * 1024;

/** A header, and the path that a person knows it by, where that says more than its name. */
export interface ReadHeader extends HeaderFile {
  readonly path?: string;
}

/**
 * Reads the headers to bind: those of the source tree, then the user's own. The parser sees these files and no others.
 * @param further each header is known to the others by its file name.
 * @throws BuildError A3S3002 for a header that is too large, no file, a link out of its folder, or not in UTF-8; A3S5002
 *   for one that cannot be read.
 */
export async function readHeaders(source: string, further: readonly HeaderPath[]): Promise<readonly ReadHeader[]> {
  const headers: ReadHeader[] = [];
  for (const { name, required } of OWN_HEADERS) {
    const path = join(source, 'include', name);
    if (!required && statIfThere(path) === undefined) continue;
    headers.push({ name, content: await readHeaderFile({ path, root: source }, name) });
  }
  for (const header of further) {
    const { path } = header;
    headers.push({ name: basename(path), path, content: await readHeaderFile(header) });
  }
  return headers;
}

/**
 * Reads one header, as hostile input.
 * @param known the name that messages use.
 * @throws BuildError A3S3002, A3S5002 as {@link readHeaders} does.
 */
export async function readHeaderFile({ path, root }: HeaderPath, known = path): Promise<string> {
  return withDiskErrors(path, async () => {
    const real = await realpath(path);
    if (!real.startsWith(asPrefix(await realpath(root)))) {
      throw refused(known, {
        message: `${known} leads out of the folder that it must be in`,
        cause: 'A link could bring any file of the machine into messages and bindings.',
        fix: 'Put the file itself into the source tree or the project, or name it with --header.',
      });
    }
    return decoded(await readBytes(real, known), known);
  });
}

async function readBytes(path: string, known: string): Promise<Buffer> {
  // A pipe without a writer would otherwise never open.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw refused(known, { message: `${known} is not a file`, fix: 'Name a header file.' });
    if (status.size > SIZE_LIMIT) {
      const message = `${known} has ${status.size} bytes; the limit is ${SIZE_LIMIT}`;
      throw refused(known, { message, fix: 'Name a header; no header of this size is read.' });
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function decoded(bytes: Buffer, known: string): string {
  const result = decodeHeader(bytes);
  if ('text' in result) return result.text;
  // Each byte becomes one character, and so counts as one column.
  const content = bytes.toString('latin1');
  const { line, column } = result;
  const before = content.split('\n')[line - 1]?.slice(0, column - 1) ?? '';
  const place = withSourceLine({ file: known, line, column: Buffer.byteLength(before) + 1 }, [
    { name: known, content },
  ]);
  throw refused(known, {
    message: `${known} is not in UTF-8`,
    cause: 'Outside of comments, bytes that are not UTF-8 would become another value.',
    fix: 'Convert the header to UTF-8 (`iconv -f latin1 -t utf-8`), or write the bytes as escapes (\\xe9).',
    where: { ...place, column },
  });
}

function asPrefix(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}

function refused(file: string, details: FailureDetails) {
  return buildError('A3S3002', { cause: 'The header was refused before it was parsed.', where: { file }, ...details });
}
