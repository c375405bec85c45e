import type { AuditExpectation } from '../../binary/audit.ts';
import type { PackEntry } from '../../effects/archive.ts';
import type { Target } from '../../plan/targets.ts';
import { LAUNCHER } from '../launcher.ts';
import { GLIBC_LIMIT } from '../libkrun.ts';
import { addonName } from './names.ts';
import { NPM_FOLDER } from './platform-package.ts';

/** Bytes at most of a packed platform package; the kernel for arm64 is larger and packs worse. */
const SIZE_LIMITS: Readonly<Record<Target['id'], number>> = {
  'linux-x64': 12_000_000,
  'linux-arm64': 18_000_000,
  'darwin-arm64': 18_000_000,
};

/** Bytes at most of the packed root package: it is text only, and a fifth of this. */
export const ROOT_SIZE_LIMIT = 100_000;

export function platformSizeLimit(target: Target): number {
  return SIZE_LIMITS[target.id];
}

/** What each binary of a platform package has to be, by its path inside the tarball. */
export function binaryExpectations(target: Target): Record<string, AuditExpectation> {
  const all: AuditExpectation = {
    machine: target.machine,
    needed: target.systemLibraries,
    unversionedImports: [],
    glibcLimit: GLIBC_LIMIT,
    executableStack: false,
  };
  return {
    // Node itself offers the functions that an addon imports; they have no version.
    [`${NPM_FOLDER}/${addonName(target)}`]: { ...all, form: 'shared', runpath: null, unversionedImports: ['napi_*'] },
    [`${NPM_FOLDER}/bin/${LAUNCHER}`]: { ...all, form: 'pie', runpath: null },
    [`${NPM_FOLDER}/lib/${target.libraryFile}`]: {
      ...all,
      form: 'shared',
      soname: target.libraryFile,
      // libkrun opens the guest kernel by its bare name, and finds it beside itself.
      runpath: '$ORIGIN',
    },
    [`${NPM_FOLDER}/lib/${target.firmwareFile}`]: {
      ...all,
      form: 'shared',
      soname: target.firmwareFile,
    },
  };
}

/** Modes by path. */
export function modesOf(entries: readonly PackEntry[]): Record<string, number> {
  return Object.fromEntries(entries.map(({ path, mode }) => [path, mode]));
}
