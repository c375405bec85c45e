import { BuildError, type FailurePlace } from '../plan/errors.ts';

/** A text by the name that messages use. */
interface NamedText {
  readonly name: string;
  readonly content: string;
  /** The path that a person knows it by, where that is another. */
  readonly path?: string;
}

/** Longest line that is shown whole; of a longer one, what is around the place. */
const WIDTH = 120;
const BEFORE = 60;

/** Text of a header may hold terminal control characters; none of them reaches a message. */
export function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}

/**
 * Adds the source line to a place in one of `files`; a place anywhere else stays as it is.
 * @param place `column` counts bytes from 1, as compilers do.
 */
export function withSourceLine(place: FailurePlace, files: readonly NamedText[]): FailurePlace {
  const found = lineAt(place, files);
  if (found === undefined) return place;
  const whole = withoutControls(found);
  const { column } = place;
  if (column === undefined) return { ...place, source: { text: whole.trim().slice(0, WIDTH) } };
  const before = Buffer.from(found).subarray(0, column - 1);
  const at = withoutControls(before.toString('utf8')).length;
  const indent = whole.length - whole.trimStart().length;
  const start = at < indent + BEFORE ? Math.min(indent, at) : at - BEFORE;
  return { ...place, source: { text: whole.slice(start, start + WIDTH).trimEnd(), caret: at - start } };
}

/** An error about one of `files`, with the source line, and the path that a person knows the file by. */
export function inFiles(error: unknown, files: readonly NamedText[]): unknown {
  if (!(error instanceof BuildError)) return error;
  const { where, also, ...failure } = error.failure;
  if (where === undefined) return error;
  const known = (place: FailurePlace): FailurePlace => {
    const shown = place.source === undefined ? withSourceLine(place, files) : place;
    return { ...shown, file: files.find(({ name }) => name === place.file)?.path ?? place.file };
  };
  const places = { where: known(where), ...(also === undefined ? {} : { also: known(also) }) };
  return new BuildError({ ...failure, ...places }, { cause: error });
}

/** Adds the column of the first mention of `name` in the line, and the line itself. */
export function withLineOfName(place: FailurePlace, name: string, files: readonly NamedText[]): FailurePlace {
  const line = lineAt(place, files) ?? '';
  const match = new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`).exec(line);
  const column = match === null ? {} : { column: Buffer.byteLength(line.slice(0, match.index)) + 1 };
  return withSourceLine({ ...place, ...column }, files);
}

function lineAt({ file, line = 0 }: FailurePlace, files: readonly NamedText[]): string | undefined {
  const text = files.find(({ name }) => name === file)?.content;
  return text?.split('\n')[line - 1]?.replace(/\r$/, '');
}
