import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
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
  const root = await withDiskErrors(source, async () => realpathSync(source));
  const headers: HeaderFile[] = [];
  for (const { name, required } of OWN_HEADERS) {
    const path = join(source, 'include', name);
    if (!required && statIfThere(path) === undefined) continue;
    const real = await withDiskErrors(path, async () => realpathSync(path));
    if (!real.startsWith(root + sep)) throw refused(`include/${name} leads out of the source tree`, path);
    headers.push({ name, content: (await readHeader(real)).toString('utf8') });
  }
  return [...headers, ...(await readFurther(further))];
}

/**
 * As {@link readHeaders}, for a stored tree of which every file's digest is known.
 * @param digests SHA-256 of every file by relative path, of a link's text with `link:` before it.
 * @returns undefined when a header is missing or not what it was.
 */
export async function readStoredHeaders(
  source: string,
  digests: ReadonlyMap<string, string>,
  further: readonly string[],
): Promise<readonly HeaderFile[] | undefined> {
  const headers: HeaderFile[] = [];
  for (const { name, required } of OWN_HEADERS) {
    const path = `include/${name}`;
    if (!digests.has(path) && !required) continue;
    const content = await readVerified(source, path, digests).catch(() => undefined);
    if (content === undefined) return undefined;
    headers.push({ name, content });
  }
  return [...headers, ...(await readFurther(further))];
}

/** The bytes that were hashed are the ones that are returned: nothing is read a second time. */
async function readVerified(
  source: string,
  path: string,
  digests: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const file = join(source, path);
  const root = realpathSync(source);
  if (statIfThere(file)?.isSymbolicLink() && digests.get(path) !== sha256(`link:${readlinkSync(file)}`)) {
    return undefined;
  }
  const real = realpathSync(file);
  const content = await readHeader(real);
  const expected = digests.get(relative(root, real).split(sep).join('/'));
  return expected === sha256(content) ? content.toString('utf8') : undefined;
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function readFurther(paths: readonly string[]): Promise<readonly HeaderFile[]> {
  const headers: HeaderFile[] = [];
  for (const path of paths) headers.push({ name: basename(path), content: (await readHeader(path)).toString('utf8') });
  return headers;
}

function readHeader(path: string): Promise<Buffer> {
  return withDiskErrors(path, async () => {
    // A pipe without a writer would otherwise never open.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(file);
      if (!status.isFile()) throw refused('a header must be a file', path);
      if (status.size > SIZE_LIMIT) throw refused(`${status.size} bytes; the limit is ${SIZE_LIMIT}`, path);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  });
}

function refused(message: string, file: string) {
  return buildError('A3S3002', { message, cause: 'The header was refused before it was parsed.', where: { file } });
}
