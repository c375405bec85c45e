import type { FailurePlace } from '../plan/errors.ts';
import type { CType } from './ir.ts';
import type { RawUnit } from './libclang/raw.ts';
import type { GivenRole, Override } from './overrides.ts';
import type { Question } from './questions.ts';
import type { Candidate } from './role-words.ts';

/** Entries whose function, or one of whose parameters, the headers do not have. */
export function staleEntries(raw: RawUnit, overrides: readonly Override[]): readonly Question[] {
  const functions = new Map(
    raw.items.flatMap((item) => (item.kind === 'function' ? [[item.name, item] as const] : [])),
  );
  const start = { file: raw.headers[0] ?? '', line: 1 };
  return overrides.flatMap((override) => {
    const found = functions.get(override.function);
    if (found === undefined) {
      const text = `${override.function}: an override names it, but no header declares it`;
      return [{ place: override.place ?? start, function: override.function, text, asked: null }];
    }
    const names = new Set(found.parameters.map(({ name }, index) => name || unnamed(index)));
    return Object.keys(override.parameters ?? {})
      .filter((name) => !names.has(name))
      .map((name) => wrongParameter(override, found.place, name, `with a parameter "${name}", which it does not have`));
  });
}

/** How a parameter without a name is called. */
export function unnamed(index: number): string {
  return `argument_${index}`;
}

/** Roles of an entry that the types of the function's parameters rule out. */
export function misfits(
  override: Override,
  place: FailurePlace,
  candidates: readonly Candidate[],
): readonly Question[] {
  return candidates.flatMap((candidate) => {
    const role = override.parameters?.[candidate.name]?.role;
    const wrong = role === undefined ? null : misfit(role, candidate.type, candidates);
    return wrong === null
      ? []
      : [wrongParameter(override, place, candidate.name, `and calls its parameter "${candidate.name}" ${wrong}`)];
  });
}

function misfit(role: GivenRole, type: CType, candidates: readonly Candidate[]): string | null {
  const pointee = type.kind === 'pointer' ? type.pointee : null;
  switch (role.kind) {
    case 'string':
      return isBytes(pointee) ? null : 'a string, but it points to no characters';
    case 'string-array':
      return pointee?.kind === 'pointer' && isBytes(pointee.pointee)
        ? null
        : 'an array of strings, but it points to none';
    case 'fixed-bytes':
      return isBytes(pointee) ? null : 'bytes, but it points to none';
    case 'out':
    case 'retained':
      return pointee === null ? 'a pointer, but it is none' : null;
    case 'out-bytes':
      return pointee?.kind === 'pointer' ? null : 'a pointer to set, but it points to none';
    case 'buffer':
    case 'record': {
      if (pointee === null) return `a ${role.kind}, but it is no pointer`;
      const counts = candidates.some(({ name, type: other }) => name === role.lengthIn && isCount(other));
      return counts ? null : `a ${role.kind} counted by "${role.lengthIn}", which is none of its integers`;
    }
    default:
      return null;
  }
}

/** What a typedef stands for is not known here, and it may well be a byte. */
function isBytes(type: CType | null): boolean {
  if (type === null) return false;
  if (type.kind === 'integer') return type.bits === 8;
  return type.kind === 'char' || type.kind === 'void' || type.kind === 'named';
}

function isCount(type: CType): boolean {
  return type.kind === 'integer' || type.kind === 'named';
}

/** An entry of the user's has to be corrected; a built-in one is replaced by an entry of the user's. */
function wrongParameter(override: Override, found: FailurePlace, parameter: string, problem: string): Question {
  const { function: name, place } = override;
  if (place !== undefined)
    return { place, function: name, text: `${name}: an override names it ${problem}`, asked: null };
  const text = `${name}: the built-in table names it ${problem}`;
  return { place: found, function: name, text, asked: { parameter, answer: 'none' } };
}
