import type { Inputs } from './inputs.ts';

const NAMED = 3;

/**
 * One line that says why a step runs, told from the inputs of its last run to those of this one.
 * Values that are short are shown; digests are not, since nobody can read them.
 */
export function explainChange(before: Inputs | undefined, now: Inputs): string {
  if (before === undefined) return 'first run';
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  const changes = [...names].filter((name) => before[name] !== now[name]).sort();
  if (changes.length === 0) return 'result was deleted or damaged';
  const shown = changes.slice(0, NAMED).map((name) => describe(name, before[name], now[name]));
  const more = changes.length > NAMED ? ` and ${changes.length - NAMED} more` : '';
  return shown.join(', ') + more;
}

function describe(name: string, before: string | undefined, now: string | undefined): string {
  const label = name.replace(/^source: /, '');
  if (before === undefined) return `${label} added`;
  if (now === undefined) return `${label} removed`;
  const readable = (text: string): boolean => text.length <= 32 && !text.includes('\n');
  return readable(before) && readable(now) ? `${label} changed from ${before} to ${now}` : `${label} changed`;
}
