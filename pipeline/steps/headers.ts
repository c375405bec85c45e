import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
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
  return [...headers, ...(await readFurther(further))];
}

async function readFurther(headers: readonly HeaderPath[]): Promise<readonly ReadHeader[]> {
  const read: ReadHeader[] = [];
  for (const header of headers) {
    const { path } = header;
    read.push({ name: basename(path), path, content: await readHeaderFile(header) });
  }
  return read;
}

/**
 * As {@link readHeaders}, for a stored tree of which every file's digest is known.
 * @param digests SHA-256 of every file by relative path, of a link's text with `link:` before it.
 * @returns undefined when a header is missing or not what it was.
 */
export async function readStoredHeaders(
  source: string,
  digests: ReadonlyMap<string, string>,
  further: readonly HeaderPath[],
): Promise<readonly ReadHeader[] | undefined> {
  const headers: ReadHeader[] = [];
  for (const { name, required } of OWN_HEADERS) {
    const path = `include/${name}`;
    if (!digests.has(path) && !required) continue;
    const content = readVerified(source, path, digests);
    if (content === undefined) return undefined;
    headers.push({ name, content: decoded(content, name) });
  }
  return [...headers, ...(await readFurther(further))];
}

/** The bytes that were hashed are the ones that are returned: nothing is read a second time. */
function readVerified(source: string, path: string, digests: ReadonlyMap<string, string>): Buffer | undefined {
  const file = join(source, path);
  try {
    const root = realpathSync(source);
    if (statIfThere(file)?.isSymbolicLink() && digests.get(path) !== sha256(`link:${readlinkSync(file)}`)) {
      return undefined;
    }
    const real = realpathSync(file);
    const content = readBytes(real, path);
    return digests.get(relative(root, real).split(sep).join('/')) === sha256(content) ? content : undefined;
  } catch {
    // Whatever is wrong with a stored file, it is fetched again.
    return undefined;
  }
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * Reads one header, as hostile input.
 * @param known the name that messages use.
 * @throws BuildError A3S3002, A3S5002 as {@link readHeaders} does.
 */
export async function readHeaderFile({ path, root }: HeaderPath, known = path): Promise<string> {
  return withDiskErrors(path, async () => {
    const real = realpathSync(path);
    if (!real.startsWith(asPrefix(realpathSync(root)))) {
      throw refused(known, {
        message: `${known} leads out of the folder that it must be in`,
        cause: 'A link could bring any file of the machine into messages and bindings.',
        fix: 'Put the file itself into the source tree or the project, or name it with --header.',
      });
    }
    return decoded(readBytes(real, known), known);
  });
}

function readBytes(path: string, known: string): Buffer {
  // A pipe without a writer would otherwise never open.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw refused(known, { message: `${known} is not a file`, fix: 'Name a header file.' });
    if (status.size > SIZE_LIMIT) {
      const message = `${known} has ${status.size} bytes; the limit is ${SIZE_LIMIT}`;
      throw refused(known, { message, fix: 'Name a header; no header of this size is read.' });
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
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
