import { buildError } from '../plan/errors.ts';
import type { AuditFinding } from './audit-types.ts';
import { printable, printableBytes } from './byte-reader.ts';

/** Bytes shown before and after a place that was found. */
const BEFORE = 16;
const AFTER = 80;
/** Places counted before the count says "or more": a build path can stand in a file thousands of times. */
const MAX_COUNTED = 1000;

interface SearchedFile {
  readonly bytes: Uint8Array;
  readonly expected: { readonly forbiddenText?: readonly string[] };
}

export function checkForbiddenText({ bytes, expected }: SearchedFile): AuditFinding[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [...new Set(expected.forbiddenText ?? [])].flatMap((text): AuditFinding[] => {
    // An empty text would be found everywhere and says that the caller lost a path on the way.
    if (text === '') throw buildError('A3S9001', { message: 'an audit was asked to look for an empty text' });
    const needle = Buffer.from(text, 'utf8');
    const at = file.indexOf(needle);
    if (at < 0) return [];
    const count = countFrom(file, needle, at);
    const context = printableBytes(file.subarray(Math.max(0, at - BEFORE), at + needle.length + AFTER));
    const times = count === MAX_COUNTED ? `${count} times or more` : count === 1 ? 'once' : `${count} times`;
    const message = `holds '${printable(text)}' ${times}, first at offset ${at}: '${context}'`;
    return [{ check: 'forbiddenText', message }];
  });
}

/**
 * What to look for so that no path of the build machine stays in a file: each folder with a slash behind it, since
 * `/home/al` alone also begins `/home/alice`. The root folder and relative paths say nothing about a machine and are dropped.
 */
export function pathNeedles(folders: readonly string[]): string[] {
  const absolute = folders.filter((folder) => folder.startsWith('/')).map((folder) => `${folder.replace(/\/+$/, '')}/`);
  return [...new Set(absolute)].filter((needle) => needle !== '/');
}

function countFrom(file: Buffer, needle: Buffer, first: number): number {
  let count = 0;
  for (let at = first; at >= 0 && count < MAX_COUNTED; at = file.indexOf(needle, at + needle.length)) count += 1;
  return count;
}
