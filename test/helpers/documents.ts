import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './session.ts';

/** The code blocks of a document of this repository that are in `language`, without their fences. */
export function codeBlocks(document: string, language: string): readonly string[] {
  const text = readFileSync(join(REPOSITORY, document), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body = '']) =>
    name === language ? [body] : [],
  );
}

/** The one block in `language` that holds `words`. */
export function codeBlock(document: string, language: string, words: string): string {
  const [found, ...more] = codeBlocks(document, language).filter((body) => body.includes(words));
  if (found === undefined || more.length > 0)
    throw new Error(`${document} has not one ${language} block with ${words}`);
  return found;
}
