import type { ByteReader } from './byte-reader.ts';
import type { DynamicSegment, DynamicTag } from './elf-dynamic.ts';
import { requireOffset, type SectionHeader } from './elf-header.ts';
import type { Segment } from './elf-types.ts';

const SYMBOL_SIZE = 24;
const RELOCATION_SIZE = 24;
const SHT_DYNSYM = 11;
/** Several times what the largest programs export and import. */
const MAX_SYMBOLS = 500_000;

interface Input {
  readonly reader: ByteReader;
  readonly segments: readonly Segment[];
  readonly dynamic: DynamicSegment;
}

/**
 * How many dynamic symbols the file has, the empty first one included. Nothing that the loader reads states the number,
 * so this takes the highest that any source knows: the hash tables (all exports), the relocations (all imports in use)
 * and the section headers (everything, but a stripped file lacks them).
 */
export function countSymbols(input: Input, sections: readonly SectionHeader[]): number {
  const { reader, dynamic } = input;
  const address = dynamic.values.get('SYMTAB');
  if (address === undefined) return 0;
  const entrySize = dynamic.values.get('SYMENT') ?? BigInt(SYMBOL_SIZE);
  if (entrySize !== BigInt(SYMBOL_SIZE)) throw reader.error(`has symbols of ${entrySize} bytes instead of 24`);
  const count = Math.max(
    countInSections(sections, address),
    countInHash(input),
    countInGnuHash(input),
    countInRelocations(input, 'RELA', 'RELASZ'),
    countInRelocations(input, 'JMPREL', 'PLTRELSZ'),
  );
  if (count > MAX_SYMBOLS) throw reader.error(`claims ${count} dynamic symbols; ${MAX_SYMBOLS} are the limit`);
  return count;
}

function countInSections(sections: readonly SectionHeader[], address: bigint): number {
  const section = sections.find((header) => header.type === SHT_DYNSYM && header.address === address);
  return section === undefined ? 0 : Number(section.size / BigInt(SYMBOL_SIZE));
}

/** DT_HASH: buckets, chains; there is one chain entry for each symbol. */
function countInHash({ reader, segments, dynamic }: Input): number {
  const address = dynamic.values.get('HASH');
  if (address === undefined) return 0;
  const what = 'the hash table';
  return reader.u32(requireOffset(reader, segments, { address, size: 8n, what }) + 4, what);
}

/**
 * DT_GNU_HASH: header (buckets, first symbol, filter words, shift), filter, buckets, chains. Symbols are sorted by bucket,
 * and the lowest bit marks the last of each chain, so the chain that starts highest ends with the last symbol.
 */
function countInGnuHash({ reader, segments, dynamic }: Input): number {
  const address = dynamic.values.get('GNU_HASH');
  if (address === undefined) return 0;
  const what = 'the GNU hash table';
  const start = requireOffset(reader, segments, { address, size: 16n, what });
  const bucketCount = reader.u32(start, what);
  const firstSymbol = reader.u32(start + 4, what);
  const buckets = start + 16 + reader.u32(start + 8, what) * 8;
  reader.need(buckets, bucketCount * 4, what);
  let last = 0;
  for (let index = 0; index < bucketCount; index += 1) last = Math.max(last, reader.u32(buckets + index * 4, what));
  if (last === 0) return 0;
  if (last < firstSymbol) throw reader.error(`${what} refers to symbol ${last}, which it does not hold`);
  const chains = buckets + bucketCount * 4;
  // Ends at the latest where the file does.
  while ((reader.u32(chains + (last - firstSymbol) * 4, what) & 1) === 0) last += 1;
  return last + 1;
}

function countInRelocations({ reader, segments, dynamic }: Input, place: DynamicTag, sizeTag: DynamicTag): number {
  const address = dynamic.values.get(place);
  const size = dynamic.values.get(sizeTag) ?? 0n;
  if (address === undefined || size === 0n) return 0;
  const what = 'the relocation table';
  const start = requireOffset(reader, segments, { address, size, what });
  let highest = 0;
  for (let at = start; at + RELOCATION_SIZE <= start + Number(size); at += RELOCATION_SIZE) {
    highest = Math.max(highest, reader.u32(at + 12, what));
  }
  return highest + 1;
}
