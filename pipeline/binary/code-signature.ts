import { isDeepStrictEqual } from 'node:util';
import { type ByteReader, printable } from './byte-reader.ts';
import { type Blob, byStrength, type DirectoryLayout, hashWith, readDirectory } from './code-directory.ts';
import { readDerEntitlements } from './der-entitlements.ts';
import type { FilePart } from './macho-commands.ts';
import { type PlistValue, readPlist } from './plist.ts';
import type { CodeDirectory, CodeSignature } from './signature-types.ts';

const WHAT = 'the code signature';
const MAGIC = {
  superBlob: 0xfade0cc0,
  directory: 0xfade0c02,
  entitlements: 0xfade7171,
  derEntitlements: 0xfade7172,
  certificate: 0xfade0b01,
} as const;
/** Slots of the parts; those up to 7 have a hash in each directory. */
const SLOT = { directory: 0, entitlements: 5, derEntitlements: 7, alternates: 0x1000, certificate: 0x10000 } as const;
const ALTERNATES = 5;
/** Parts that lie outside the signature in bundles: Info.plist, resources and what a disk image binds. */
const OUTSIDE: readonly number[] = [1, 3, 4, 6];
const LAST_SPECIAL_SLOT = 0xff;
const MAX_BLOBS = 64;
const BLOB_HEADER = 8;
/** Pages named before a message says only how many there are. */
const SHOWN = 5;

/** Reads the signature at `part` and recomputes every hash that it states about the file. */
export function readSignature(reader: ByteReader, part: FilePart): CodeSignature {
  const blobs = readBlobs(reader, part);
  const directories = blobs.filter(isDirectory).map((blob) => readDirectory(reader, blob));
  const [first, ...others] = directories.toSorted(byStrength);
  if (first === undefined) throw reader.error('has a code signature without a code directory');
  const xml = entitlements(blobs, SLOT.entitlements, (bytes) => readPlist(bytes.toString('utf8')));
  const der = entitlements(blobs, SLOT.derEntitlements, readDerEntitlements);
  const all = [first, ...others];
  return {
    directories: [first.directory, ...others.map(({ directory }) => directory)],
    entitlements: xml.values,
    derEntitlements: der.values,
    hasCertificate: blobs.some(({ slot, bytes }) => slot === SLOT.certificate && bytes.length > BLOB_HEADER),
    problems: [
      ...coverageProblems(reader, part, all),
      ...all.flatMap((layout) => pageProblems(reader, layout)),
      ...all.flatMap((layout) => slotProblems(layout, blobs)),
      ...(xml.unreadable ? ['the entitlements are no property list'] : []),
      ...(der.unreadable ? ['the entitlements in DER cannot be read'] : []),
      ...(der.values !== null && !isDeepStrictEqual(der.values, xml.values)
        ? ['the entitlements in XML and in DER differ']
        : []),
    ],
  };
}

function readBlobs(reader: ByteReader, { offset, size }: FilePart): Blob[] {
  const { buffer, byteOffset, byteLength } = reader.slice(offset, size, WHAT);
  const all = Buffer.from(buffer, byteOffset, byteLength);
  if (all.length < 12 || all.readUInt32BE(0) !== MAGIC.superBlob) throw reader.error(`${WHAT} is none`);
  const [length, count] = [all.readUInt32BE(4), all.readUInt32BE(8)];
  if (length > all.length) throw reader.error(`${WHAT} states ${length} bytes where there are ${all.length}`);
  if (count > MAX_BLOBS || 12 + count * 8 > length) throw reader.error(`${WHAT} claims ${count} parts`);
  const blobs = Array.from({ length: count }, (_, index) => {
    const at = 12 + index * 8;
    return readBlob(reader, all.subarray(0, length), all.readUInt32BE(at), all.readUInt32BE(at + 4));
  });
  if (new Set(blobs.map(({ slot }) => slot)).size !== count) throw reader.error(`${WHAT} has two parts for one slot`);
  return blobs;
}

