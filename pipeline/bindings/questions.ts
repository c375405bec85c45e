import { buildError, type FailurePlace } from '../plan/errors.ts';
import type { Override, ParameterOverride } from './overrides.ts';
import type { Asked } from './roles.ts';

/** Something that only a person can settle: by reading the implementation, or by correcting an override. */
export interface Question {
  readonly place: FailurePlace;
  readonly function: string;
  readonly text: string;
  /**
   * The answer that is missing, or the parameter that a built-in entry is wrong about; null for an entry that has to be
   * corrected where it stands.
   */
  readonly asked: Asked | { readonly parameter: string; readonly answer: 'none' } | null;
}

/** Functions in one message; a header that nobody has reviewed can have thousands. */
const SHOWN = 20;

const ANSWERS = `returns: status (0 or -errno), value (a number or -errno), boolean (1, 0 or -errno), never, plain (as it is)
role: value (a pointer is then for raw bindings only), string, string-array, fixed-bytes with "length", buffer or record with "lengthIn"`;

/**
 * @param overrides the entries that were in force: what they answer goes into the entries that are proposed.
 * @throws BuildError A3S3003 unless there is no question.
 */
export function refuseQuestions(questions: readonly Question[], overrides: readonly Override[]): void {
  const [first] = questions;
  if (first === undefined) return;
  const texts = questions.slice(0, SHOWN).map(({ text }) => text);
  const more = questions.length > SHOWN ? `; and ${questions.length - SHOWN} more` : '';
  const wrong = questions.filter(({ asked }) => asked === null);
  const fixes = [
    ...(wrong.length === 0 ? [] : ['Correct or remove the override named.']),
    ...(wrong.length === questions.length ? [] : [proposal(questions, overrides)]),
  ];
  throw buildError('A3S3003', {
    message: `${wrong.length === questions.length ? 'overrides do not fit the headers' : 'not proven'}: ${texts.join('; ')}${more}`,
    ...(wrong.length === questions.length ? { cause: 'The headers changed, or the entry was never right.' } : {}),
    fix: fixes.join('\n'),
    where: first.place,
  });
}

/** What to put into the configuration; its empty reasons are refused there until somebody fills them in. */
function proposal(questions: readonly Question[], overrides: readonly Override[]): string {
  const known = new Map(overrides.map((override) => [override.function, override]));
  const names = [...new Set(questions.filter(({ asked }) => asked !== null).map((question) => question.function))];
  const entries = names.slice(0, SHOWN).map((name) => {
    const asked = questions.filter((question) => question.function === name).map((question) => question.asked);
    return `  ${inOneLine(entryFor(name, asked, known.get(name)))}`;
  });
  return [
    'Read what the implementation does, and put the answers and the reason into a3s-build.config.json:',
    '"bindings": { "overrides": [',
    entries.join(',\n'),
    '] }',
    ANSWERS,
  ].join('\n');
}

/** The entry in force, if any, with the plainest answer to each question: one that promises nothing. */
function entryFor(name: string, asked: readonly Question['asked'][], known: Override | undefined): Override {
  const parameters: Record<string, ParameterOverride> = { ...known?.parameters };
  let returns = known?.returns;
  for (const question of asked) {
    if (question === 'returns') returns = 'plain';
    if (question === null || question === 'returns') continue;
    const { parameter, answer } = question;
    const plainest = answer === 'role' ? { role: { kind: 'value' } as const } : { nullable: false };
    if (answer === 'none') delete parameters[parameter];
    else parameters[parameter] = { ...parameters[parameter], ...plainest };
  }
  return {
    function: name,
    ...(returns === undefined ? {} : { returns }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    reason: '',
  };
}

function inOneLine(entry: Override): string {
  return JSON.stringify(entry, null, 1).replace(/\n\s*/g, ' ');
}
