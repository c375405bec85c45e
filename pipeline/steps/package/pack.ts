import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PackEntry, packTarball, readArchive } from '../../effects/archive.ts';
import { withDiskErrors } from '../../effects/files.ts';
import type { Facts } from '../../effects/store.ts';
import { privateFolders } from '../audit-file.ts';
import type { StepContext } from '../step.ts';
import { assertPackage, auditTarball, type TarballExpectation } from './audit.ts';
import { modesOf } from './expectations.ts';
import { tarballName } from './names.ts';

/** Bounds for a tarball of ours; the largest, for arm64, unpacks to some 35 MB. */
export const TARBALL_LIMITS = { bytes: 256 * 1024 * 1024, entries: 1000 };

/** What is known of a packed tarball. */
export interface Packed {
  readonly name: string;
  readonly version: string;
  /** Below the step's output. */
  readonly file: string;
  /** Subresource integrity, as lock files of npm have it. */
  readonly integrity: string;
  /** Bytes. */
  readonly packed: number;
  readonly unpacked: number;
}

/**
 * Packs a package into `npm/` of the step's output, and holds what was packed against what it has to be.
 * @param folders Folders of this machine, besides the usual ones, that no file may name.
 * @throws BuildError A3S4001 listing every difference.
 */
export async function packAndAudit(
  context: Pick<StepContext, 'config' | 'out' | 'temporary'>,
  entries: readonly PackEntry[],
  expected: Omit<TarballExpectation, 'modes' | 'forbiddenText'>,
  folders: readonly string[] = [],
): Promise<Packed> {
  const { config, out, temporary } = context;
  const { manifest } = expected;
  const [name, version] = [String(manifest['name']), String(manifest['version'])];
  const file = `npm/${tarballName(name, version)}`;
  const tarball = join(out, file);
  await packTarball(entries, tarball, config.environment.sourceDate);
  // Read back: what users get is what counts, not what was meant.
  const files = await readArchive(tarball, TARBALL_LIMITS);
  const bytes = await withDiskErrors(tarball, () => readFile(tarball));
  const forbiddenText = privateFolders(config, temporary, ...folders);
  const expectation = { ...expected, modes: modesOf(entries), forbiddenText };
  assertPackage(auditTarball({ files, size: bytes.length }, expectation), file);
  return {
    name,
    version,
    file,
    integrity: integrityOf(bytes),
    packed: bytes.length,
    unpacked: files.reduce((sum, { content }) => sum + content.length, 0),
  };
}

/** SHA-512 as subresource integrity. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

/** The same as facts of a step. */
export function packedFacts(packed: Packed): Facts {
  return { ...packed };
}

/** Size of the tarball, for a person. */
export function packedSize({ packed }: Packed): string {
  return packed < 1e6 ? `${Math.ceil(packed / 1e3)} kB` : `${(packed / 1e6).toFixed(1)} MB`;
}
