import { posix } from 'node:path';
import { buildError } from '../../plan/errors.ts';
import type { Target } from '../../plan/targets.ts';
import { STANDARD_HEADERS } from './standard-headers.ts';

/** A header by the name that `#include` and messages use: relative, with `/`. */
export interface HeaderFile {
  readonly name: string;
  readonly content: string;
}

/** What a parser needs to read one translation unit: everything by value, nothing from the disk. */
export interface UnitRequest {
  /** Target id, passed through to the result. */
  readonly target: string;
  /** Names of the headers whose functions and macros are wanted. */
  readonly headers: readonly string[];
  /** Absolute paths in the parser's own file system. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly arguments: readonly string[];
}

/** Folders of the parser's own file system; no path of the real one is visible to it. */
export const SOURCE_ROOT = '/src/';
const STANDARD_ROOT = '/standard/';

/** Mistakes that libclang 16 and newer refuse by themselves, and older ones read in silence as something else. */
const ERRORS_EVERYWHERE = [
  '-Werror=implicit-int',
  '-Werror=implicit-function-declaration',
  '-Werror=int-conversion',
  '-Werror=incompatible-function-pointer-types',
];

/** libkrun.h has 39 KB; a header of 10,000 functions has about 3 MB. */
const HEADER_LIMIT = 4 * 1024 * 1024;
const TOTAL_LIMIT = 32 * 1024 * 1024;
const FILE_COUNT_LIMIT = 1_000;
const NAME = /^[A-Za-z0-9_+-][A-Za-z0-9_.+-]*(\/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)*$/;

/**
 * Describes the translation unit that includes `headers` in order.
 * @param includes further files that the headers may include; their functions and macros are not part of the result.
 * @throws BuildError A3S3002 for a header that is too large, misnamed or given twice, or when there is none.
 */
export function unitRequest(
  target: Target,
  headers: readonly HeaderFile[],
  includes: readonly HeaderFile[] = [],
): UnitRequest {
  checkFiles(headers, includes);
  const files = [...headers, ...includes].map(({ name, content }) => ({ path: SOURCE_ROOT + name, content }));
  const standard = Object.entries(STANDARD_HEADERS).map(([name, content]) => ({ path: STANDARD_ROOT + name, content }));
  return {
    target: target.id,
    headers: headers.map(({ name }) => name),
    files: [...files, ...standard],
    arguments: [
      '-x',
      'c',
      '-std=gnu17',
      '-nostdinc',
      // Where no compiler is installed, libclang need not look for its parts.
      '--sysroot=/none',
      '--gcc-toolchain=/none',
      '-isystem',
      STANDARD_ROOT.slice(0, -1),
      `-I${SOURCE_ROOT.slice(0, -1)}`,
      '-fparse-all-comments',
      '-ferror-limit=0',
      ...ERRORS_EVERYWHERE,
      '-target',
      target.clangTriple,
    ],
  };
}

function checkFiles(headers: readonly HeaderFile[], includes: readonly HeaderFile[]): void {
  if (headers.length === 0) throw refused('no header was given', undefined);
  const seen = new Set<string>();
  let total = 0;
  for (const { name, content } of [...headers, ...includes]) {
    if (!NAME.test(name) || posix.normalize(name) !== name) {
      throw refused('the name of a header must be a relative path of plain characters', undefined);
    }
    if (seen.has(name)) throw refused(`${name} was given twice`, name);
    seen.add(name);
    const size = Buffer.byteLength(content);
    total += size;
    if (size > HEADER_LIMIT) throw refused(`${name} has ${size} bytes; the limit is ${HEADER_LIMIT}`, name);
  }
  if (total > TOTAL_LIMIT || seen.size > FILE_COUNT_LIMIT) {
    throw refused(`the headers are too many: ${seen.size} files of ${total} bytes`, undefined);
  }
}

function refused(message: string, file: string | undefined) {
  return buildError('A3S3002', {
    message,
    cause: 'The header was refused before it was parsed.',
    ...(file === undefined ? {} : { where: { file } }),
  });
}
