import type { CType, Docs, Parameter, ParameterRole, ReturnMeaning } from './ir.ts';
import type { ParameterOverride } from './overrides.ts';

/** A parameter before it is known what it is for. `fixedLength` is the length in a declaration like `mac[6]`. */
export interface Candidate {
  readonly name: string;
  readonly type: CType;
  readonly fixedLength: number | null;
}

/** Which answer of an override a question asks for. */
export type Asked = 'returns' | { readonly parameter: string; readonly answer: 'role' | 'nullable' };

/** What neither the doc comment nor the override table answers, as a phrase. */
export type Ask = (question: string, asked: Asked) => void;

/** The meaning of a returned value: from the table, else proven by type and comment, else asked. */
export function returnMeaning(
  returns: CType,
  docs: Docs | null,
  noReturn: boolean,
  override: ReturnMeaning | undefined,
  ask: Ask,
): ReturnMeaning {
  if (override !== undefined) return override;
  if (noReturn || /\bonly returns (?:if|when) an error\b/i.test(docs?.details ?? '')) return 'never';
  if (returns.kind !== 'integer' || !returns.signed) return 'plain';
  const proven = RETURN_PHRASES.find(({ pattern }) => pattern.test(docs?.returns ?? ''));
  if (proven === undefined) ask('what the returned number means', 'returns');
  return proven?.meaning ?? 'status';
}

/** First match wins: "zero … or a negative error" is a status, anything else "or a negative error" is a value. */
const RETURN_PHRASES: readonly { readonly pattern: RegExp; readonly meaning: ReturnMeaning }[] = [
  { pattern: /^(?:0|zero) on success,? or a negative error\b/i, meaning: 'status' },
  { pattern: /^-? ?1 ?: [\s\S]*^-? ?0 ?: [\s\S]*^-? ?<0 ?:/m, meaning: 'boolean' },
  { pattern: /^(?!0\b|zero\b)\S[\s\S]*\bor a negative error (?:number|code)\b/i, meaning: 'value' },
];

/** Gives every parameter its role and says whether null is a documented value of it. */
export function parameterRoles(
  candidates: readonly Candidate[],
  docs: Docs | null,
  overrides: Readonly<Record<string, ParameterOverride>>,
  ask: Ask,
): readonly Parameter[] {
  const roles = candidates.map((candidate, index) => {
    const given = overrides[candidate.name]?.role;
    return given ?? pointerRole(candidate, candidates[index + 1], docs, ask);
  });
  return candidates.map(({ name, type }, index) => {
    const role = lengthRole(name, candidates, roles) ?? roles[index] ?? { kind: 'value' };
    const nullable = overrides[name]?.nullable ?? (type.kind === 'pointer' && isNullable(name, docs, ask));
    return { name, type, role, nullable };
  });
}

/** A parameter that counts another's bytes takes its role from that other one. */
function lengthRole(
  name: string,
  candidates: readonly Candidate[],
  roles: readonly ParameterRole[],
): ParameterRole | null {
  const index = roles.findIndex((role) => 'lengthIn' in role && role.lengthIn === name);
  const owner = candidates[index];
  if (owner === undefined) return null;
  return roles[index]?.kind === 'buffer'
    ? { kind: 'buffer-length', of: owner.name }
    : { kind: 'record-length', of: owner.name };
}

function pointerRole(candidate: Candidate, next: Candidate | undefined, docs: Docs | null, ask: Ask): ParameterRole {
  const { name, type } = candidate;
  if (type.kind !== 'pointer') return { kind: 'value' };
  const unknown = (question: string): ParameterRole => {
    ask(`${question} "${name}"`, { parameter: name, answer: 'role' });
    return { kind: 'value' };
  };
  const text = docs?.parameters[name] ?? '';
  const { pointee } = type;
  if (pointee.kind === 'named' || pointee.kind === 'function') return { kind: 'value' };
  if (isCString(type)) return isSize(next) ? unknown('whether a NUL ends') : { kind: 'string' };
  if (pointee.kind === 'pointer' && type.const && isCString(pointee)) {
    return /\bterminated\b[^.]*\bNULL\b|\bNULL-terminated\b/i.test(text)
      ? { kind: 'string-array' }
      : unknown('what ends the array');
  }
  const length = candidate.fixedLength ?? documentedLength(text);
  if (isByte(pointee) && type.const && length !== null) return { kind: 'fixed-bytes', length };
  if (type.const && isSize(next) && (isByte(pointee) || pointee.kind === 'void')) {
    const sizeText = docs?.parameters[next.name] ?? '';
    if (/\bsizeof\b/.test(sizeText)) return { kind: 'record', lengthIn: next.name };
    if (/\b(?:size|length|number)\b[\s\S]*\bbytes\b/i.test(sizeText)) return { kind: 'buffer', lengthIn: next.name };
  }
  return unknown('what is behind');
}

function documentedLength(text: string): number | null {
  const length = /\barray of (\d+) (?:uint8_t|bytes)\b/i.exec(text)?.[1];
  return length === undefined ? null : Number(length);
}

function isCString(type: CType): boolean {
  return type.kind === 'pointer' && type.const && type.pointee.kind === 'char';
}

function isByte(type: CType): boolean {
  return type.kind === 'integer' && !type.signed && type.bits === 8;
}

function isSize(candidate: Candidate | undefined): candidate is Candidate {
  return candidate?.type.kind === 'integer' && candidate.type.spelling === 'size_t';
}

/** Phrases around NULL that say nothing about passing it. */
const NOT_ABOUT_PASSING = /\bnot (?:be )?NULL\b|\bnon-NULL\b|\bterminated\b[^.]*\bNULL\b[^.]*|\bNULL-terminated\b/gi;
const MAY_BE_NULL = /\bor NULL\b|\b(?:can|may|must) be NULL\b|\bif NULL\b|\bNULL (?:if|to|for|when|means)\b/i;

function isNullable(name: string, docs: Docs | null, ask: Ask): boolean {
  if (docs === null) return false;
  const own = (docs.parameters[name] ?? '').replace(/\s+/g, ' ').replace(NOT_ABOUT_PASSING, '');
  if (MAY_BE_NULL.test(own)) return true;
  const elsewhere = docs.details.replace(/\s+/g, ' ').split(/(?<=\.) /);
  const sentences = elsewhere.filter((text) => /\bNULL\b/.test(text) && text.includes(`"${name}"`));
  if (sentences.some((text) => /\bpassing NULL\b/i.test(text))) return true;
  if (/\bNULL\b/.test(own) || sentences.some((text) => /\bNULL\b/.test(text.replace(NOT_ABOUT_PASSING, '')))) {
    ask(`whether NULL may be passed as "${name}"`, { parameter: name, answer: 'nullable' });
  }
  return false;
}
