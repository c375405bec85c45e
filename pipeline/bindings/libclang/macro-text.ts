/**
 * Reads what libclang does not tell about macros straight from the header's bytes: the body, and the comment that
 * belongs to it. All offsets are byte offsets, as the parser gives them.
 */

/** A definition ends with its line; a backslash before the line break continues it, and comments may span lines. */
export function macroBody(source: Buffer, nameOffset: number, name: string): string {
  const start = nameOffset + Buffer.byteLength(name);
  let end = start;
  while (end < source.length) {
    if (source[end] === 0x0a && source[end - 1] !== 0x5c && !(source[end - 1] === 0x0d && source[end - 2] === 0x5c))
      break;
    end = source.subarray(end, end + 2).toString('latin1') === '/*' ? skipComment(source, end) : end + 1;
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
  const before = source.subarray(Math.max(0, lineStart - COMMENT_LIMIT), lineStart).toString('utf8');
  const comment = lastBlockComment(before) ?? lastLineComments(before);
  if (comment === null) return null;
  if (/^\/(\*[*!]|\/[/!])/.test(comment)) return comment;
  return nextLineDefines(source, nameOffset) ? null : comment;
}

const COMMENT_LIMIT = 64 * 1024;

function lastBlockComment(before: string): string | null {
  const text = before.replace(/[ \t]*\r?\n$/, '');
  if (!text.endsWith('*/')) return null;
  const start = text.lastIndexOf('/*', text.length - 4);
  return start === -1 || text.indexOf('*/', start + 2) !== text.length - 2 ? null : text.slice(start);
}

function lastLineComments(before: string): string | null {
  const lines = before.split('\n').slice(0, -1);
  let first = lines.length;
  while (first > 0 && /^[ \t]*\/\//.test(lines[first - 1] ?? '')) first -= 1;
  return first === lines.length ? null : lines.slice(first).join('\n').trim();
}

function nextLineDefines(source: Buffer, nameOffset: number): boolean {
  const rest = source
    .subarray(nameOffset, nameOffset + COMMENT_LIMIT)
    .toString('utf8')
    .replace(/\\\r?\n/g, ' ');
  return /^[^\n]*\n[ \t]*#[ \t]*define\b/.test(rest);
}
