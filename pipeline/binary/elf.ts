import { type ByteReader, createByteReader } from './byte-reader.ts';
import { type DynamicSegment, readDynamic } from './elf-dynamic.ts';
import { type ElfHeader, type ProgramHeader, readHeader, readSegments } from './elf-header.ts';
import { dynamicStrings } from './elf-strings.ts';
import { countSymbols } from './elf-symbol-count.ts';
import { readSymbols } from './elf-symbols.ts';
import type { ElfFile, ElfForm, ElfMachine } from './elf-types.ts';
import { readVersions } from './elf-versions.ts';
import type { StringTable } from './string-table.ts';

export { isElf } from './elf-header.ts';
export type { ElfFile } from './elf-types.ts';

const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const FLAG_EXECUTE = 1;
/** DF_1_PIE: linkers set it in programs, never in libraries. */
const FLAG_PIE = 0x08000000n;
/** PATH_MAX of Linux. */
const MAX_INTERPRETER = 4096;
/** What the kernel assumes where the file has no PT_GNU_STACK. */
const STACK_DEFAULT: Readonly<Record<ElfMachine, boolean>> = { x86_64: true, aarch64: false };

/**
 * Reads a 64-bit little-endian ELF file for x86_64 or aarch64 the way the loader does, through the program headers;
 * section headers are a help where they are present, never a need.
 *
 * @param file name for messages
 * @throws BuildError A3S1205 where the file is of another kind, truncated or damaged
 */
export function readElf(bytes: Uint8Array, file?: string): ElfFile {
  const reader = createByteReader(bytes, file);
  const header = readHeader(reader);
  const segments = readSegments(reader, header.programHeaders);
  const dynamic = readDynamic(reader, header.programHeaders, segments);
  const strings = dynamicStrings(reader, segments, dynamic);
  const versions = readVersions(reader, segments, dynamic, strings);
  const count = countSymbols({ reader, segments, dynamic }, header.sectionHeaders);
  const symbols = readSymbols(reader, segments, dynamic, { count, strings, versions });
  const interpreter = readInterpreter(reader, header.programHeaders);
  const names = readNames(dynamic, strings);
  const form = formOf(header, dynamic, { interpreter, soname: names.soname, needed: names.needed });
  return {
    machine: header.machine,
    form,
    isStatic: form === 'static-executable' || form === 'static-pie',
    interpreter,
    ...names,
    ...symbols,
    versionNeeds: versions.needs,
    segments,
    executableStack: hasExecutableStack(header),
  };
}

function readNames(dynamic: DynamicSegment, strings: StringTable) {
  const text = (tag: 'SONAME' | 'RPATH' | 'RUNPATH'): string | null => {
    const offset = dynamic.values.get(tag);
    return offset === undefined ? null : strings(offset, `DT_${tag}`);
  };
  return {
    soname: text('SONAME'),
    needed: dynamic.needed.map((offset) => strings(offset, 'DT_NEEDED')),
    rpath: text('RPATH'),
    runpath: text('RUNPATH'),
  };
}

function readInterpreter(reader: ByteReader, headers: readonly ProgramHeader[]): string | null {
  const found = headers.filter(({ type }) => type === PT_INTERP);
  const header = found[0];
  if (header === undefined) return null;
  if (found.length > 1) throw reader.error('names more than one loader');
  if (header.fileSize > MAX_INTERPRETER) throw reader.error(`has a loader path of ${header.fileSize} bytes`);
  const text = Buffer.from(reader.slice(header.offset, header.fileSize, 'the path of the loader'));
  if (text.indexOf(0) !== text.length - 1) throw reader.error('has a malformed loader path');
  return text.toString('utf8', 0, text.length - 1);
}

/** Static means: nobody loads anything for it. A library without needs is no static program, hence the PIE mark. */
function formOf(
  header: ElfHeader,
  dynamic: DynamicSegment,
  names: { readonly interpreter: string | null; readonly soname: string | null; readonly needed: readonly string[] },
): ElfForm {
  if (header.type === 'object') return 'object';
  const alone = names.interpreter === null && names.needed.length === 0;
  if (header.type === 'executable') return alone ? 'static-executable' : 'executable';
  const marked = ((dynamic.values.get('FLAGS_1') ?? 0n) & FLAG_PIE) !== 0n;
  // Linkers from before the mark (binutils 2.26): a program names its loader and has no soname.
  const program = marked || (names.interpreter !== null && names.soname === null);
  if (!program) return 'shared';
  return alone ? 'static-pie' : 'pie';
}

function hasExecutableStack({ machine, programHeaders }: ElfHeader): boolean {
  const header = programHeaders.find(({ type }) => type === PT_GNU_STACK);
  return header === undefined ? STACK_DEFAULT[machine] : (header.flags & FLAG_EXECUTE) !== 0;
}
