import type { ByteReader } from './byte-reader.ts';
import { describeOtherFile } from './file-kind.ts';
import type { MachOCpu, MachOForm } from './macho-types.ts';

/** One load command; `at` and `size` lie inside the file. */
export interface LoadCommand {
  readonly command: number;
  readonly at: number;
  readonly size: number;
}

export interface MachOHeader {
  readonly cpu: MachOCpu;
  readonly form: MachOForm;
  /** Symbols are looked up in the library that they were linked with, not in all that are loaded. */
  readonly twoLevel: boolean;
  readonly commands: readonly LoadCommand[];
}

/** Magic numbers, read as little-endian words. */
const MAGIC_64 = 0xfeedfacf;
const OTHER_MAGICS: ReadonlyMap<number, string> = new Map([
  [0xfeedface, 'is a 32-bit Mach-O file; only 64-bit ones are supported'],
  [0xcefaedfe, 'is a big-endian Mach-O file; only little-endian is supported'],
  [0xcffaedfe, 'is a big-endian Mach-O file; only little-endian is supported'],
  [0xbebafeca, 'is a universal Mach-O file; only files for one processor are supported'],
  [0xbfbafeca, 'is a universal Mach-O file; only files for one processor are supported'],
]);
const HEADER_SIZE = 32;
const CPU_X86_64 = 0x01000007;
const CPU_ARM64 = 0x0100000c;
const SUBTYPE_MASK = 0x00ffffff;
const SUBTYPE_ARM64E = 2;
const FORMS: ReadonlyMap<number, MachOForm> = new Map([
  [1, 'object'],
  [2, 'executable'],
  [6, 'library'],
  [8, 'bundle'],
]);
const FLAG_TWO_LEVEL = 0x80;
/** Linkers write some dozens of commands, in a few kilobytes. */
const MAX_COMMANDS = 4096;
const MAX_COMMAND_BYTES = 1024 * 1024;

/** Whether bytes begin as a Mach-O file does, of whatever kind. */
export function isMachO(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return magic === MAGIC_64 || OTHER_MAGICS.has(magic);
}

export function readMachOHeader(reader: ByteReader): MachOHeader {
  const what = 'the Mach-O header';
  const { bytes } = reader;
  if (!isMachO(bytes)) throw reader.error(`is not a Mach-O file: ${describeOtherFile(bytes)}`);
  const other = OTHER_MAGICS.get(reader.u32(0, what));
  if (other !== undefined) throw reader.error(other);
  reader.need(0, HEADER_SIZE, what);
  const formNumber = reader.u32(12, what);
  const form = FORMS.get(formNumber);
  if (form === undefined) throw reader.error(`has Mach-O file type ${formNumber}: not a program or library`);
  return {
    cpu: readCpu(reader),
    form,
    twoLevel: (reader.u32(24, what) & FLAG_TWO_LEVEL) !== 0,
    commands: readCommands(reader, reader.u32(16, what), reader.u32(20, what)),
  };
}

function readCpu(reader: ByteReader): MachOCpu {
  const type = reader.u32(4, 'the Mach-O header');
  const subtype = reader.u32(8, 'the Mach-O header') & SUBTYPE_MASK;
  if (type === CPU_X86_64) return 'x86_64';
  if (type === CPU_ARM64) return subtype === SUBTYPE_ARM64E ? 'arm64e' : 'arm64';
  throw reader.error(`is made for processor type 0x${type.toString(16)}, not for arm64 or x86_64`);
}

function readCommands(reader: ByteReader, count: number, bytes: number): LoadCommand[] {
  if (count > MAX_COMMANDS) throw reader.error(`claims ${count} load commands; ${MAX_COMMANDS} are the limit`);
  if (bytes > MAX_COMMAND_BYTES) throw reader.error(`claims ${bytes} bytes of load commands`);
  reader.need(HEADER_SIZE, bytes, 'the list of load commands');
  const end = HEADER_SIZE + bytes;
  const commands: LoadCommand[] = [];
  let at = HEADER_SIZE;
  for (let index = 0; index < count; index += 1) {
    const what = `load command ${index}`;
    if (end - at < 8) throw reader.error(`${what} lies outside the list of load commands`);
    const size = reader.u32(at + 4, what);
    if (size < 8 || size % 8 !== 0 || size > end - at) throw reader.error(`${what} claims a size of ${size} bytes`);
    commands.push({ command: reader.u32(at, what), at, size });
    at += size;
  }
  if (at !== end) throw reader.error(`has ${end - at} bytes behind its load commands that belong to none`);
  return commands;
}
