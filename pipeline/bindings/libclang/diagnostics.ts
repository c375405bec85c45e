import type { RawDiagnostic } from './raw.ts';

const LOCATED = /^(.+?):(\d+):(\d+): (note|remark|warning|error|fatal error): (.*)$/;
const UNLOCATED = /^(error|fatal error): (.*)$/;

/** Longest text kept of one message: a header can make the parser quote a line of any length. */
const TEXT_LIMIT = 400;

/**
 * Reads one line that libclang prints (`file:line:column: severity: text`).
 * @returns null for anything that is not an error: warnings, notes and lines that are no diagnostic at all.
 */
export function parseDiagnostic(line: string, root: string): RawDiagnostic | null {
  const located = LOCATED.exec(line);
  if (located !== null) {
    const [, file = '', row = '', column = '', severity = '', text = ''] = located;
    if (!severity.endsWith('error')) return null;
    return {
      severity: severity === 'error' ? 'error' : 'fatal',
      place: { file: withoutRoot(file, root), line: Number(row), column: Number(column) },
      text: printable(withoutOption(text)),
    };
  }
  const unlocated = UNLOCATED.exec(line);
  if (unlocated === null) return null;
  return {
    severity: unlocated[1] === 'error' ? 'error' : 'fatal',
    place: null,
    text: printable(withoutOption(unlocated[2] ?? '')),
  };
}

/** The errors among lines that libclang prints. */
export function parseDiagnostics(lines: readonly string[], root: string): readonly RawDiagnostic[] {
  return lines.map((line) => parseDiagnostic(line, root)).filter((found) => found !== null);
}

/** Removes the parser's folder from a path, so that only the name given in the request remains. */
export function withoutRoot(path: string, root: string): string {
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Some versions of libclang name the option of a warning that counts as an error (`[-Wimplicit-int]`), some do not. */
function withoutOption(text: string): string {
  return text.replace(/ \[-W[^\]]*\]$/, '');
}

/** Text of a header may hold terminal control characters; none of them reaches a message. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, TEXT_LIMIT);
}
