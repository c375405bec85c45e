import { plainText } from './comment-text.ts';
import type { Docs } from './ir.ts';
import type { NodeFunction } from './napi-model.ts';
import type { ResultValue } from './napi-results.ts';

/** A comment block as ts-morph takes it; a description that starts with a line break is written over several lines. */
export interface DocBlock {
  readonly description: string;
  readonly tags: { readonly tagName: string; readonly text?: string }[];
}

/** What libkrun's failures look like in JavaScript; the addon's runtime throws exactly this. */
export const ERROR_CONTRACT: DocBlock = {
  description: [
    '',
    'Thrown when libkrun returns a negative error number, and with code `ENOSYS` when the loaded libkrun does not',
    'have the function. `util.getSystemErrorName(error.errno)` gives the name in `code`.',
    '',
    'Other failures carry a `code` only: `ERR_LIBKRUN_LOAD` (an `Error`: the library cannot be opened),',
    '`ERR_INVALID_ARG_TYPE` (a `TypeError`), `ERR_OUT_OF_RANGE` (a `RangeError`: not an integer in range),',
    '`ERR_INVALID_ARG_VALUE` (a null character in a string, or bytes of the wrong length).',
  ].join('\n'),
  tags: [],
};

export const LOAD_CONTRACT: DocBlock = {
  description: [
    '',
    'Opens libkrun and its firmware from `folder` instead of the `lib` folder beside the addon. Call it before any',
    'other function; without it, the first call opens the library.',
  ].join('\n'),
  tags: [
    { tagName: 'throws', text: '`ERR_LIBKRUN_LOAD` with the reason of the system when a library cannot be opened,' },
    { tagName: 'throws', text: '`ERR_LIBKRUN_LOADED` when the library of another folder is in use already.' },
  ],
};

/** A comment of one paragraph and no tags. */
export function summaryOnly(text: string): DocBlock {
  return { description: multiline(escapeComment(text)), tags: [] };
}

/** The comment of a function; with `prose`, the header's words as well. */
export function docsOf(one: NodeFunction, prose: boolean): DocBlock {
  const { item, result } = one;
  const docs = prose ? item.docs : null;
  const tags: { tagName: string; text?: string }[] = [];
  for (const { cName, jsName } of one.parameters) {
    const text = docs?.parameters[cName] ?? '';
    if (text !== '') tags.push({ tagName: 'param', text: `${jsName} ${escapeComment(text)}` });
  }
  const [first, ...more] = result.values;
  const returns = first === undefined || more.length > 0 ? '' : valueText(first, docs);
  if (returns !== '') tags.push({ tagName: 'returns', text: escapeComment(returns) });
  tags.push({ tagName: 'throws', text: `{KrunError} ${THROWS[item.meaning]}` });
  const { deprecated = null } = item.docs ?? {};
  // That a function is deprecated is a fact of the interface; why, is the header's prose.
  if (deprecated !== null)
    tags.push(prose ? { tagName: 'deprecated', text: escapeComment(deprecated) } : { tagName: 'deprecated' });
  const paragraphs = [docs?.summary ?? '', docs?.details ?? ''].filter((text) => text !== '').map(escapeComment);
  return { description: multiline([...paragraphs, `C function: \`${item.name}\`.`].join('\n\n')), tags };
}

/** The comment of one field of the object that a function returns, if there is anything to say. */
export function valueDocs(value: ResultValue, docs: Docs | null): readonly DocBlock[] {
  const text = valueText(value, docs);
  return text === '' ? [] : [summaryOnly(text)];
}

/** What the header says of a value; of 0 and of negative numbers it speaks elsewhere, as they are exceptions here. */
function valueText({ cName }: ResultValue, docs: Docs | null): string {
  if (docs === null) return '';
  if (cName === null) return docs.returns.replace(FAILURE_WORDS, '');
  return (docs.parameters[cName] ?? '').replace(OUT_WORDS, '');
}

/** How the header begins what it says of a pointer that a value is written through; JavaScript gets the value. */
const OUT_WORDS = /^(?:receives|is set to|out(?:put)?(?: parameter)?[:,])\s+/i;

/** How the header ends its sentences about results; in JavaScript a failure is thrown, never returned. */
const FAILURE_WORDS = /,?\s+or a negative error number on failure\b/i;

const THROWS: Readonly<Record<NodeFunction['item']['meaning'], string>> = {
  status: 'when libkrun refuses the call or lacks the function',
  value: 'when libkrun refuses the call or lacks the function',
  boolean: 'when libkrun refuses the call or lacks the function',
  never: 'when the call fails before the process is taken over',
  plain: 'when libkrun lacks the function',
};

function multiline(text: string): string {
  return text.includes('\n') ? `\n${text}` : text;
}

/** The header's words inside a comment block: they can neither end it nor pass for a tag. */
function escapeComment(text: string): string {
  return (
    plainText(text)
      .replace(/\*\//g, '*\\/')
      // A comment that seems to open another one makes ts-morph lose count.
      .replace(/\/\*/g, '/\\*')
      .replace(/@/g, '\\@')
      // A fence left open would take the tags along.
      .replace(/`{3,}|~{3,}/g, (fence) => fence.replace(/./g, '\\$&'))
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
      .trim()
  );
}
