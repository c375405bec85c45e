import type { CType, ParameterRole } from './ir.ts';
import { type Candidate, type Candidates, isByte, isSize, mentions, sentences, textOf } from './role-words.ts';

/** Memory that the function only reads, counted by another parameter; null when the comment does not prove it. */
export function bufferRole({ all, index, docs, resolve }: Candidates, element: CType): ParameterRole | null {
  const next = all[index + 1];
  if (isByte(element) || element.kind === 'void') {
    if (!isSize(next)) return null;
    const size = textOf(next.name, docs);
    if (/\bsizeof\b/.test(size)) return { kind: 'record', lengthIn: next.name };
    return /\b(?:size|length|number)\b.*\bbytes\b/i.test(size) ? { kind: 'buffer', lengthIn: next.name } : null;
  }
  if (element.kind !== 'integer' && element.kind !== 'float') return null;
  const counts = [next, all[index - 1]].filter((one) => one !== undefined);
  const count = counts.find(({ name, type }) => isCount(textOf(name, docs), resolve(type)));
  return count !== undefined && /\barray\b/i.test(textOf(all[index]?.name ?? '', docs))
    ? { kind: 'buffer', lengthIn: count.name }
    : null;
}

/**
 * Whether a parameter counts elements and does nothing else: one that counts bytes counts something else, and one with
 * a meaning of its own for some value (`0 = detect`) must stay in the caller's hands.
 */
function isCount(text: string, type: CType): boolean {
  if (type.kind !== 'integer' || type.signed || /\bbytes\b|\d\s*(?:=|means\b)/i.test(text)) return false;
  return /\b(?:number|count) of\b/i.test(text);
}

/** The fixed length that a comment states: "an array of 6 uint8_t entries". */
export function documentedLength(text: string): number | null {
  const length = /\barray of (\d+) (?:uint8_t|bytes)\b/i.exec(text)?.[1];
  return length === undefined ? null : Number(length);
}

const OUTLIVES_THE_CALL = [
  /\b(?:is|are) not copied\b/i,
  /\b(?:keep|keeps|kept|stay|stays|remain|remains)\b[^.]*\b(?:valid|alive|allocated)\b/i,
  /\b(?:valid|alive)\b[^.]*\b(?:until|lifetime|as long as|while)\b|\bmust outlive\b/i,
];

/**
 * Whether the comment says that C goes on using the memory after the call. A sentence that names no parameter speaks of
 * every pointer to const but strings, which is how headers describe the one block of data that a function takes.
 */
export function isKept({ all, docs }: Candidates, { name, type }: Candidate): boolean {
  // A pointer that C sets is C's own, however long it stays valid.
  if (type.kind !== 'pointer' || (!type.const && type.pointee.kind === 'pointer')) return false;
  const kept = (text: string): boolean => OUTLIVES_THE_CALL.some((pattern) => pattern.test(text));
  if (kept(textOf(name, docs))) return true;
  const isData = type.const && type.pointee.kind !== 'char' && type.pointee.kind !== 'pointer';
  return sentences(docs)
    .filter(kept)
    .some((text) => mentions(text, name) || (isData && !all.some((other) => mentions(text, other.name))));
}
