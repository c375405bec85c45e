import type { CType, Docs, ParameterRole } from './ir.ts';
import { type Candidate, type Candidates, isByte, isSize, mentions, sentences, textOf } from './role-words.ts';

/** How comments say that a function writes through a pointer, in the text of the parameter itself. */
const WRITES = [
  /\breceives\b|\b(?:is|will be) (?:set|filled|updated)\b|\bout(?:put)?[ -]?(?:parameter|argument|value)\b|\[out\]/i,
  /^out(?:put)?\b[:,.]?/i,
  /\b(?:stored|written|returned|placed|stores|writes|returns|places)\b/i,
  /\bwill (?:hold|contain|receive)\b|\bon success,? (?:holds|contains)\b/i,
];
/** The same in a sentence elsewhere that names the parameter. */
const WRITTEN_TO = /\b(?:stored|written|returned|placed|stores|writes|returns|places|saved|saves|set)\b/i;
/** Reading as well as writing. */
const READS = /\bin[ /-]*(?:and[ -])?out\b|\b(?:on|as) (?:input|entry)\b|\binitiali[sz]ed\b|\bmodif(?:y|ies|ied)\b/i;
/** More than one value behind the pointer. */
const MANY =
  /\b(?:arrays?|buffers?|lists?|vectors?|elements|entries|items|strings?|struct(?:ure)?s?|up to|at least|each)\b/i;
const COUNTS = /\b(?:number|count|length|size|capacity)\b/i;

/** What the function only writes; null when the comment does not prove it, or leaves room for more than one value. */
export function outRole(candidates: Candidates, candidate: Candidate): ParameterRole | null {
  const { all, index, docs, resolve } = candidates;
  const { name, type } = candidate;
  if (type.kind !== 'pointer' || type.const || candidate.fixedLength !== null) return null;
  const next = all[index + 1];
  if (isPointerToBytes(type.pointee)) return bytesRole(candidates, name, next);
  const element = resolve(type.pointee);
  // Comments speak alike of one byte and of many.
  if (!['integer', 'float', 'bool'].includes(element.kind) || isByte(element)) return null;
  const text = textOf(name, docs);
  const isArray = MANY.test(text) || (next !== undefined && isCapacity(next, textOf(next.name, docs)));
  return isWritten(name, docs) && !isArray ? { kind: 'out' } : null;
}

function isWritten(name: string, docs: Docs | null): boolean {
  const own = textOf(name, docs);
  const others = sentences(docs).filter((text) => mentions(text, name));
  if ([own, ...others].some((text) => READS.test(text))) return false;
  return WRITES.some((pattern) => pattern.test(own)) || others.some((text) => WRITTEN_TO.test(text));
}

/** Whether a parameter may say how much room there is behind the pointer before it. */
function isCapacity(next: Candidate, text: string): boolean {
  return (next.type.kind === 'integer' && COUNTS.test(text)) || isSize(next);
}

function isPointerToBytes(type: CType): boolean {
  return type.kind === 'pointer' && type.const && isByte(type.pointee);
}

const FOREVER =
  /\bstatic (?:data|memory|storage)\b|\bvalid (?:for|during|throughout) the (?:whole |entire )?(?:lifetime|life) of the process\b/i;

/** A pointer to bytes is only taken where the comment says that nobody has to free them. */
function bytesRole({ docs }: Candidates, name: string, next: Candidate | undefined): ParameterRole | null {
  if (next?.type.kind !== 'pointer' || next.type.const) return null;
  const { pointee } = next.type;
  if (pointee.kind !== 'integer' || pointee.spelling !== 'size_t') return null;
  const length = textOf(next.name, docs);
  const counts = COUNTS.test(length) && /\bbytes\b/i.test(length);
  const stays = [textOf(name, docs), ...sentences(docs)].some((text) => FOREVER.test(text));
  const proven = isWritten(name, docs) && isWritten(next.name, docs) && counts && stays;
  return proven ? { kind: 'out-bytes', lengthIn: next.name } : null;
}
