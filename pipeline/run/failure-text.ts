import type { Failure, FailurePlace } from '../plan/errors.ts';
import type { Paint } from './terminal.ts';

/** A failure as a person reads it: what, why, what to do, where to look. */
export function renderFailure(failure: Failure, paint: Paint): string {
  const { code, message, cause, fix, where, also, log } = failure;
  const rows: [string, string | undefined][] = [
    ['Why', cause],
    ['Fix', fix],
    ['At', placeText(where) === log ? undefined : placeText(where)],
    ['And', placeText(also)],
    ['Log', log],
    ['More', `a3s-build explain ${code}`],
  ];
  const body = rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${`${name}:`.padEnd(6)}${indent(text)}`]));
  return `${paint('red', '✗')} ${message}  ${paint('dim', code)}\n${body.join('\n')}\n`;
}

/** The place, and below it the source line with a mark under what is meant. */
function placeText(place: FailurePlace | undefined): string | undefined {
  if (place === undefined) return undefined;
  const { file, line, column, source } = place;
  const head = [file, line, column].filter(Boolean).join(':');
  if (source === undefined) return head;
  const number = `${line ?? ''} | `;
  const mark = source.caret === undefined ? '' : `\n${' '.repeat(number.length - 2)}| ${' '.repeat(source.caret)}^`;
  return `${head}\n${number}${source.text}${mark}`;
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n        ');
}
