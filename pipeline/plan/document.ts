import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import * as z from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';
import type { ErrorCode } from './error-table.ts';
import { buildError, type FailurePlace } from './errors.ts';

// Compiling a checker for each schema pays off after many documents; here it is one of each.
z.config({ jitless: true, ...en() });

/** Line and column, both from 1, of the character at `offset`. */
function positionAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/**
 * Parses JSON `text` and checks it against `schema`.
 * @param file Name of the document for messages.
 * @param part Name of the field that holds what is checked, where that is not the whole document.
 * @throws BuildError `code`, with line and column, for a syntax error, a repeated key or a value the schema refuses.
 */
export function parseDocument<T>(text: string, file: string, schema: z.$ZodType<T>, code: ErrorCode, part?: string): T {
  const whole = parseJson(text, file, code);
  const value = part === undefined ? whole : (whole as Readonly<Record<string, unknown>>)[part];
  const root = parseTree(text);
  const tree = root && part !== undefined ? findNodeAtLocation(root, [part]) : root;
  refuseRepeatedKeys(tree, text, file, code);
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const node = tree && nearestNode(tree, [...path, ...keys]);
  const where = { file, ...positionAt(text, node?.offset ?? 0) };
  const field = [...(part === undefined ? [] : [part]), ...path, ...keys].join('.');
  throw buildError(code, {
    message: `${field === '' ? 'document' : `"${field}"`}: ${issue?.message ?? 'invalid'}`,
    where,
  });
}

/** What is at `path`, or the innermost thing around it: a field that is missing is nowhere. */
function nearestNode(tree: Node, path: readonly (string | number)[]): Node {
  return findNodeAtLocation(tree, [...path]) ?? (path.length === 0 ? tree : nearestNode(tree, path.slice(0, -1)));
}

/** Line and column of each entry of the list at `path`, of which there are `count`, in a document that was parsed. */
export function placesOf(text: string, file: string, path: readonly string[], count: number): readonly FailurePlace[] {
  const root = parseTree(text);
  return Array.from({ length: count }, (_, index) => {
    const node = root && findNodeAtLocation(root, [...path, index]);
    return { file, ...positionAt(text, node?.offset ?? 0) };
  });
}

/** JSON readers silently take the last of two equal keys; a person may be looking at the first. */
function refuseRepeatedKeys(node: Node | undefined, text: string, file: string, code: ErrorCode): void {
  const seen = new Set<string>();
  for (const child of node?.children ?? []) {
    const key = node?.type === 'object' ? child.children?.[0] : undefined;
    if (key !== undefined && seen.has(String(key.value))) {
      throw buildError(code, {
        message: `"${key.value}" stands twice`,
        where: { file, ...positionAt(text, key.offset) },
      });
    }
    seen.add(String(key?.value));
    refuseRepeatedKeys(child, text, file, code);
  }
}

function parseJson(text: string, file: string, code: ErrorCode): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const errors: ParseError[] = [];
    parseTree(text, errors, { allowTrailingComma: false, disallowComments: true });
    const first = errors[0];
    const reason = first ? printParseErrorCode(first.error) : (error as Error).message;
    const where = { file, ...positionAt(text, first?.offset ?? text.length) };
    throw buildError(code, { message: `not valid JSON: ${reason}`, where }, error);
  }
}
