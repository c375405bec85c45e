import type { PlistValue } from './plist.ts';

/** Tags of the DER form of entitlements, as the kernel's CoreEntitlements reads them. */
const TAG = { boolean: 0x01, integer: 0x02, string: 0x0c, sequence: 0x30, dictionary: 0xb0, whole: 0x70 } as const;
const VERSION = 1;
const MAX_DEPTH = 16;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * Reads entitlements in DER.
 * @returns null for bytes that are not exactly that, also where a key comes twice.
 */
export function readDerEntitlements(bytes: Uint8Array): Readonly<Record<string, PlistValue>> | null {
  const top = readElements(Buffer.from(bytes));
  if (top?.length !== 1 || top[0]?.tag !== TAG.whole) return null;
  const [version, dictionary, ...more] = readElements(top[0].content) ?? [];
  if (version?.tag !== TAG.integer || dictionary?.tag !== TAG.dictionary || more.length > 0) return null;
  if (readInteger(version.content) !== VERSION) return null;
  return readDictionary(dictionary.content, 0);
}

/** All elements that `bytes` consist of; null where they do not. */
function readElements(bytes: Buffer): Element[] | null {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = readLength(bytes, at + 1);
    if (length === null || length.value > bytes.length - length.end) return null;
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(length.end, length.end + length.value) });
    at = length.end + length.value;
  }
  return elements;
}

/** DER has one spelling for each length: the shortest. */
function readLength(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | null {
  const first = bytes[at];
  if (first === undefined) return null;
  if (first < 0x80) return { value: first, end: at + 1 };
  const size = first & 0x7f;
  if (size === 0 || size > 4 || at + 1 + size > bytes.length) return null;
  const value = bytes.readUIntBE(at + 1, size);
  const shortest = value < 0x80 ? 0 : Math.ceil(value.toString(16).length / 2);
  return shortest === size ? { value, end: at + 1 + size } : null;
}

function readInteger(content: Buffer): number | undefined {
  return content.length < 1 || content.length > 6 ? undefined : content.readIntBE(0, content.length);
}

function readDictionary(content: Buffer, depth: number): { readonly [key: string]: PlistValue } | null {
  const pairs = readElements(content);
  if (pairs === null || depth > MAX_DEPTH) return null;
  const values = new Map<string, PlistValue>();
  for (const { tag, content: pair } of pairs) {
    const [key, value, ...more] = tag === TAG.sequence ? (readElements(pair) ?? []) : [];
    if (key?.tag !== TAG.string || value === undefined || more.length > 0) return null;
    const name = key.content.toString('utf8');
    const read = readValue(value, depth + 1);
    if (read === undefined || values.has(name)) return null;
    values.set(name, read);
  }
  return Object.fromEntries(values);
}

function readValue({ tag, content }: Element, depth: number): PlistValue | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (tag === TAG.boolean) return content.length === 1 ? content[0] !== 0 : undefined;
  if (tag === TAG.integer) return readInteger(content);
  if (tag === TAG.string) return content.toString('utf8');
  if (tag === TAG.dictionary) return readDictionary(content, depth) ?? undefined;
  const elements = tag === TAG.sequence ? readElements(content) : null;
  const values = elements?.map((element) => readValue(element, depth + 1));
  return values?.every((value) => value !== undefined) ? values : undefined;
}
