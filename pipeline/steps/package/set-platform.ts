import { createHash } from 'node:crypto';
import type { SystemFloors } from '../../binary/audit-file.ts';
import { guestKernelRelease } from '../../binary/symbol-data.ts';
import type { ArchiveFile } from '../../effects/archive.ts';
import { BuildError, orFailure } from '../../plan/errors.ts';
import { TARGETS, type Target } from '../../plan/targets.ts';
import { auditTarball, measureFloors } from './audit.ts';
import { licenseTexts } from './contents.ts';
import { binaryExpectations, libraryExports, platformModes, platformSizeLimit } from './expectations.ts';
import { platformManifest } from './manifests.ts';
import { NPM_FOLDER } from './platform-package.ts';
import type { FoundTarball, SetCheck, SetExpectation, SetFinding } from './set-types.ts';
import { sourceNotice } from './texts.ts';
import { readVersions, unknownSources, type Versions } from './versions.ts';

/** A platform package whose name says what it is; nothing else of it is believed. */
export interface PlatformTarball {
  readonly found: FoundTarball;
  readonly files: readonly ArchiveFile[];
  readonly name: string;
  readonly version: string;
  readonly target: Target;
}

export interface PlatformAudit {
  readonly findings: readonly SetFinding[];
  readonly floors: SystemFloors;
  /** Undefined where it cannot be read. */
  readonly versions: Versions | undefined;
}

/** Text of one file of a package; undefined where it is not there. */
export function textOf(files: readonly ArchiveFile[], path: string): string | undefined {
  return files.find((file) => file.path === `${NPM_FOLDER}/${path}`)?.content.toString('utf8');
}

/**
 * Audits a platform package by itself: nothing is taken from the build that made it, all that it says about itself is
 * measured again.
 */
export function auditPlatform(tarball: PlatformTarball, expected: SetExpectation): PlatformAudit {
  const { found, files, name, version, target } = tarball;
  const finding = (check: SetCheck, message: string): SetFinding => ({ where: found.file, check, message });
  const exports = libraryExports(expected.functions(target.id), expected.pins.libkrun.exports);
  const binaries = binaryExpectations(target, { exports });
  const floors = measureFloors(files, binaries) ?? { glibc: null, macos: null };
  const told = orFailure(() => readVersions(textOf(files, 'versions.json') ?? '', `${found.file}: versions.json`));
  if (told instanceof BuildError) {
    return { findings: [finding('versions', told.message)], floors, versions: undefined };
  }
  const { libkrun, libkrunfw: firmware } = told;
  const { repository } = expected;
  const manifest = platformManifest({ name, version, target, repository, floors, libkrun, firmware });
  const basics = auditTarball(
    { files, size: found.size },
    {
      kind: 'platform',
      manifest,
      modes: platformModes(target),
      binaries,
      forbiddenText: expected.forbiddenText,
      sizeLimit: platformSizeLimit(target),
    },
  );
  return {
    floors,
    versions: told,
    findings: [
      ...basics.map(({ check, message }) => finding(check, message)),
      ...checkVersions(tarball, told, floors).map((message) => finding('versions', message)),
      ...checkFirmware(tarball, told, expected).map(([check, message]) => finding(check, message)),
      ...checkTexts(tarball, told, expected).map((message) => finding('texts', message)),
      ...(expected.publish ? unknownSources(told).map((what) => finding('source', `unknown: ${what}`)) : []),
    ],
  };
}

function checkVersions({ name, version, target }: PlatformTarball, told: Versions, floors: SystemFloors): string[] {
  const pairs: readonly (readonly [what: string, told: string | null, is: string | null])[] = [
    ['the package', `${told.package.name} ${told.package.version}`, `${name} ${version}`],
    ['the target', told.target, target.id],
    ['glibc', told.glibc, floors.glibc],
    ['macOS', told.macos, floors.macos],
  ];
  return pairs
    .filter(([, said, is]) => said !== is)
    .map(([what, said, is]) => `versions.json says that ${what} is ${said ?? 'none'}; it is ${is ?? 'none'}`);
}

/** The guest kernel is the one that is told of, and where a pin knows it, the pinned one. */
function checkFirmware(
  { files, target }: PlatformTarball,
  { libkrunfw }: Versions,
  { pins, publish }: SetExpectation,
): (readonly [SetCheck, string])[] {
  const { firmwareFile } = target;
  const content = files.find(({ path }) => path === `${NPM_FOLDER}/lib/${firmwareFile}`)?.content;
  // That it is missing is told already.
  if (content === undefined) return [];
  const sha256 = createHash('sha256').update(content).digest('hex');
  const kernel = guestKernelRelease(content);
  const pinned = pinnedDigest(libkrunfw, target, pins);
  const checks: readonly (readonly [boolean, SetCheck, string])[] = [
    [sha256 === libkrunfw.sha256, 'firmware', `versions.json names another ${firmwareFile}, by its sha256`],
    [
      kernel === libkrunfw.kernel,
      'firmware',
      `versions.json says that the kernel is ${libkrunfw.kernel ?? 'none'}; it is ${kernel ?? 'none'}`,
    ],
    [
      pinned === undefined || pinned === sha256,
      'pin',
      `${firmwareFile} is not the pinned one: it has sha256 ${sha256}, the pin ${pinned}`,
    ],
    [!publish || pinned !== undefined, 'firmware', `no pin knows this ${firmwareFile} (${libkrunfw.provider})`],
  ];
  return checks.filter(([right]) => !right).map(([, check, message]) => [check, message]);
}

/** SHA-256 of the guest kernel that the pins have under the provider and version which a package names. */
function pinnedDigest(
  { provider, version }: Versions['libkrunfw'],
  target: Target,
  { firmware }: SetExpectation['pins'],
): string | undefined {
  const pin = Object.entries(firmware.providers).find(([name]) => name === provider)?.[1];
  return pin?.version === version ? pin?.targets[target.id]?.file?.sha256 : undefined;
}

function checkTexts({ files, target }: PlatformTarball, told: Versions, { licenses }: SetExpectation): string[] {
  const bill = parseBill(textOf(files, 'sbom.cdx.json'));
  const ofPins = licenseTexts(target).filter(({ from }) => from === 'vendor/licenses');
  const changed = ofPins.filter(({ file, path }) => {
    const content = files.find((one) => one.path === `${NPM_FOLDER}/licenses/${file}`)?.content;
    return content !== undefined && licenses.get(path)?.equals(content) !== true;
  });
  return [
    ...(textOf(files, 'SOURCE.md') === sourceNotice(told) ? [] : ['SOURCE.md does not say what versions.json holds']),
    ...(bill?.name === told.package.name && bill.version === told.package.version
      ? []
      : ['sbom.cdx.json is no CycloneDX bill of materials of this package']),
    ...changed.map(({ file }) => `licenses/${file} is not that licence's text`),
  ];
}

/** Name and version that a bill of materials is for. */
function parseBill(text: string | undefined): { readonly name: unknown; readonly version: unknown } | undefined {
  try {
    const bill = JSON.parse(text ?? '') as { bomFormat?: unknown; metadata?: { component?: object } } | null;
    const { name, version } = (bill?.metadata?.component ?? {}) as { name?: unknown; version?: unknown };
    return bill?.bomFormat === 'CycloneDX' ? { name, version } : undefined;
  } catch {
    return undefined;
  }
}

/** The target whose suffix a package's name ends with. */
export function targetOfName(name: string): Target | undefined {
  return Object.values(TARGETS).find(({ packageSuffix }) => name.endsWith(`-${packageSuffix}`));
}
