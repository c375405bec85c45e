import type { CType, Docs } from './ir.ts';
import type { Resolve } from './napi-resolve.ts';

/** A parameter before it is known what it is for. `fixedLength` is the length in a declaration like `mac[6]`. */
export interface Candidate {
  readonly name: string;
  readonly type: CType;
  readonly fixedLength: number | null;
}

/** A function's parameters, the one looked at, and what is written about them. */
export interface Candidates {
  readonly all: readonly Candidate[];
  readonly index: number;
  readonly docs: Docs | null;
  readonly resolve: Resolve;
}

/** What the comment says of one parameter, on one line. */
export function textOf(name: string, docs: Docs | null): string {
  return (docs?.parameters[name] ?? '').replace(/\s+/g, ' ');
}

/** The sentences of the comment outside the list of arguments. */
export function sentences(docs: Docs | null): readonly string[] {
  if (docs === null) return [];
  const text = `${docs.summary}\n\n${docs.details}\n\n${docs.returns}`;
  return text.split(/\n{2,}/).flatMap((paragraph) => paragraph.replace(/\s+/g, ' ').split(/(?<=[.;]) /));
}

/** Whether a sentence speaks of the parameter: its name in quotes, as code, dereferenced, or as "the … pointer". */
export function mentions(sentence: string, name: string): boolean {
  return [`"${name}"`, `\`${name}\``, `*${name}`, `the ${name} pointer`].some((form) => sentence.includes(form));
}

export function isCString(type: CType): boolean {
  return type.kind === 'pointer' && type.const && type.pointee.kind === 'char';
}

export function isByte(type: CType): boolean {
  return type.kind === 'integer' && !type.signed && type.bits === 8;
}

export function isSize(candidate: Candidate | undefined): candidate is Candidate {
  return candidate?.type.kind === 'integer' && candidate.type.spelling === 'size_t';
}
