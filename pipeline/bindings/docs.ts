import type { Docs } from './ir.ts';

/**
 * A doc comment taken apart, before the names in it are matched with the names in the code. Both comment forms of C
 * are read; the sections are the ones that libkrun's headers use: "Arguments:", "Returns:" (with or without the
 * colon), and any other heading ("Notes:", "Error exit codes:"), which stays part of the details.
 */
export interface ParsedDocs {
  readonly summary: string;
  readonly details: string;
  readonly arguments: readonly { readonly name: string; readonly text: string }[];
  readonly returns: string;
  readonly deprecated: string | null;
}

interface Section {
  readonly heading: string;
  readonly lines: readonly string[];
}

const ARGUMENT = /^\s*"([A-Za-z_]\w*)"\s*(?:-\s*)?(.*)$/;
const HEADING = /^([A-Z][A-Za-z]*(?: [a-z]+){0,2}):$/;
const RETURNS_WITHOUT_COLON = /^Returns$/;
const DEPRECATION = /^(?:DEPRECATED|NO LONGER SUPPORTED)\b/;

/** @param comment the comment as written, with its delimiters. */
export function parseDocs(comment: string): ParsedDocs {
  const sections = splitSections(commentLines(comment));
  const body = sections.filter(({ heading }) => heading !== 'Arguments' && heading !== 'Returns');
  const paragraphs = body.flatMap(sectionParagraphs);
  const deprecated = paragraphs[0] !== undefined && DEPRECATION.test(paragraphs[0]) ? paragraphs.shift() : undefined;
  const [summary = '', ...details] = paragraphs;
  return {
    summary: joinLines(summary),
    details: details.join('\n\n'),
    arguments: parseArguments(linesOf(sections, 'Arguments')),
    returns: trimBlankLines(outdent(linesOf(sections, 'Returns'))).join('\n'),
    deprecated: deprecated === undefined ? null : deprecationText(deprecated),
  };
}

/**
 * Gives the arguments of a comment the names that the code has. A name that differs is matched where nothing else is
 * possible: exactly one argument and one parameter are left over, and both stand at the same position.
 * @param parameters C names, in order.
 */
export function matchDocs(parsed: ParsedDocs, parameters: readonly string[]): Docs {
  const texts = new Map(parsed.arguments.map(({ name, text }) => [name, text]));
  const unmatchedArguments = parsed.arguments.filter(({ name }) => !parameters.includes(name));
  const unmatchedParameters = parameters.filter((name) => !texts.has(name));
  const [argument, parameter] = [unmatchedArguments[0], unmatchedParameters[0]];
  if (
    argument !== undefined &&
    parameter !== undefined &&
    unmatchedArguments.length === 1 &&
    unmatchedParameters.length === 1 &&
    parsed.arguments.indexOf(argument) === parameters.indexOf(parameter)
  ) {
    texts.set(parameter, argument.text);
  }
  const named = parameters.flatMap((name) => {
    const text = texts.get(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  const { summary, details, returns, deprecated } = parsed;
  return { summary, details, parameters: Object.fromEntries(named), returns, deprecated };
}

/** The lines between the delimiters, without the stars or slashes at their start. */
function commentLines(comment: string): readonly string[] {
  const lines = comment.replace(/\r\n?/g, '\n').split('\n');
  const text = comment.startsWith('/*')
    ? lines.map((line, index) => blockLine(line, index === 0, index === lines.length - 1))
    : lines.map((line) => line.replace(/^\s*\/\/[/!]?<?/, ''));
  return trimBlankLines(text.map((line) => line.trimEnd()));
}

function blockLine(line: string, first: boolean, last: boolean): string {
  const opened = first ? line.replace(/^\s*\/\*(?:[*!](?!\/))?<?/, '') : line;
  const closed = last ? opened.replace(/\**\*\/\s*$/, '') : opened;
  return first ? closed : closed.replace(/^\s*\*(?!\/)/, '');
}

function splitSections(lines: readonly string[]): readonly Section[] {
  const sections: { heading: string; lines: string[] }[] = [{ heading: '', lines: [] }];
  let indent = 0;
  for (const line of lines) {
    const text = line.trim();
    const heading = HEADING.exec(text)?.[1] ?? (RETURNS_WITHOUT_COLON.test(text) ? text : undefined);
    // A heading inside a section ("Documented errors:") is indented deeper than the section's own.
    if (heading !== undefined && (sections.length === 1 || indentOf(line) <= indent)) {
      indent = indentOf(line);
      sections.push({ heading, lines: [] });
    } else {
      sections.at(-1)?.lines.push(line);
    }
  }
  return sections;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function linesOf(sections: readonly Section[], heading: string): readonly string[] {
  return sections.filter((section) => section.heading === heading).flatMap(({ lines }) => lines);
}

function sectionParagraphs({ heading, lines }: Section): readonly string[] {
  const paragraphs = trimBlankLines(lines)
    .map((line) => (line.trim() === '' ? '' : line))
    .join('\n')
    .split(/\n{2,}/)
    .map((text) => outdent(text.split('\n')).join('\n'))
    .filter((text) => text !== '');
  return heading === '' ? paragraphs : [`${heading}:`, ...paragraphs];
}

function parseArguments(lines: readonly string[]): ParsedDocs['arguments'] {
  const parsed: { name: string; lines: string[] }[] = [];
  for (const line of lines) {
    const [, name, text = ''] = ARGUMENT.exec(line) ?? [];
    if (name === undefined) parsed.at(-1)?.lines.push(line);
    else parsed.push({ name, lines: [text] });
  }
  return parsed.map(({ name, lines: [first = '', ...rest] }) => ({
    name,
    text: trimBlankLines([first.trim(), ...outdent(rest)]).join('\n'),
  }));
}

function deprecationText(paragraph: string): string {
  const rest = joinLines(paragraph)
    .replace(/^DEPRECATED\b[.:]?/, '')
    .trim();
  return rest === '' ? 'No replacement is named.' : rest;
}

function joinLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** Removes the indentation that all lines share. */
function outdent(lines: readonly string[]): readonly string[] {
  const shared = Math.min(...lines.filter((line) => line.trim() !== '').map(indentOf));
  return Number.isFinite(shared) ? lines.map((line) => line.slice(shared)) : lines;
}

function trimBlankLines(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return first === -1 ? [] : lines.slice(first, last + 1);
}
