import { withoutControls } from '../source-line.ts';
import type { RawDiagnostic } from './raw.ts';

const LOCATED = /^(.+?):(\d+):(\d+): (note|remark|warning|error|fatal error): (.*)$/;
const UNLOCATED = /^(error|fatal error): (.*)$/;

/** Longest text kept of one message: a header can make the parser quote a line of any length. */
const TEXT_LIMIT = 400;

/**
 * Reads what libclang prints, a line each. Of the notes after an error, the one about the declaration that it contradicts
 * is kept; which others there are differs between versions.
 */
export function parseDiagnostics(lines: readonly string[], root: string): readonly RawDiagnostic[] {
  const found: RawDiagnostic[] = [];
  let open = false;
  for (const line of lines) {
    const [, file = '', row, column, severity, text = ''] = LOCATED.exec(line) ?? [];
    const last = found.at(-1);
    if (severity === 'note') {
      if (open && last !== undefined && last.previous === undefined && text.startsWith('previous ')) {
        const previous = { file: withoutRoot(file, root), line: Number(row), column: Number(column) };
        found[found.length - 1] = { ...last, previous };
      }
      continue;
    }
    const diagnostic = parseDiagnostic(line, root);
    // A note after a warning does not belong to the error before it.
    open = diagnostic !== null || (open && severity === undefined);
    if (diagnostic !== null) found.push(diagnostic);
  }
  return found;
}

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

/** Removes the parser's folder from a path, so that only the name given in the request remains. */
export function withoutRoot(path: string, root: string): string {
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Some versions of libclang name the option of a warning that counts as an error (`[-Wimplicit-int]`), some do not. */
function withoutOption(text: string): string {
  return text.replace(/ \[-W[^\]]*\]$/, '');
}

/** A message without control characters, and not longer than one can read. */
export function printable(text: string): string {
  return withoutControls(text).slice(0, TEXT_LIMIT);
}
