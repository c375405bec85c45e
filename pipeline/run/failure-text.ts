import type { Failure } from '../plan/errors.ts';
import type { Paint } from './terminal.ts';

/** A failure as a person reads it: what, why, what to do, where to look. */
export function renderFailure(failure: Failure, paint: Paint): string {
  const { code, message, cause, fix, where, log } = failure;

  const place = where === undefined ? undefined : [where.file, where.line, where.column].filter(Boolean).join(':');
  const rows: [string, string | undefined][] = [
    ['Why', cause],
    ['Fix', fix],
    ['At', place === log ? undefined : place],
    ['Log', log],
    ['More', `a3s-build explain ${code}`],
  ];
  const body = rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${`${name}:`.padEnd(6)}${indent(text)}`]));
  return `${paint('red', '✗')} ${message}  ${paint('dim', code)}\n${body.join('\n')}\n`;
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n        ');
}
