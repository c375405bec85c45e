import { createWriteStream } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { extractTree, type TreeRules } from './archive.ts';
import type { ArchiveLimits } from './archive-checks.ts';
import { rawCap, refusal } from './archive-walk.ts';
import { withDiskErrors } from './files.ts';

const MAGIC = '!<arch>\n';
const HEADER = 60;

/** A member of an `ar` archive. */
interface Member {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * Unpacks what a Debian package installs below `to`, a fresh folder, under the rules of {@link extractTree}.
 * @param temporary An existing folder for what lies between.
 * @throws BuildError A3S2004 for an archive that is damaged, not of this kind, or larger than `limits`.
 */
export async function extractDeb(
  file: string,
  to: string,
  limits: ArchiveLimits,
  rules: TreeRules,
  temporary: string,
): Promise<void> {
  const members = readMembers(await withDiskErrors(file, () => readFile(file)), file);
  const [first] = members;
  if (first?.name !== 'debian-binary' || !/^2\.\d+\n/.test(first.content.toString('latin1'))) {
    throw refusal(file, 'it is no Debian package');
  }
  const data = members.filter(({ name }) => name.startsWith('data.tar'));
  const [only] = data;
  if (only === undefined || data.length > 1) throw refusal(file, `it holds ${data.length} data archives`);
  const tar = join(temporary, 'data.tar');
  try {
    if (only.name === 'data.tar.xz') await unpackXz(only.content, tar, rawCap(limits), file);
    else if (only.name === 'data.tar' || only.name === 'data.tar.gz') await writeFile(tar, only.content);
    else throw refusal(file, `its data is packed as ${JSON.stringify(only.name)}`);
    await extractTree(tar, to, limits, rules);
  } finally {
    await rm(tar, { force: true });
  }
}

function readMembers(bytes: Buffer, file: string): readonly Member[] {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw refusal(file, 'it is no ar archive');
  const members: Member[] = [];
  for (let at = MAGIC.length; at < bytes.length; ) {
    const header = bytes.toString('latin1', at, at + HEADER);
    const size = /^.{48}(\d{1,10}) *`\n$/s.exec(header)?.[1];
    const end = at + HEADER + Number(size);
    if (size === undefined || end > bytes.length) throw refusal(file, 'a member of it is damaged or cut off');
    const name = header.slice(0, 16).trimEnd().replace(/\/$/, '');
    members.push({ name, content: bytes.subarray(at + HEADER, end) });
    // Members begin at even offsets.
    at = end + (end % 2);
  }
  return members;
}

async function unpackXz(content: Buffer, to: string, cap: number, file: string): Promise<void> {
  const { XzReadableStream } = await loadXz();
  const packed = new Blob([new Uint8Array(content)]).stream();
  const unpacked = new XzReadableStream(packed as never) as unknown as ReadableStream<Uint8Array>;
  let total = 0;
  const capped = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      total += chunk.length;
      if (total > cap) throw refusal(file, `it unpacks to more than ${cap} bytes`);
      // The decompressor uses its memory again for the next chunk.
      yield Buffer.from(chunk);
    }
  };
  try {
    await pipeline(Readable.fromWeb(unpacked), capped, createWriteStream(to));
  } catch (error) {
    if (error instanceof Error && !('failure' in error) && !('syscall' in error)) {
      throw refusal(file, `its data cannot be unpacked: ${error.message}`, error);
    }
    throw error;
  }
}

/** The module is CommonJS, which its types do not say. */
async function loadXz(): Promise<typeof import('xz-decompress')> {
  const loaded = (await import('xz-decompress')) as unknown as { readonly default: typeof import('xz-decompress') };
  return loaded.default;
}
