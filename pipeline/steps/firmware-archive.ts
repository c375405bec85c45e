import { rename, rm } from 'node:fs/promises';
import { syncFile, withDiskErrors } from '../effects/files.ts';
import { withLock } from '../effects/lock.ts';
import type { Store } from '../effects/store.ts';
import { matchesArchive, verifyArchive } from '../effects/verify.ts';
import { BuildError } from '../plan/errors.ts';
import type { FirmwareArtifact } from '../plan/pins.ts';
import { type ArchiveContext, fetchArchive } from './fetch-archive.ts';

/** What fetching a pinned archive into the store needs of a step or a command. */
export interface FetchContext extends ArchiveContext {
  readonly store: Pick<Store, 'downloadFile' | 'lockFile'>;
}

/** A verified archive in the store. */
export interface StoredArchive {
  readonly file: string;
  /** Whether this call fetched it; false where an earlier one had. */
  readonly fetched: boolean;
}

/**
 * Makes sure that the archive of a guest kernel is among the store's downloads, with the pinned bytes.
 * @throws BuildError A3S2003 when it is not and nothing may be fetched, A3S2001, A3S2002 or A3S2005 when every source
 *   of the pin fails.
 */
export async function fetchFirmwareArchive(context: FetchContext, artifact: FirmwareArtifact): Promise<StoredArchive> {
  const file = context.store.downloadFile(`${archiveName(artifact)}.tgz`);
  const lock = context.store.lockFile(`download-${archiveName(artifact)}`);
  return withLock(lock, { signal: context.signal }, async () => {
    if (await matchesArchive(file, artifact.archive)) return { file, fetched: false };
    const partial = `${file}.partial`;
    await fetchFromAny(context, artifact, partial);
    await syncFile(partial);
    await withDiskErrors(file, () => rename(partial, file));
    return { file, fetched: true };
  });
}

/** Tries the sources of the pin in order; they hold equal bytes, so any will do. */
async function fetchFromAny(context: FetchContext, artifact: FirmwareArtifact, partial: string): Promise<void> {
  let first: unknown;
  for (const source of artifact.sources) {
    try {
      return await fetchVerified(context, artifact, source, partial);
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** Bytes that differ are fetched once more: damage on the way is more likely than a forged file. */
async function fetchVerified(
  context: FetchContext,
  artifact: FirmwareArtifact,
  source: FirmwareArtifact['sources'][number],
  partial: string,
): Promise<void> {
  for (const last of [false, true]) {
    const url = await fetchArchive(context, source, artifact.archive, partial);
    try {
      return await verifyArchive(partial, artifact.archive, url);
    } catch (error) {
      await rm(partial, { force: true });
      if (last) throw error;
    }
  }
}

/** A file name that only these bytes can have. */
function archiveName(artifact: FirmwareArtifact): string {
  const { sha256, integrity } = artifact.archive;
  return (
    sha256 ??
    Buffer.from((integrity ?? '').replace(/^sha512-/, ''), 'base64')
      .toString('hex')
      .slice(0, 64)
  );
}
