import type { ByteReader } from './byte-reader.ts';
import type { LoadCommand, MachOHeader } from './macho-header.ts';
import type { BuildPlatform, LoadedLibrary, LoadKind, MachOSegment } from './macho-types.ts';

/** Numbers of load commands; the highest bit says that a loader which does not know the command must refuse the file. */
export const LC = {
  SYMTAB: 0x2,
  ID_DYLIB: 0xd,
  SEGMENT_64: 0x19,
  CODE_SIGNATURE: 0x1d,
  DYLD_INFO: 0x22,
  DYLD_INFO_ONLY: 0x80000022,
  VERSION_MIN_MACOSX: 0x24,
  RPATH: 0x8000001c,
  BUILD_VERSION: 0x32,
  DYLD_EXPORTS_TRIE: 0x80000033,
} as const;

const LOADS: ReadonlyMap<number, LoadKind> = new Map([
  [0xc, 'needed'],
  [0x80000018, 'weak'],
  [0x8000001f, 'reexport'],
  [0x80000023, 'upward'],
  [0x20, 'lazy'],
]);

/** By the numbers of LC_BUILD_VERSION. */
const PLATFORMS: readonly (string | undefined)[] = [
  undefined,
  'macos',
  'ios',
  'tvos',
  'watchos',
  'bridgeos',
  'maccatalyst',
  'iossimulator',
  'tvossimulator',
  'watchossimulator',
  'driverkit',
  'visionos',
  'visionossimulator',
];

/** A part of the file that a load command points to. */
export interface FilePart {
  readonly offset: number;
  readonly size: number;
}

/** The only command of its kind; a second one is refused, since loaders differ in which they take. */
export function singleCommand(
  reader: ByteReader,
  { commands }: MachOHeader,
  name: keyof typeof LC,
  size: number,
): LoadCommand | null {
  const found = commands.filter(({ command }) => command === LC[name]);
  if (found.length > 1) throw reader.error(`has more than one LC_${name}`);
  const [command] = found;
  return command === undefined ? null : ofSize(reader, command, name, size);
}

function ofSize(reader: ByteReader, command: LoadCommand, name: string, size: number): LoadCommand {
  if (command.size < size) throw reader.error(`LC_${name} has ${command.size} bytes instead of ${size}`);
  return command;
}

/** The part that a command of the kind `linkedit_data_command` points to. */
export function linkedPart(
  reader: ByteReader,
  header: MachOHeader,
  name: 'CODE_SIGNATURE' | 'DYLD_EXPORTS_TRIE',
): FilePart | null {
  const command = singleCommand(reader, header, name, 16);
  return command === null ? null : partAt(reader, command.at + 8, `LC_${name}`);
}

/** Offset and size in two words at `at`. */
export function partAt(reader: ByteReader, at: number, what: string): FilePart {
  const part = { offset: reader.u32(at, what), size: reader.u32(at + 4, what) };
  reader.need(part.offset, part.size, what);
  return part;
}

export function readInstallName(reader: ByteReader, header: MachOHeader): string | null {
  const command = singleCommand(reader, header, 'ID_DYLIB', 24);
  if (command === null && header.form === 'library') throw reader.error('is a library without an install name');
  return command === null ? null : commandText(reader, command, 24, 'the install name');
}

/** In the order of their ordinals: the first has number 1. */
export function readLibraries(reader: ByteReader, { commands }: MachOHeader): LoadedLibrary[] {
  return commands.flatMap((command) => {
    const kind = LOADS.get(command.command);
    if (kind === undefined) return [];
    ofSize(reader, command, 'LOAD_DYLIB', 24);
    return [{ name: commandText(reader, command, 24, 'the name of a library'), kind }];
  });
}

export function readRpaths(reader: ByteReader, { commands }: MachOHeader): string[] {
  return commands
    .filter(({ command }) => command === LC.RPATH)
    .map((command) => commandText(reader, ofSize(reader, command, 'RPATH', 12), 12, 'an rpath'));
}

export function readPlatforms(reader: ByteReader, header: MachOHeader): BuildPlatform[] {
  const platforms = header.commands
    .filter(({ command }) => command === LC.BUILD_VERSION)
    .map((command): BuildPlatform => {
      const { at } = ofSize(reader, command, 'BUILD_VERSION', 24);
      const platform = reader.u32(at + 8, 'LC_BUILD_VERSION');
      return { platform: PLATFORMS[platform] ?? `platform-${platform}`, ...versionsAt(reader, at + 12) };
    });
  const old = singleCommand(reader, header, 'VERSION_MIN_MACOSX', 16);
  if (old === null) return platforms;
  return [...platforms, { platform: 'macos', ...versionsAt(reader, old.at + 8) }];
}

function versionsAt(reader: ByteReader, at: number): Pick<BuildPlatform, 'minimum' | 'sdk'> {
  const version = (place: number): string => {
    const value = reader.u32(place, 'a version');
    const patch = value & 0xff;
    return `${value >>> 16}.${(value >>> 8) & 0xff}${patch === 0 ? '' : `.${patch}`}`;
  };
  return { minimum: version(at), sdk: version(at + 4) };
}

/** A text inside a load command; the word at byte 8 says where it begins. */
function commandText(reader: ByteReader, { at, size }: LoadCommand, smallest: number, what: string): string {
  const offset = reader.u32(at + 8, what);
  if (offset < smallest || offset >= size) throw reader.error(`${what} lies outside its load command`);
  const { buffer, byteOffset, byteLength } = reader.slice(at + offset, size - offset, what);
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const length = bytes.indexOf(0);
  if (length < 0) throw reader.error(`${what} has no end`);
  return bytes.toString('utf8', 0, length);
}

/** The mapped parts. Overlapping ones are refused, as in ELF files: what the loader sees would depend on the loader. */
export function readMachOSegments(reader: ByteReader, { commands }: MachOHeader): MachOSegment[] {
  const segments = commands
    .filter(({ command }) => command === LC.SEGMENT_64)
    .map((command) => readSegment(reader, ofSize(reader, command, 'SEGMENT_64', 72)));
  let end = 0n;
  for (const { address, memorySize } of segments.toSorted((one, other) => (one.address < other.address ? -1 : 1))) {
    if (address < end) throw reader.error('has overlapping segments');
    end = address + memorySize;
  }
  return segments;
}

function readSegment(reader: ByteReader, { at }: LoadCommand): MachOSegment {
  const what = 'a segment';
  const name = Buffer.from(reader.slice(at + 8, 16, what))
    .toString('latin1')
    .replace(/\0.*$/s, '');
  const segment = {
    name,
    address: reader.u64(at + 24, what),
    memorySize: reader.u64(at + 32, what),
    fileOffset: reader.word(at + 40, what),
    fileSize: reader.word(at + 48, what),
  };
  reader.need(segment.fileOffset, segment.fileSize, what);
  if (BigInt(segment.fileSize) > segment.memorySize) {
    throw reader.error(`loads ${segment.fileSize} bytes into ${segment.memorySize} bytes of memory`);
  }
  return segment;
}
