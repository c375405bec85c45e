import { printable } from './byte-reader.ts';

/** Names shown in one message before it says how many more there are. */
const SHOWN = 10;

/** Whether a name is in a list in which a `*` at the end stands for any rest. */
export function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const starts = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (name) => exact.has(name) || starts.some((start) => name.startsWith(start));
}

/** Names out of a file for a message: the first few, safe for a terminal. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => printable(name.slice(0, 200)));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
