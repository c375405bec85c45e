/** What is looked at of an entry before it is believed. */
export interface EntryShape {
  readonly path: string;
  /** As tar calls it: `File`, `Directory`, `SymbolicLink` … */
  readonly type: string;
  readonly size: number;
  readonly linkpath?: string | undefined;
}

/** Bounds for an archive whose own digest is not enough reason to trust its shape. */
export interface ArchiveLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly entries: number;
}

/** Bytes of one part of a path: what Linux and macOS allow. */
const LONGEST_NAME = 255;
const DEEPEST_PATH = 64;

const FILES = new Set(['File', 'OldFile']);
const TREE_ENTRIES = new Set([...FILES, 'Directory', 'SymbolicLink']);

/** Whether the entry is a plain file. */
export function isPlainFile({ type }: Pick<EntryShape, 'type'>): boolean {
  return FILES.has(type);
}

/** The path without `./`, doubled and final slashes: the form in which two paths can be compared. */
export function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part, index) => part !== '.' && (part !== '' || index === 0))
    .join('/');
}

/**
 * Judges the entries of an archive one after another, each in the light of those before it. What passes can be written
 * below one folder in any order: no entry reaches outside or through a link, and no two of them meet, not even on a
 * file system that takes `a` for `A` or one Unicode form for another.
 * @returns A function that gives the fault of the next entry, or undefined.
 */
export function makeEntryCheck(limits: ArchiveLimits): (entry: EntryShape) => string | undefined {
  const kinds = new Map<string, 'folder' | 'implied folder' | 'other'>();
  const spellings = new Map<string, string>();
  let bytes = 0;
  let entries = 0;

  const meet = (path: string): string | undefined => {
    const folded = path.normalize('NFC').toLowerCase();
    const spelling = spellings.get(folded) ?? path;
    spellings.set(folded, spelling);
    return spelling === path
      ? undefined
      : `${quote(spelling)} and ${quote(path)} are one name on some systems (two entries)`;
  };
  const placeFolders = (path: string): string | undefined => {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const folder = path.slice(0, end);
      if (kinds.get(folder) === 'other') return `${quote(path)} lies below ${quote(folder)}, which is no folder`;
      if (!kinds.has(folder)) kinds.set(folder, 'implied folder');
      const met = meet(folder);
      if (met !== undefined) return met;
    }
    return undefined;
  };
  const place = (path: string, isFolder: boolean): string | undefined => {
    const before = kinds.get(path);
    if (before !== undefined && !(isFolder && before === 'implied folder')) return `two entries named ${quote(path)}`;
    kinds.set(path, isFolder ? 'folder' : 'other');
    return meet(path);
  };

  return (entry) => {
    bytes += entry.size;
    entries += 1;
    if (bytes > limits.bytes) return `more than ${limits.bytes} bytes`;
    if (entries > limits.entries) return `more than ${limits.entries} entries`;
    if (!TREE_ENTRIES.has(entry.type)) return `${quote(entry.path)} is a ${entry.type}`;
    const path = plainPath(entry.path);
    const isFolder = entry.type === 'Directory';
    if (path === '' && isFolder) return undefined;
    if (isUnsafePath(path)) return `unsafe path ${quote(entry.path)}`;
    const link = entry.type === 'SymbolicLink' ? linkFault(path, entry.linkpath ?? '') : undefined;
    return link ?? placeFolders(path) ?? place(path, isFolder);
  };
}

/**
 * A link may climb first and then descend, never climb after it has descended: since no entry lies below a link, the
 * climb is what it seems to be, and what it descends through are folders of the archive or links judged the same way.
 */
function linkFault(path: string, target: string): string | undefined {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const climbs = parts.findIndex((part) => part !== '..');
  const up = climbs === -1 ? parts.length : climbs;
  const depth = path.split('/').length - 1;
  const outside = target.startsWith('/') || up > depth || parts.slice(up).includes('..');
  return outside || target === '' || hasOddCharacters(target)
    ? `link ${quote(path)} leads outside (${quote(target)})`
    : undefined;
}

function isUnsafePath(path: string): boolean {
  const parts = path.split('/');
  return (
    path === '' ||
    path.startsWith('/') ||
    hasOddCharacters(path) ||
    parts.length > DEEPEST_PATH ||
    parts.some((part) => part === '..' || Buffer.byteLength(part) > LONGEST_NAME || part.startsWith('-'))
  );
}

function hasOddCharacters(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f\\]/.test(text);
}

/** Names in messages: hostile ones must not write to the terminal, nor fill it. */
function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
