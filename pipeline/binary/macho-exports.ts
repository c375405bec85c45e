import type { ByteReader } from './byte-reader.ts';
import { type FilePart, LC, linkedPart, partAt, singleCommand } from './macho-commands.ts';
import type { MachOHeader } from './macho-header.ts';
import type { MachOExport } from './macho-types.ts';
import { MAX_NAME, MAX_TEXT } from './string-table.ts';

const WHAT = 'the table of exports';
const FLAG_KIND = 0x03;
const FLAG_WEAK = 0x04;
const FLAG_REEXPORT = 0x08;
const KINDS: readonly (MachOExport['kind'] | undefined)[] = ['regular', 'thread-local', 'absolute'];

/** Where the file keeps its table of exports; null where it has none. */
export function exportsPart(reader: ByteReader, header: MachOHeader): FilePart | null {
  const trie = linkedPart(reader, header, 'DYLD_EXPORTS_TRIE');
  const infos = (['DYLD_INFO', 'DYLD_INFO_ONLY'] as const).flatMap(
    (name) => singleCommand(reader, header, name, 48) ?? [],
  );
  const [info] = infos;
  if (infos.length + (trie === null ? 0 : 1) > 1) throw reader.error('has two tables of exports');
  return info === undefined ? trie : partAt(reader, info.at + 40, LC_NAME[info.command] ?? WHAT);
}

const LC_NAME: Readonly<Record<number, string>> = {
  [LC.DYLD_INFO]: 'LC_DYLD_INFO',
  [LC.DYLD_INFO_ONLY]: 'LC_DYLD_INFO_ONLY',
};

interface Node {
  readonly at: number;
  readonly name: string;
}

/**
 * Reads a tree of names in which each edge adds some letters: the form in which macOS looks exports up. A node that is
 * reached twice is refused: a graph instead of a tree could stand for more names than memory holds, or never end.
 */
export function readExportTrie(reader: ByteReader, { offset, size }: FilePart): MachOExport[] {
  const exports: MachOExport[] = [];
  if (size === 0) return exports;
  const { buffer, byteOffset, byteLength } = reader.slice(offset, size, WHAT);
  const trie = cursorOf(reader, Buffer.from(buffer, byteOffset, byteLength));
  const seen = new Set<number>();
  const pending: Node[] = [{ at: 0, name: '' }];
  let left = MAX_TEXT;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node.at)) throw reader.error(`${WHAT} comes to the same place twice`);
    seen.add(node.at);
    left -= node.name.length;
    if (node.name.length > MAX_NAME || left < 0) throw reader.error(`${WHAT} holds too long names`);
    const { found, children } = readNode(trie, node);
    if (found !== null) exports.push(found);
    pending.push(...children);
  }
  return exports.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function readNode(trie: Cursor, { at, name }: Node): { found: MachOExport | null; children: Node[] } {
  trie.at = at;
  const size = trie.uleb();
  const childrenAt = trie.at + size;
  const found = size === 0 ? null : readTerminal(trie, name);
  if (size > 0 && trie.at > childrenAt) throw trie.error(`${WHAT} holds an entry longer than it states`);
  trie.at = childrenAt;
  const children = Array.from({ length: trie.byte() }, () => {
    const edge = trie.text();
    return { name: name + edge, at: trie.uleb() };
  });
  return { found, children };
}

function readTerminal(trie: Cursor, name: string): MachOExport {
  const flags = trie.uleb();
  const kind = KINDS[flags & FLAG_KIND];
  if (kind === undefined) throw trie.error(`${WHAT} has an entry of unknown kind`);
  const weak = (flags & FLAG_WEAK) !== 0;
  const address = trie.bigUleb();
  return { name, weak, kind, address: (flags & FLAG_REEXPORT) !== 0 ? null : address };
}

interface Cursor {
  at: number;
  byte(): number;
  /** A number of seven bits a byte, as far as a file can need it. */
  uleb(): number;
  bigUleb(): bigint;
  text(): string;
  error(message: string): Error;
}

function cursorOf(reader: ByteReader, bytes: Buffer): Cursor {
  const error = (): Error => reader.error(`${WHAT} is truncated or damaged`);
  const cursor: Cursor = {
    at: 0,
    error: reader.error,
    byte: () => {
      const value = bytes[cursor.at];
      if (value === undefined) throw error();
      cursor.at += 1;
      return value;
    },
    bigUleb: () => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = cursor.byte();
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
      throw error();
    },
    uleb: () => {
      const value = cursor.bigUleb();
      if (value > BigInt(bytes.length)) throw error();
      return Number(value);
    },
    text: () => {
      const end = bytes.indexOf(0, cursor.at);
      if (end < 0 || end - cursor.at > MAX_NAME) throw error();
      const text = bytes.toString('utf8', cursor.at, end);
      cursor.at = end + 1;
      return text;
    },
  };
  return cursor;
}
