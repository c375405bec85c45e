import { closest, distance } from 'fastest-levenshtein';

/** The candidate that `word` was most likely meant to be, or undefined when none is close. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const found = closest(word, [...candidates]);
  return distance(word, found) <= Math.max(2, word.length / 3) ? found : undefined;
}

/** `unknown target "x" (did you mean y?)`, or the list of what is known. */
export function unknownWord(kind: string, word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  const hint = meant === undefined ? `known: ${candidates.join(', ')}` : `did you mean ${meant}?`;
  return `unknown ${kind} "${word}" (${hint})`;
}
