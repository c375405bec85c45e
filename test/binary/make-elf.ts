/** Writes small ELF libraries byte by byte, so that a test can state, and damage, any part of one. */

export interface MadeSymbol {
  readonly name: string;
  /** Missing: the symbol is imported. */
  readonly data?: string;
  readonly weak?: boolean;
  /** 0 none, 1 object, 2 function. */
  readonly type?: number;
  /** Of `versions`, counted from 0. */
  readonly version?: number;
}

export interface MadeVersion {
  readonly library: string;
  readonly name: string;
  readonly weak?: boolean;
}

export interface MadeElf {
  readonly machine?: number;
  readonly type?: number;
  readonly soname?: string;
  readonly runpath?: string;
  readonly rpath?: string;
  readonly needed?: readonly string[];
  readonly interpreter?: string;
  readonly symbols?: readonly MadeSymbol[];
  readonly versions?: readonly MadeVersion[];
  readonly flags1?: bigint;
  readonly executableStack?: boolean;
  /** Entries added to the dynamic segment as they are. */
  readonly extraDynamic?: readonly (readonly [tag: bigint, value: bigint])[];
  /** Tags left out of the dynamic segment, unless `extraDynamic` states them. */
  readonly without?: readonly bigint[];
}

/** Where the parts of a made file lie, for tests that overwrite one. */
export interface MadeParts {
  readonly bytes: Buffer;
  readonly dynamic: number;
  readonly strings: number;
  readonly symbols: number;
  readonly hash: number;
  readonly versionNeeds: number;
  readonly symbolVersions: number;
}

const HEADER = 64;
const PROGRAM_HEADER = 56;
export const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, STACK: 0x6474e551 } as const;
export const DT = {
  NEEDED: 1n,
  HASH: 4n,
  STRTAB: 5n,
  SYMTAB: 6n,
  RELA: 7n,
  RELASZ: 8n,
  STRSZ: 10n,
  SYMENT: 11n,
  SONAME: 14n,
  RPATH: 15n,
  RUNPATH: 29n,
  FLAGS_1: 0x6ffffffbn,
  VERSYM: 0x6ffffff0n,
  VERNEED: 0x6ffffffen,
  VERNEEDNUM: 0x6fffffffn,
  GNU_HASH: 0x6ffffef5n,
} as const;

export function makeElf(description: MadeElf = {}): Buffer {
  return makeElfParts(description).bytes;
}

export function makeElfParts(description: MadeElf = {}): MadeParts {
  const { symbols = [], versions = [], needed = [] } = description;
  const text = textTable();
  const programHeaders = description.interpreter === undefined ? 3 : 4;
  const data = Buffer.concat(symbols.map((symbol) => Buffer.from(`${symbol.data ?? ''}\0`)));
  const interpreter = Buffer.from(`${description.interpreter ?? ''}\0`);

  const place = layout(HEADER + programHeaders * PROGRAM_HEADER);
  const at = {
    symbols: place((symbols.length + 1) * 24),
    symbolVersions: place((symbols.length + 1) * 2),
    versionNeeds: place(versions.length * 32),
    hash: place(8),
    data: place(data.length),
    interpreter: place(interpreter.length),
    dynamic: place(0),
  };

  const symbolBytes = writeSymbols(symbols, at.data, text.add);
  const versionBytes = writeVersions(versions, text.add);
  const entries: (readonly [bigint, bigint])[] = needed.map((name) => [DT.NEEDED, BigInt(text.add(name))] as const);
  for (const [tag, value] of [
    [DT.SONAME, description.soname],
    [DT.RPATH, description.rpath],
    [DT.RUNPATH, description.runpath],
  ] as const) {
    if (value !== undefined) entries.push([tag, BigInt(text.add(value))]);
  }
  if (description.flags1 !== undefined) entries.push([DT.FLAGS_1, description.flags1]);
  entries.push([DT.SYMTAB, BigInt(at.symbols)], [DT.SYMENT, 24n], [DT.HASH, BigInt(at.hash)]);
  if (versions.length > 0) {
    entries.push([DT.VERSYM, BigInt(at.symbolVersions)]);
    entries.push([DT.VERNEED, BigInt(at.versionNeeds)], [DT.VERNEEDNUM, BigInt(versions.length)]);
  }
  const kept = entries.filter(([tag]) => !description.without?.includes(tag)).concat(description.extraDynamic ?? []);
  const strings = at.dynamic + (kept.length + 3) * 16;
  const all = [...kept, [DT.STRTAB, BigInt(strings)], [DT.STRSZ, BigInt(text.bytes().length)], [0n, 0n]] as const;

  const bytes = Buffer.alloc(strings + text.bytes().length);
  symbolBytes.copy(bytes, at.symbols);
  symbols.forEach(({ version }, index) => {
    bytes.writeUInt16LE(version === undefined ? 1 : version + 2, at.symbolVersions + (index + 1) * 2);
  });
  versionBytes.copy(bytes, at.versionNeeds);
  bytes.writeUInt32LE(symbols.length + 1, at.hash + 4);
  data.copy(bytes, at.data);
  interpreter.copy(bytes, at.interpreter);
  all.forEach(([tag, value], index) => {
    bytes.writeBigUInt64LE(tag, at.dynamic + index * 16);
    bytes.writeBigUInt64LE(value, at.dynamic + index * 16 + 8);
  });
  text.bytes().copy(bytes, strings);
  writeHeader(bytes, description, programHeaders);
  writeProgramHeader(bytes, 0, { type: PT.LOAD, flags: 4, at: 0, size: bytes.length });
  writeProgramHeader(bytes, 1, { type: PT.DYNAMIC, flags: 6, at: at.dynamic, size: all.length * 16 });
  writeProgramHeader(bytes, 2, { type: PT.STACK, flags: description.executableStack ? 7 : 6, at: 0, size: 0 });
  if (description.interpreter !== undefined) {
    writeProgramHeader(bytes, 3, { type: PT.INTERP, flags: 4, at: at.interpreter, size: interpreter.length });
  }
  return { bytes, strings, ...at };
}

