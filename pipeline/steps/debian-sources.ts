import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { aptDownload } from '../effects/apt.ts';
import { statIfThere, withDiskErrors } from '../effects/files.ts';
import { download, printableUrl } from '../effects/http.ts';
import { buildError } from '../plan/errors.ts';
import type { Guest } from '../plan/init-compiler.ts';
import type { DebianPackage } from '../plan/sysroot-pins.ts';
import type { StepContext } from './step.ts';

/** What a source needs of a step or a command. */
export type DebianContext = Pick<StepContext, 'config' | 'variables' | 'signal' | 'log' | 'progress'>;

/** Which packages are to come to lie in `folder`, under the names that they have on a mirror. */
export interface Wanted {
  readonly pins: readonly DebianPackage[];
  readonly folder: string;
  readonly debian: Guest['debian'];
}

/** A place where Debian's packages may be had. */
export interface DebianSource {
  readonly name: string;
  /**
   * Puts into the folder what it has; nobody trusts that before it is verified.
   * @returns Why it has nothing, where that is clear at once.
   */
  fetch(context: DebianContext, wanted: Wanted): Promise<string | undefined>;
}

/** In the order in which they are asked. No server is named here: addresses are the user's, or the system's own. */
export const DEBIAN_SOURCES: readonly DebianSource[] = [
  {
    name: 'mirror',
    fetch: (context, wanted) =>
      fromServer(context, wanted, context.config.debian.mirror, 'A3S_DEBIAN_MIRROR is not set'),
  },
  {
    name: 'snapshot',
    fetch: (context, wanted) =>
      fromServer(context, wanted, context.config.debian.snapshot, 'A3S_DEBIAN_SNAPSHOT is not set'),
  },
  { name: 'folder', fetch: fromFolder },
  {
    name: 'apt',
    async fetch({ config, variables, signal, log }, { pins, folder, debian }) {
      if (config.offline) return OFFLINE;
      return aptDownload(pins, debian, folder, { variables, signal, log });
    },
  },
];

const OFFLINE = '--offline is set';

async function fromServer(
  context: DebianContext,
  { pins, folder }: Wanted,
  server: string | undefined,
  unset: string,
): Promise<string | undefined> {
  if (server === undefined) return unset;
  if (context.config.offline) return OFFLINE;
  for (const { path, size } of pins) {
    const url = debianUrl(server, path);
    await download({
      url,
      network: {},
      size,
      sizeLimit: size,
      partial: join(folder, basename(path)),
      signal: context.signal,
      onProgress: (done) => context.progress({ done, total: size, unit: 'bytes', detail: printableUrl(url) }),
    });
  }
  return undefined;
}

/** @throws BuildError A3S1103 for an address that is none. */
function debianUrl(server: string, path: string): string {
  const base = URL.canParse(server) ? new URL(server) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw buildError('A3S1103', {
      message: 'the Debian mirror is named by something that is no http or https address',
    });
  }
  return `${server.replace(/\/+$/, '')}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

async function fromFolder({ config }: DebianContext, { pins, folder }: Wanted): Promise<string | undefined> {
  const from = config.debian.folder;
  if (from === undefined) return 'A3S_DEBIAN_FOLDER is not set';
  for (const { path } of pins) {
    const file = join(from, basename(path));
    if (statIfThere(file) !== undefined) await withDiskErrors(file, () => copyFile(file, join(folder, basename(path))));
  }
  return undefined;
}
