import { createByteReader } from './byte-reader.ts';
import { readSignature } from './code-signature.ts';
import {
  linkedPart,
  readInstallName,
  readLibraries,
  readMachOSegments,
  readPlatforms,
  readRpaths,
} from './macho-commands.ts';
import { exportsPart, readExportTrie } from './macho-exports.ts';
import { readMachOHeader } from './macho-header.ts';
import { readMachOSymbols } from './macho-symbols.ts';
import type { MachOFile } from './macho-types.ts';

export { isMachO } from './macho-header.ts';
export type { MachOFile } from './macho-types.ts';

/**
 * Reads a 64-bit little-endian Mach-O file for arm64 or x86_64 the way macOS' loader does, and recomputes every hash of
 * its code signature.
 *
 * @param file name for messages
 * @throws BuildError A3S1205 where the file is of another kind, truncated or damaged. A signature that can be read but
 *   does not fit the file is no error here: `signature.problems` says what is wrong with it.
 */
export function readMachO(bytes: Uint8Array, file?: string): MachOFile {
  const reader = createByteReader(bytes, file);
  const header = readMachOHeader(reader);
  const libraries = readLibraries(reader, header);
  const symbols = readMachOSymbols(reader, header, libraries);
  const trie = exportsPart(reader, header);
  const segments = readMachOSegments(reader, header);
  const signature = linkedPart(reader, header, 'CODE_SIGNATURE');
  return {
    cpu: header.cpu,
    form: header.form,
    installName: readInstallName(reader, header),
    libraries,
    rpaths: readRpaths(reader, header),
    platforms: readPlatforms(reader, header),
    exports: trie === null ? symbols.visible : readExportTrie(reader, trie),
    imports: symbols.imports,
    segments,
    signature: signature === null ? null : readSignature(reader, signature),
  };
}