function textTable() {
  let table = '\0';
  return {
    add: (name: string): number => {
      const offset = Buffer.byteLength(table);
      table += `${name}\0`;
      return offset;
    },
    bytes: () => Buffer.from(table),
  };
}

function layout(start: number): (size: number) => number {
  let next = start;
  return (size) => {
    const at = next;
    next = (at + size + 7) & ~7;
    return at;
  };
}

function writeSymbols(symbols: readonly MadeSymbol[], dataAt: number, text: (name: string) => number): Buffer {
  const bytes = Buffer.alloc((symbols.length + 1) * 24);
  let address = dataAt;
  symbols.forEach(({ name, data, weak, type = 2 }, index) => {
    const at = (index + 1) * 24;
    bytes.writeUInt32LE(text(name), at);
    bytes.writeUInt8(((weak ? 2 : 1) << 4) | type, at + 4);
    if (data !== undefined) {
      bytes.writeUInt16LE(7, at + 6);
      bytes.writeBigUInt64LE(BigInt(address), at + 8);
      bytes.writeBigUInt64LE(BigInt(Buffer.byteLength(data)), at + 16);
    }
    address += Buffer.byteLength(data ?? '') + 1;
  });
  return bytes;
}

/** One record for each version: a library may come up several times. */
function writeVersions(versions: readonly MadeVersion[], text: (name: string) => number): Buffer {
  const bytes = Buffer.alloc(versions.length * 32);
  versions.forEach(({ library, name, weak }, index) => {
    const at = index * 32;
    bytes.writeUInt16LE(1, at);
    bytes.writeUInt16LE(1, at + 2);
    bytes.writeUInt32LE(text(library), at + 4);
    bytes.writeUInt32LE(16, at + 8);
    bytes.writeUInt32LE(index + 1 < versions.length ? 32 : 0, at + 12);
    bytes.writeUInt16LE(weak ? 2 : 0, at + 20);
    bytes.writeUInt16LE(index + 2, at + 22);
    bytes.writeUInt32LE(text(name), at + 24);
  });
  return bytes;
}

function writeHeader(bytes: Buffer, { machine = 62, type = 3 }: MadeElf, programHeaders: number): void {
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(bytes);
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(HEADER), 32);
  bytes.writeUInt16LE(HEADER, 52);
  bytes.writeUInt16LE(PROGRAM_HEADER, 54);
  bytes.writeUInt16LE(programHeaders, 56);
}

function writeProgramHeader(
  bytes: Buffer,
  index: number,
  { type, flags, at, size }: { type: number; flags: number; at: number; size: number },
): void {
  const header = HEADER + index * PROGRAM_HEADER;
  bytes.writeUInt32LE(type, header);
  bytes.writeUInt32LE(flags, header + 4);
  for (const field of [8, 16, 24]) bytes.writeBigUInt64LE(BigInt(at), header + field);
  for (const field of [32, 40]) bytes.writeBigUInt64LE(BigInt(size), header + field);
}
