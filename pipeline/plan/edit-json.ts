import { applyEdits, modify } from 'jsonc-parser';

/** Where a value stands in a document: names of fields and numbers of elements. */
export type JsonPath = readonly (string | number)[];

/** One value that a document is to have. */
export interface JsonEdit {
  readonly path: JsonPath;
  readonly value: unknown;
}

/** Sets values in JSON text and leaves every other byte as it is: what a person laid out stays so. */
export function editJson(text: string, edits: readonly JsonEdit[]): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2 };
  let edited = text;
  for (const { path, value } of edits) {
    const found = valueAt(JSON.parse(edited), path);
    if (JSON.stringify(found) === JSON.stringify(value)) continue;
    edited = applyEdits(edited, modify(edited, [...path], value, { formattingOptions }));
  }
  return edited;
}

function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}
