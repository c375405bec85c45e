/**
 * Reads what libclang does not tell about macros straight from the header's bytes: the body, and the comment that
 * belongs to it. All offsets are byte offsets, as the parser gives them.
 */

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const STAR = 0x2a;

/** A definition ends with its line; a backslash before the line break continues it, and comments may span lines. */
export function macroBody(source: Buffer, nameOffset: number, name: string): string {
  const start = nameOffset + Buffer.byteLength(name);
  let end = start;
  while (end < source.length) {
    if (source[end] === LINE_FEED && !isContinued(source, end)) break;
    end = source[end] === SLASH && source[end + 1] === STAR ? skipComment(source, end) : end + 1;
  }
  return source.subarray(start, Math.min(end, source.length)).toString('utf8').trim();
}

function skipComment(source: Buffer, start: number): number {
  const close = source.indexOf('*/', start + 2);
  return close === -1 ? source.length : close + 2;
}

/** The body without comments and line continuations: empty for a macro that is only defined. */
export function significantBody(body: string): string {
  return body
    .replace(/\\\r?\n/g, ' ')
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/.*$/s, ' ')
    .trim();
}

/**
 * The comment that ends on the line before a `#define`. A documentation comment (`/**`, `///`) always belongs to the
 * macro; a plain one only where no other `#define` follows directly, for then it may as well be the heading of a group.
 */
export function macroComment(source: Buffer, nameOffset: number): string | null {
  const lineStart = source.lastIndexOf(0x0a, nameOffset) + 1;
  const comment = lastBlockComment(source, lineStart) ?? lastLineComments(source, lineStart);
  if (comment === null) return null;
  if (/^\/(\*[*!]|\/[/!])/.test(comment)) return comment;
  return nextLineDefines(source, nameOffset) ? null : comment;
}

/** Bytes that are looked at on either side of a definition. */
const COMMENT_LIMIT = 64 * 1024;

/** Only bytes near `lineStart` are looked at: a header may hold thousands of macros. */
function lastBlockComment(source: Buffer, lineStart: number): string | null {
  let end = lineStart - 1;
  if (source[end] !== LINE_FEED) return null;
  if (source[end - 1] === CARRIAGE_RETURN) end -= 1;
  while (source[end - 1] === SPACE || source[end - 1] === TAB) end -= 1;
  const from = Math.max(0, end - COMMENT_LIMIT);
  if (source.subarray(Math.max(from, end - 2), end).toString('latin1') !== '*/') return null;
  const text = source.subarray(from, end);
  const start = text.lastIndexOf('/*', text.length - 4);
  if (start === -1 || text.indexOf('*/', start + 2) !== text.length - 2) return null;
  return text.subarray(start).toString('utf8');
}

function lastLineComments(source: Buffer, lineStart: number): string | null {
  let first = lineStart;
  while (first > 0 && lineStart - first < COMMENT_LIMIT) {
    const before = first < 2 ? 0 : source.lastIndexOf(LINE_FEED, first - 2) + 1;
    if (!/^[ \t]*\/\//.test(source.subarray(before, first).toString('latin1'))) break;
    first = before;
  }
  return first === lineStart ? null : source.subarray(first, lineStart).toString('utf8').trim();
}

function nextLineDefines(source: Buffer, nameOffset: number): boolean {
  const next = logicalLineEnd(source, nameOffset);
  const line = source.subarray(next, Math.min(logicalLineEnd(source, next), next + COMMENT_LIMIT));
  return /^[ \t]*#[ \t]*define\b/.test(line.toString('latin1').replace(/\\\r?\n/g, ' '));
}

/** Position after the line break that no backslash takes back. */
function logicalLineEnd(source: Buffer, from: number): number {
  for (let end = source.indexOf(LINE_FEED, from); end !== -1; end = source.indexOf(LINE_FEED, end + 1)) {
    if (!isContinued(source, end)) return end + 1;
  }
  return source.length;
}

/** Whether a backslash takes the line break at `end` back. */
function isContinued(source: Buffer, end: number): boolean {
  return (source[end - 1] === CARRIAGE_RETURN ? source[end - 2] : source[end - 1]) === BACKSLASH;
}