function readBlob(reader: ByteReader, all: Buffer, slot: number, offset: number): Blob {
  if (offset > all.length - BLOB_HEADER) throw reader.error(`${WHAT} has a part outside itself`);
  const [magic, length] = [all.readUInt32BE(offset), all.readUInt32BE(offset + 4)];
  if (length < BLOB_HEADER || length > all.length - offset) throw reader.error(`${WHAT} has a part of ${length} bytes`);
  if (isDirectory({ slot }) && magic !== MAGIC.directory)
    throw reader.error(`${WHAT} has a code directory that is none`);
  return { slot, magic, bytes: all.subarray(offset, offset + length) };
}

function isDirectory({ slot }: Pick<Blob, 'slot'>): boolean {
  return slot === SLOT.directory || (slot >= SLOT.alternates && slot < SLOT.alternates + ALTERNATES);
}

function entitlements(
  blobs: readonly Blob[],
  slot: typeof SLOT.entitlements | typeof SLOT.derEntitlements,
  read: (bytes: Buffer) => Readonly<Record<string, PlistValue>> | null,
): { readonly values: Readonly<Record<string, PlistValue>> | null; readonly unreadable: boolean } {
  const blob = blobs.find((one) => one.slot === slot);
  if (blob === undefined) return { values: null, unreadable: false };
  const magic = slot === SLOT.entitlements ? MAGIC.entitlements : MAGIC.derEntitlements;
  const values = blob.magic === magic ? read(blob.bytes.subarray(BLOB_HEADER)) : null;
  return { values, unreadable: values === null };
}

/** Everything before the signature has to be covered, and nothing may come after it. */
function coverageProblems(reader: ByteReader, { offset, size }: FilePart, all: readonly DirectoryLayout[]): string[] {
  const behind = reader.bytes.length - offset - size;
  return [
    ...all
      .filter(({ directory }) => directory.codeLimit !== offset)
      .map(({ directory }) => `the hashes cover ${directory.codeLimit} bytes of the ${offset} before the signature`),
    ...(behind === 0 ? [] : [`${behind} bytes come after the signature`]),
  ];
}

function pageProblems(reader: ByteReader, layout: DirectoryLayout): string[] {
  const { directory, bytes, hashSize, hashesAt, pages } = layout;
  const { pageSize, codeLimit, hashType } = directory;
  const wrong: number[] = [];
  for (let page = 0; page < pages; page += 1) {
    const start = pageSize === null ? 0 : page * pageSize;
    const end = pageSize === null ? codeLimit : Math.min(codeLimit, start + pageSize);
    const stated = bytes.subarray(hashesAt + page * hashSize, hashesAt + (page + 1) * hashSize);
    if (!hashWith(hashType, reader.bytes.subarray(start, end)).equals(stated)) wrong.push(page);
  }
  if (wrong.length === 0) return [];
  const shown = wrong.slice(0, SHOWN).join(', ');
  const more = wrong.length > SHOWN ? ` and ${wrong.length - SHOWN} more` : '';
  return [`${wrong.length} of ${pages} page hashes (${hashType}) differ from the file: page ${shown}${more}`];
}

/** Slots whose part is in the signature have its hash; without one, the hash is zero or not there. */
function slotProblems({ directory, bytes, hashSize, hashesAt, specialSlots }: DirectoryLayout, blobs: readonly Blob[]) {
  const problems: string[] = [];
  const special = blobs.filter((blob) => blob.slot > 0 && blob.slot <= LAST_SPECIAL_SLOT);
  for (const slot of special.map((blob) => blob.slot).filter((number) => number > specialSlots)) {
    problems.push(`part ${slot} of the signature has no hash in the ${describe(directory)}`);
  }
  for (let slot = 1; slot <= specialSlots; slot += 1) {
    const stated = bytes.subarray(hashesAt - slot * hashSize, hashesAt - (slot - 1) * hashSize);
    const part = special.find((blob) => blob.slot === slot);
    const empty = stated.every((byte) => byte === 0);
    if (part === undefined && !empty && !OUTSIDE.includes(slot)) {
      problems.push(`part ${slot} of the signature is missing, though the ${describe(directory)} has its hash`);
    }
    if (part !== undefined && !hashWith(directory.hashType, part.bytes).equals(stated)) {
      problems.push(`part ${slot} of the signature differs from its hash in the ${describe(directory)}`);
    }
  }
  return problems;
}

function describe({ hashType, identifier }: CodeDirectory): string {
  return `code directory ${printable(identifier.slice(0, 100))} (${hashType})`;
}
