import { isUtf8 } from 'node:buffer';

/** The text of a header, or the place of the first bytes in its code that are not UTF-8. */
export type HeaderText = { readonly text: string } | { readonly line: number; readonly column: number };

/**
 * Decodes a header. Comments may be in any encoding, since only people read them; anywhere else (a string, a name) bytes
 * that are not UTF-8 would become another value.
 */
export function decodeHeader(bytes: Buffer): HeaderText {
  if (isUtf8(bytes)) return { text: bytes.toString('utf8') };
  const code = Buffer.from(blankComments(bytes.toString('latin1')), 'latin1');
  if (isUtf8(code)) return { text: bytes.toString('utf8') };
  const lines = code.toString('latin1').split('\n');
  const index = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
  const line = Buffer.from(lines[index] ?? '', 'latin1');
  let at = 0;
  for (let length = 0; at < line.length; at += length) {
    length = sequenceLength(line[at] ?? 0);
    if (!isUtf8(line.subarray(at, at + length))) break;
  }
  return { line: index + 1, column: at + 1 };
}

const COMMENT_OR_LITERAL =
  /\/\*[\s\S]*?(?:\*\/|$)|\/\/(?:\\\r?\n|[^\n])*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g;

/** Replaces what comments say, so that everything else keeps its place. */
function blankComments(source: string): string {
  return source.replace(COMMENT_OR_LITERAL, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

/** How many bytes a character takes that starts with `byte`; 1 for one that starts none. */
function sequenceLength(byte: number): number {
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}
