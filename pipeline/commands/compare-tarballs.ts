import { isElf, readElf } from '../binary/elf.ts';
import { isMachO, readMachO } from '../binary/macho.ts';
import { listNames } from '../binary/names.ts';
import type { ArchiveFile } from '../effects/archive.ts';

/** How much must agree: every byte, or what users of the packages see of them, whatever built them. */
export type Depth = 'bytes' | 'layout';

/** Names of the two sides, for sentences. */
export type Sides = readonly [one: string, other: string];

/**
 * What differs between the files of two tarballs of one package, a line each; empty where nothing does.
 * @throws BuildError A3S1205 for a binary that cannot be read, where its exports are compared.
 */
export function compareFiles(
  one: readonly ArchiveFile[],
  other: readonly ArchiveFile[],
  depth: Depth,
  sides: Sides,
): readonly string[] {
  const there = new Map(other.map((file) => [file.path, file]));
  const onlyOne = one.filter(({ path }) => !there.has(path)).map(({ path }) => `${path}: only in ${sides[0]}`);
  const paths = new Set(one.map(({ path }) => path));
  const onlyOther = other.filter(({ path }) => !paths.has(path)).map(({ path }) => `${path}: only in ${sides[1]}`);
  const both = one.flatMap((file) => {
    const match = there.get(file.path);
    return match === undefined ? [] : compareFile(file, match, depth).map((line) => `${file.path}: ${line}`);
  });
  return [...onlyOne, ...onlyOther, ...both];
}

function compareFile(one: ArchiveFile, other: ArchiveFile, depth: Depth): readonly string[] {
  if (one.type !== other.type) return [`${one.type} and ${other.type}`];
  const [mode, otherMode] = [one.mode, other.mode].map((bits) => (bits & 0o7777).toString(8));
  const modes = mode === otherMode ? [] : [`mode ${mode} and ${otherMode}`];
  return [...modes, ...CONTENT[depth](one, other)];
}

const CONTENT: Readonly<Record<Depth, (one: ArchiveFile, other: ArchiveFile) => readonly string[]>> = {
  bytes: compareBytes,
  layout: compareFace,
};

function compareBytes({ content }: ArchiveFile, { content: other }: ArchiveFile): readonly string[] {
  if (content.equals(other)) return [];
  const sizes =
    content.length === other.length ? `${content.length} bytes` : `${content.length} and ${other.length} bytes`;
  return [`${sizes}, different from byte ${firstDifference(content, other)}`];
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at === -1 ? one.length : at;
}

/** Of a binary its name and exports, of package.json what npm reads; other texts may tell of the build. */
function compareFace(one: ArchiveFile, other: ArchiveFile): readonly string[] {
  if (one.path === 'package/package.json') return compareManifests(one, other);
  const [face, otherFace] = [faceOf(one), faceOf(other)];
  if (face === null && otherFace === null) return [];
  if (face === null || otherFace === null) return ['a binary on one side only'];
  const missing = face.exports.filter((name) => !otherFace.exports.includes(name));
  const more = otherFace.exports.filter((name) => !face.exports.includes(name));
  return [
    ...(face.name === otherFace.name
      ? []
      : [`named ${face.name ?? 'nothing'} and ${otherFace.name ?? 'nothing'} inside`]),
    ...(missing.length === 0 ? [] : [`exported by the first only: ${listNames(missing)}`]),
    ...(more.length === 0 ? [] : [`exported by the second only: ${listNames(more)}`]),
  ];
}

interface Face {
  /** Soname or install name. */
  readonly name: string | null;
  readonly exports: readonly string[];
}

/** What a linker sees of a binary; null for any other file. */
function faceOf({ path, content }: ArchiveFile): Face | null {
  if (isElf(content)) {
    const { soname, exports } = readElf(content, path);
    return { name: soname, exports: exports.map(({ name }) => name) };
  }
  if (isMachO(content)) {
    const { installName, exports } = readMachO(content, path);
    return { name: installName, exports: exports.map(({ name }) => name) };
  }
  return null;
}

/** The measured glibc is the linker's doing. */
function compareManifests({ content }: ArchiveFile, { content: other }: ArchiveFile): readonly string[] {
  const [fields, otherFields] = [content, other].map((bytes) => {
    const { config: _measured, ...rest } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    return rest;
  }) as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set([...Object.keys(fields), ...Object.keys(otherFields)]);
  return [...names]
    .filter((name) => JSON.stringify(fields[name]) !== JSON.stringify(otherFields[name]))
    .map((name) => `field "${name}" differs`);
}
