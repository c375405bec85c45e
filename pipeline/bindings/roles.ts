import type { CType, Docs, Parameter, ParameterRole, ReturnMeaning } from './ir.ts';
import type { Resolve } from './napi-resolve.ts';
import type { ParameterOverride } from './overrides.ts';
import { bufferRole, documentedLength, isKept } from './role-buffers.ts';
import { outRole } from './role-outs.ts';
import { type Candidate, type Candidates, isByte, isCString, isSize, textOf } from './role-words.ts';

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
  { pattern: /^1 if\b[^.,]*, 0 if\b[^.,]*,? or a negative error (?:number|code)\b/i, meaning: 'boolean' },
  { pattern: /^(?!0\b|zero\b)\S[\s\S]*\bor a negative error (?:number|code)\b/i, meaning: 'value' },
];

/** What the roles of a function's parameters follow from. */
export interface RoleSources {
  readonly docs: Docs | null;
  readonly overrides: Readonly<Record<string, ParameterOverride>>;
  /** Follows the headers' typedefs and enums. */
  readonly resolve: Resolve;
}

/** Gives every parameter its role and says whether null is a documented value of it. */
export function parameterRoles(
  all: readonly Candidate[],
  { docs, overrides, resolve }: RoleSources,
  ask: Ask,
): readonly Parameter[] {
  const roles = all.map((candidate, index) => {
    const given = overrides[candidate.name]?.role;
    return given ?? pointerRole({ all, index, docs, resolve }, candidate, ask);
  });
  return all.map(({ name, type }, index) => {
    const role = lengthRole(name, all, roles) ?? roles[index] ?? { kind: 'value' };
    const nullable = overrides[name]?.nullable ?? (type.kind === 'pointer' && isNullable(name, role, docs, ask));
    return { name, type, role, nullable };
  });
}

const LENGTH_ROLES = { buffer: 'buffer-length', record: 'record-length', 'out-bytes': 'out-length' } as const;

/** A parameter that counts what is behind another takes its role from that other one. */
function lengthRole(name: string, all: readonly Candidate[], roles: readonly ParameterRole[]): ParameterRole | null {
  for (const [index, role] of roles.entries()) {
    const owner = all[index];
    if ('lengthIn' in role && role.lengthIn === name && owner !== undefined) {
      return { kind: LENGTH_ROLES[role.kind], of: owner.name };
    }
  }
  return null;
}

function pointerRole(candidates: Candidates, candidate: Candidate, ask: Ask): ParameterRole {
  const { name, type } = candidate;
  if (type.kind !== 'pointer') return { kind: 'value' };
  const unknown = (question: string): ParameterRole => {
    ask(`${question} "${name}"`, { parameter: name, answer: 'role' });
    return { kind: 'value' };
  };
  const next = candidates.all[candidates.index + 1];
  const text = textOf(name, candidates.docs);
  const { pointee } = type;
  const element = candidates.resolve(pointee);
  const isNumber = element.kind === 'integer' || element.kind === 'float' || element.kind === 'bool';
  if (pointee.kind === 'function' || (pointee.kind === 'named' && !isNumber)) return { kind: 'value' };
  // Before anything that would be copied for the time of the call.
  if (isKept(candidates, candidate)) return { kind: 'retained' };
  if (isCString(type)) return isSize(next) ? unknown('whether a NUL ends') : { kind: 'string' };
  if (pointee.kind === 'pointer' && type.const && isCString(pointee)) {
    return /\bterminated\b[^.]*\bNULL\b|\bNULL-terminated\b/i.test(text)
      ? { kind: 'string-array' }
      : unknown('what ends the array');
  }
  const length = candidate.fixedLength ?? documentedLength(text);
  if (isByte(element) && type.const && length !== null) return { kind: 'fixed-bytes', length };
  const role = type.const ? bufferRole(candidates, element) : outRole(candidates, candidate);
  return role ?? unknown('what is behind');
}

/** Phrases around NULL that say nothing about passing it. */
const NOT_ABOUT_PASSING = /\bnot (?:be )?NULL\b|\bnon-NULL\b|\bterminated\b[^.]*\bNULL\b[^.]*|\bNULL-terminated\b/gi;
const MAY_BE_NULL = /\bor NULL\b|\b(?:can|may|must) be NULL\b|\bif NULL\b|\bNULL (?:if|to|for|when|means|=)/i;

function isNullable(name: string, role: ParameterRole, docs: Docs | null, ask: Ask): boolean {
  if (docs === null) return false;
  const own = (docs.parameters[name] ?? '').replace(/\s+/g, ' ').replace(NOT_ABOUT_PASSING, '');
  if (MAY_BE_NULL.test(own)) return true;
  // A safe binding always gives a place to write to.
  if (role.kind.startsWith('out')) return false;
  const elsewhere = docs.details.replace(/\s+/g, ' ').split(/(?<=\.) /);
  const sentences = elsewhere.filter((text) => /\bNULL\b/.test(text) && text.includes(`"${name}"`));
  if (sentences.some((text) => /\bpassing NULL\b/i.test(text))) return true;
  if (/\bNULL\b/.test(own) || sentences.some((text) => /\bNULL\b/.test(text.replace(NOT_ABOUT_PASSING, '')))) {
    ask(`whether NULL may be passed as "${name}"`, { parameter: name, answer: 'nullable' });
  }
  return false;
}
