import { type ByteReader, printable } from './byte-reader.ts';
import type { ElfMachine, Segment } from './elf-types.ts';
import { describeOtherFile } from './file-kind.ts';

/** e_type */
export type ElfType = 'object' | 'executable' | 'dynamic';

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: bigint;
  readonly fileSize: number;
  readonly memorySize: bigint;
}

export interface SectionHeader {
  readonly type: number;
  readonly address: bigint;
  readonly size: bigint;
  readonly entrySize: bigint;
}

export interface ElfHeader {
  readonly machine: ElfMachine;
  readonly type: ElfType;
  readonly programHeaders: readonly ProgramHeader[];
  /** Empty in a file stripped of them. */
  readonly sectionHeaders: readonly SectionHeader[];
}

/** Values of the ELF-64 object file format and of the System V ABI. */
const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;
const MACHINES: ReadonlyMap<number, ElfMachine> = new Map([
  [62, 'x86_64'],
  [183, 'aarch64'],
]);
const OTHER_MACHINES: ReadonlyMap<number, string> = new Map([
  [3, '32-bit x86'],
  [8, 'MIPS'],
  [21, 'PowerPC 64'],
  [22, 'S/390'],
  [40, '32-bit ARM'],
  [243, 'RISC-V'],
  [247, 'BPF'],
  [258, 'LoongArch'],
]);
const TYPES: ReadonlyMap<number, ElfType> = new Map([
  [1, 'object'],
  [2, 'executable'],
  [3, 'dynamic'],
]);
const PT_LOAD = 1;
/** Linkers write about a dozen program headers; the loader of Linux takes at most one page of them. */
const MAX_PROGRAM_HEADERS = 1024;

export function readHeader(reader: ByteReader): ElfHeader {
  checkIdentity(reader);
  const machineNumber = reader.u16(18, 'the ELF header');
  const machine = MACHINES.get(machineNumber);
  if (machine === undefined) {
    const name = OTHER_MACHINES.get(machineNumber) ?? 'unknown';
    throw reader.error(`is made for machine ${machineNumber} (${name}), not for x86_64 or aarch64`);
  }
  const typeNumber = reader.u16(16, 'the ELF header');
  const type = TYPES.get(typeNumber);
  if (type === undefined) {
    throw reader.error(`has ELF type ${typeNumber}${typeNumber === 4 ? ' (core dump)' : ''}: not a program or library`);
  }
  return { machine, type, programHeaders: readProgramHeaders(reader), sectionHeaders: readSectionHeaders(reader) };
}

/** Whether bytes begin as an ELF file does, of whatever kind. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function checkIdentity(reader: ByteReader): void {
  const { bytes } = reader;
  if (!isElf(bytes)) throw reader.error(`is not an ELF file: ${describeOtherFile(bytes)}`);
  if (reader.u8(4, 'the ELF header') === 1) throw reader.error('is a 32-bit ELF file; only 64-bit ones are supported');
  if (bytes[4] !== 2) throw reader.error(`has unknown ELF class ${bytes[4]}`);
  if (reader.u8(5, 'the ELF header') === 2)
    throw reader.error('is a big-endian ELF file; only little-endian is supported');
  if (bytes[5] !== 1) throw reader.error(`has unknown ELF byte order ${bytes[5]}`);
  reader.need(0, HEADER_SIZE, 'the ELF header');
  const version = reader.u32(20, 'the ELF header');
  if (bytes[6] !== 1 || version !== 1) throw reader.error(`has unknown ELF version ${version}`);
}

function readProgramHeaders(reader: ByteReader): ProgramHeader[] {
  const count = reader.u16(56, 'the ELF header');
  if (count === 0) return [];
  if (count > MAX_PROGRAM_HEADERS)
    throw reader.error(`claims ${count} program headers; ${MAX_PROGRAM_HEADERS} are the limit`);
  const entrySize = reader.u16(54, 'the ELF header');
  if (entrySize !== PROGRAM_HEADER_SIZE) throw reader.error(`has program headers of ${entrySize} bytes instead of 56`);
  const start = reader.word(32, 'the offset of the program headers');
  reader.need(start, count * PROGRAM_HEADER_SIZE, 'the program header table');
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * PROGRAM_HEADER_SIZE;
    const what = `program header ${index}`;
    const header: ProgramHeader = {
      type: reader.u32(at, what),
      flags: reader.u32(at + 4, what),
      offset: reader.word(at + 8, what),
      address: reader.u64(at + 16, what),
      fileSize: reader.word(at + 32, what),
      memorySize: reader.u64(at + 40, what),
    };
    reader.need(header.offset, header.fileSize, `segment ${index}`);
    return header;
  });
}

function readSectionHeaders(reader: ByteReader): SectionHeader[] {
  const start = reader.word(40, 'the offset of the section headers');
  const count = reader.u16(60, 'the ELF header');
  if (start === 0 || count === 0) return [];
  const entrySize = reader.u16(58, 'the ELF header');
  if (entrySize !== SECTION_HEADER_SIZE) throw reader.error(`has section headers of ${entrySize} bytes instead of 64`);
  reader.need(start, count * SECTION_HEADER_SIZE, 'the section header table');
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * SECTION_HEADER_SIZE;
    const what = `section header ${index}`;
    return {
      type: reader.u32(at + 4, what),
      address: reader.u64(at + 16, what),
      size: reader.u64(at + 32, what),
      entrySize: reader.u64(at + 56, what),
    };
  });
}

/**
 * The mapped parts in ascending order. Overlapping ones are refused: which bytes the loader would see then depends on
 * the loader, and a file that shows us other bytes than it shows the loader must not pass an audit.
 */
export function readSegments(reader: ByteReader, headers: readonly ProgramHeader[]): Segment[] {
  let end = 0n;
  return headers
    .filter(({ type }) => type === PT_LOAD)
    .map((header, index) => {
      if (BigInt(header.fileSize) > header.memorySize) {
        throw reader.error(
          `loads ${header.fileSize} bytes into ${header.memorySize} bytes of memory (segment ${index})`,
        );
      }
      if (header.address < end) throw reader.error(`has overlapping or unordered segments (${index - 1} and ${index})`);
      end = header.address + header.memorySize;
      const { address, memorySize, offset, fileSize } = header;
      return { address, memorySize, fileOffset: offset, fileSize };
    });
}

/** The offset in the file of `size` bytes at a virtual address; null where they are not all in one mapped part. */
export function fileOffsetOf(segments: readonly Segment[], address: bigint, size: bigint): number | null {
  const segment = segments.find((part) => address >= part.address && address - part.address <= BigInt(part.fileSize));
  if (segment === undefined || size > BigInt(segment.fileSize) - (address - segment.address)) return null;
  return segment.fileOffset + Number(address - segment.address);
}

/** Like `fileOffsetOf`, but a place outside the file throws A3S1205. */
export function requireOffset(
  reader: ByteReader,
  segments: readonly Segment[],
  place: { readonly address: bigint; readonly size: bigint; readonly what: string },
): number {
  const offset = fileOffsetOf(segments, place.address, place.size);
  if (offset !== null) return offset;
  throw reader.error(
    `${printable(place.what)} (${place.size} bytes at address 0x${place.address.toString(16)}) lies outside the mapped file`,
  );
}
