/** A value of a property list, as far as entitlements use them. */
export type PlistValue = string | number | boolean | readonly PlistValue[] | { readonly [key: string]: PlistValue };

interface Token {
  readonly kind: 'open' | 'close' | 'empty' | 'text';
  /** Name of the element, or the text with its entities resolved. */
  readonly value: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const MAX_DEPTH = 16;
/** Entitlements of real programs are some hundred bytes. */
const MAX_TEXT = 1024 * 1024;
const PROLOGUE = /^\uFEFF?\s*(?:<\?xml[^<>]*\?>\s*)?(?:<!DOCTYPE plist[^<>[\]]*>\s*)?/;
const TOKEN = /<(\/?)([A-Za-z]+)(\s[^<>]*?)?(\/?)>|([^<]+)/y;

/**
 * Reads an XML property list whose top is a dictionary: strings, integers, booleans, arrays and dictionaries. It takes no
 * more of XML than Apple's tools write: no comments, no CDATA, no entities but the five of XML itself.
 * @returns null for everything else, also where a key comes twice.
 */
export function readPlist(text: string): Readonly<Record<string, PlistValue>> | null {
  if (text.length > MAX_TEXT) return null;
  const tokens = tokenize(text);
  if (tokens === null) return null;
  const cursor = { tokens, at: 0 };
  if (!take(cursor, 'open', 'plist')) return null;
  const value = readValue(cursor, 0);
  if (!take(cursor, 'close', 'plist') || cursor.at !== tokens.length) return null;
  return isDictionary(value) ? value : null;
}

/** Whether a value is a dictionary. */
function isDictionary(value: PlistValue | undefined): value is { readonly [key: string]: PlistValue } {
  return typeof value === 'object' && !Array.isArray(value);
}

interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
}

function tokenize(text: string): Token[] | null {
  const body = text.replace(/\0+$/, '');
  const tokens: Token[] = [];
  TOKEN.lastIndex = PROLOGUE.exec(body)?.[0].length ?? 0;
  while (TOKEN.lastIndex < body.length) {
    const found = TOKEN.exec(body);
    if (found === null) return null;
    const [, slash, name, attributes, empty, plain] = found;
    if (plain !== undefined) {
      const value = resolveEntities(plain);
      if (value === null) return null;
      tokens.push({ kind: 'text', value });
      continue;
    }
    if ((attributes ?? '').trim() !== '' && name !== 'plist') return null;
    if (slash !== '' && empty !== '') return null;
    tokens.push({ kind: slash !== '' ? 'close' : empty !== '' ? 'empty' : 'open', value: name ?? '' });
  }
  return withoutLayout(tokens);
}

/** Spaces between elements mean nothing; inside `<string>` and `<key>` they do. */
function withoutLayout(tokens: readonly Token[]): Token[] {
  const holdsText = (token: Token | undefined): boolean =>
    token?.kind === 'open' && ['string', 'key', 'integer'].includes(token.value);
  return tokens.filter(
    ({ kind, value }, index) => kind !== 'text' || value.trim() !== '' || holdsText(tokens[index - 1]),
  );
}

function resolveEntities(text: string): string | null {
  let known = true;
  const resolved = text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    if (!whole.endsWith(';') || !Object.hasOwn(ENTITIES, name)) known = false;
    return ENTITIES[name] ?? '';
  });
  return known ? resolved : null;
}

function take(cursor: Cursor, kind: Token['kind'], value: string): boolean {
  const token = cursor.tokens[cursor.at];
  if (token?.kind !== kind || token.value !== value) return false;
  cursor.at += 1;
  return true;
}

/** Undefined where there is no value that is understood. */
function readValue(cursor: Cursor, depth: number): PlistValue | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (take(cursor, 'empty', 'true')) return true;
  if (take(cursor, 'empty', 'false')) return false;
  if (take(cursor, 'empty', 'dict')) return {};
  if (take(cursor, 'empty', 'array')) return [];
  const string = readText(cursor, 'string');
  if (string !== undefined) return string;
  const integer = readText(cursor, 'integer');
  if (integer !== undefined) return /^-?\d{1,15}$/.test(integer.trim()) ? Number(integer) : undefined;
  if (take(cursor, 'open', 'array')) return readArray(cursor, depth);
  if (take(cursor, 'open', 'dict')) return readDictionary(cursor, depth);
  return undefined;
}

function readText(cursor: Cursor, name: 'string' | 'key' | 'integer'): string | undefined {
  if (take(cursor, 'empty', name)) return '';
  if (!take(cursor, 'open', name)) return undefined;
  const token = cursor.tokens[cursor.at];
  const text = token?.kind === 'text' ? token.value : '';
  if (token?.kind === 'text') cursor.at += 1;
  return take(cursor, 'close', name) ? text : undefined;
}

function readArray(cursor: Cursor, depth: number): PlistValue | undefined {
  const values: PlistValue[] = [];
  while (!take(cursor, 'close', 'array')) {
    const value = readValue(cursor, depth + 1);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function readDictionary(cursor: Cursor, depth: number): PlistValue | undefined {
  const values = new Map<string, PlistValue>();
  while (!take(cursor, 'close', 'dict')) {
    const key = readText(cursor, 'key');
    const value = key === undefined ? undefined : readValue(cursor, depth + 1);
    if (key === undefined || value === undefined || values.has(key)) return undefined;
    values.set(key, value);
  }
  return Object.fromEntries(values);
}
