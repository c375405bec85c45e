import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LoadError } from './api.ts';
import { outsideArchive } from './archive.ts';
import { diagnose, type HostFacts } from './diagnosis.ts';
import type { PlatformEntry, PlatformTable } from './platform-table.ts';
import { explainRefusal } from './refusal.ts';

/** Access to the binaries of one platform. */
export interface Binaries {
  /** Absolute path of the launcher. @throws LoadError */
  launcher(): string;
  /** Functions and constants of the addon; loads it the first time. @throws LoadError */
  addon(): object;
}

interface Manifest {
  readonly version: string;
  readonly glibc: string | null;
}

/**
 * The binaries of the platform that this process runs on. Nothing is looked at before a call, and what was found
 * unusable is looked at again in the next one.
 */
export function openBinaries(table: PlatformTable, host: () => HostFacts): Binaries {
  let usable: PlatformEntry | undefined;
  let loaded: object | undefined;
  const entry = (): PlatformEntry => {
    usable ??= findUsable(table, host());
    return usable;
  };
  return {
    launcher: () => launcherOf(entry()),
    addon: () => {
      loaded ??= loadAddon(entry(), host());
      return loaded;
    },
  };
}

function findUsable(table: PlatformTable, host: HostFacts): PlatformEntry {
  const id = `${host.platform}-${host.arch}`;
  const failures: Record<string, unknown> = {};
  const manifests: Record<string, Manifest> = {};
  for (const [platform, entry] of Object.entries(table.platforms)) {
    try {
      manifests[platform] = readManifest(entry.manifest());
    } catch (error) {
      failures[platform] = error;
    }
  }
  const diagnosis = diagnose(host, {
    name: table.name,
    version: table.version,
    node: table.node,
    platforms: Object.fromEntries(Object.entries(table.platforms).map(([platform, one]) => [platform, one.package])),
    installed: Object.keys(manifests),
    own: manifests[id] ?? null,
  });
  const entry = table.platforms[id];
  if (diagnosis === null && entry !== undefined) return entry;
  throw new LoadError(
    diagnosis?.code ?? 'LOADER_UNSUPPORTED_PLATFORM',
    diagnosis?.message ?? `${table.name} has no binaries for ${id}.`,
    failures[id],
  );
}

function readManifest(file: string): Manifest {
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown; config?: { glibc?: unknown } };
  const glibc = manifest.config?.glibc;
  return { version: String(manifest.version), glibc: typeof glibc === 'string' ? glibc : null };
}

function loadAddon(entry: PlatformEntry, host: HostFacts): object {
  const file = fileOf(entry, 'addon', entry.addonFile);
  for (const library of fileOf(entry, 'libraries', entry.libraries)) outsideArchive(library, entry.package);
  const outside = outsideArchive(file, entry.package);
  try {
    const addon: unknown = outside === file ? entry.addon() : createRequire(outside)(outside);
    if (typeof addon === 'object' && addon !== null) return addon;
    throw new TypeError('the addon exports nothing');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const { code, message } = explainRefusal(reason, entry.package, host);
    throw new LoadError(code, message, error);
  }
}

function launcherOf(entry: PlatformEntry): string {
  return outsideArchive(fileOf(entry, 'launcher', entry.launcher), entry.package);
}

/** Runs `find`; a file that is not there belongs to a package that lost it. */
function fileOf<T>(entry: PlatformEntry, what: keyof typeof LOST, find: () => T): T {
  try {
    return find();
  } catch (error) {
    const message = `${entry.package} is damaged: ${LOST[what]} missing. Delete node_modules and install again.`;
    throw new LoadError('LOADER_NOT_INSTALLED', message, error);
  }
}

const LOST = { addon: 'its addon is', libraries: 'one of its libraries is', launcher: 'its launcher is' } as const;
