import type { BinaryExpectation } from '../../binary/audit-file.ts';
import type { ExportExpectation } from '../../binary/audit-types.ts';
import type { PackEntry } from '../../effects/archive.ts';
import type { LibkrunPins } from '../../plan/pins.ts';
import type { Target } from '../../plan/targets.ts';
import { type BinaryLimits, binariesOf, LAUNCHER } from '../binaries.ts';
import { licenseTexts } from './contents.ts';
import { INTEGRITY_FILE, ROOT_CODE } from './manifests.ts';
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

/** What libkrun has to export: the header's functions, less those that were reviewed. */
export function libraryExports(
  functions: readonly string[],
  { missing, extra }: LibkrunPins['exports'],
): ExportExpectation {
  return { required: functions, mayBeMissing: Object.keys(missing), alsoAllowed: Object.keys(extra) };
}

/** What each binary of a platform package has to be, by its path inside the tarball. */
export function binaryExpectations(target: Target, limits: BinaryLimits): Record<string, BinaryExpectation> {
  const { addon, launcher, library, firmware } = binariesOf(target, limits);
  return {
    [`${NPM_FOLDER}/${addonName(target)}`]: addon,
    [`${NPM_FOLDER}/bin/${LAUNCHER}`]: launcher,
    [`${NPM_FOLDER}/lib/${target.libraryFile}`]: library,
    [`${NPM_FOLDER}/lib/${target.firmwareFile}`]: firmware,
  };
}

/** Texts of a platform package, besides the licences. */
const PLATFORM_TEXTS = [
  'LICENSE',
  'SOURCE.md',
  'THIRD-PARTY-NOTICES.md',
  'package.json',
  'sbom.cdx.json',
  'versions.json',
] as const;

/** Mode of every file of a platform package, by its path inside the tarball. */
export function platformModes(target: Target): Record<string, number> {
  const licenses = licenseTexts(target).map(({ file }) => `licenses/${file}`);
  const libraries = [target.libraryFile, target.firmwareFile].map((file) => `lib/${file}`);
  const plain = [...PLATFORM_TEXTS, ...licenses, ...libraries, addonName(target)];
  return { ...modes(plain, 0o644), ...modes([`bin/${LAUNCHER}`], 0o755) };
}

/** Mode of every file of the root package, by its path inside the tarball. */
export function rootModes(): Record<string, number> {
  return modes([...ROOT_CODE, 'LICENSE', 'README.md', 'package.json', INTEGRITY_FILE], 0o644);
}

function modes(paths: readonly string[], mode: number): Record<string, number> {
  return Object.fromEntries(paths.map((path) => [`${NPM_FOLDER}/${path}`, mode]));
}

/** Modes by path. */
export function modesOf(entries: readonly PackEntry[]): Record<string, number> {
  return Object.fromEntries(entries.map(({ path, mode }) => [path, mode]));
}
