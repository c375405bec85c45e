import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { auditAnyBinary } from '../binary/audit-file.ts';
import { guestKernelRelease } from '../binary/symbol-data.ts';
import { extractMember, listArchive } from '../effects/archive.ts';
import { hashFile, statIfThere, withDiskErrors } from '../effects/files.ts';
import { type PackageVersion, readPackageVersions } from '../effects/npm-document.ts';
import { readRegistryAccess } from '../effects/npm-registry.ts';
import { buildError } from '../plan/errors.ts';
import type { FirmwareArtifact } from '../plan/pins.ts';
import { TARGETS, type Target } from '../plan/targets.ts';
import { firmwareIdentity } from '../steps/binaries.ts';
import { MEMBER_LIMIT } from '../steps/firmware.ts';
import { fetchFirmwareArchive } from '../steps/firmware-archive.ts';
import { type PinChange, type PinContext, requireNewer } from './pin-change.ts';
import { editFirmwarePins, type MeasuredFirmware } from './pin-firmware-text.ts';

/** Where the firmware's version is pinned today, for one target. */
interface Pinned {
  readonly target: Target;
  readonly artifact: FirmwareArtifact;
  readonly name: string;
  readonly version: string;
}

/**
 * Makes the pins of the npm provider for another version of its packages, from what the registry publishes under it.
 * @throws BuildError A3S1611 when a package does not have it, A3S1612 when its files are not what a pin needs, A3S1613
 *   when it is older than the pinned one, A3S2001 when an archive is not what the registry says.
 */
export async function pinFirmware(context: PinContext, version: string): Promise<PinChange> {
  const { session, allowDowngrade } = context;
  const provider = session.pins.firmware.providers.npm;
  const pinned = Object.values(TARGETS).map((target) => pinnedFor(target, provider.targets[target.id]));
  for (const one of pinned) await requireNewer(one.name, one.version, version, allowDowngrade);
  const published = [];
  // All are asked before the first archive is fetched: these have 35 MB each.
  for (const one of pinned) published.push({ ...one, ...(await publishedVersion(context, one, version)) });
  const temporary = await session.store.temporary('pin');
  try {
    const measured: MeasuredFirmware[] = [];
    for (const one of published) measured.push(await measure(context, one, version, temporary));
    return await editFirmwarePins(session.config, provider, measured);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function pinnedFor(target: Target, artifact: FirmwareArtifact | undefined): Pinned {
  const [source, ...others] = artifact?.sources ?? [];
  if (artifact === undefined || source?.kind !== 'npm' || others.length > 0) {
    throw buildError('A3S1612', {
      message: `vendor/libkrunfw.json has not exactly one npm package for ${target.id}: there is nothing to go by`,
      fix: 'Name the npm package of the target as its only source, in any version; then pin.',
    });
  }
  return { target, artifact, name: source.package, version: source.version };
}

async function publishedVersion(
  { session, signal }: PinContext,
  { name, target, version: before }: Pinned,
  version: string,
) {
  const { config, variables, store } = session;
  const access = await readRegistryAccess(name, config.projectRoot, variables);
  const partial = store.downloadFile(`document-${process.pid}.json`);
  const versions = await readPackageVersions(access, name, partial, signal);
  const found = versions.get(version);
  if (found === undefined) {
    const { default: semver } = await import('semver');
    const known = [...versions.keys()]
      .filter((text) => semver.valid(text))
      .toSorted(semver.rcompare)
      .slice(0, 8)
      .join(', ');
    throw buildError('A3S1611', {
      message: `${name}, the package for ${target.id}, has no version ${version}`,
      fix: `The version is that of the npm package. The newest that there are: ${known}.`,
    });
  }
  const { integrity } = found;
  if (integrity === null) {
    throw buildError('A3S1612', { message: `the registry states no SHA-512 for ${name} ${version}` });
  }
  const licenses: readonly (PackageVersion['license'] | undefined)[] = [versions.get(before)?.license, found.license];
  return { integrity, licenses };
}

async function measure(
  { session, signal, progress }: PinContext,
  { target, name, licenses, integrity }: Pinned & { integrity: string; licenses: MeasuredFirmware['licenses'] },
  version: string,
  temporary: string,
): Promise<MeasuredFirmware> {
  const { config, variables, store } = session;
  const sources: FirmwareArtifact['sources'] = [{ kind: 'npm', package: name, version }];
  const wanted = { sources, archive: { integrity, sizeLimit: MEMBER_LIMIT }, member: 'unknown' };
  const { file } = await fetchFirmwareArchive({ config, variables, store, signal, progress }, wanted);
  const member = await firmwareMember(file, target, name);
  const library = join(temporary, target.id);
  await extractMember(file, member, library, MEMBER_LIMIT);
  const bytes = await withDiskErrors(library, () => readFile(library));
  return {
    target,
    licenses,
    exports: checkLibrary(bytes, target, `${name} ${version}, ${member}`),
    kernel: guestKernelRelease(bytes),
    artifact: {
      sources,
      archive: { size: Number(statIfThere(file)?.size ?? 0n), integrity },
      member,
      file: { size: bytes.length, sha256: await hashFile(library) },
    },
  };
}

async function firmwareMember(archive: string, { firmwareFile, platform }: Target, name: string): Promise<string> {
  const pattern = platform === 'darwin' ? /^libkrunfw(\.\d+)*\.dylib$/ : /^libkrunfw\.so(\.\d+)*$/;
  const found = (await listArchive(archive)).filter((path) => pattern.test(basename(path)));
  const [member] = found;
  if (member !== undefined && found.length === 1) return member;
  const what = found.length === 0 ? 'holds none' : `holds ${found.join(', ')}`;
  throw buildError('A3S1612', { message: `${name} should hold one ${firmwareFile}; it ${what}` });
}

/** Holds the library against what libkrun opens; returns its exports. */
function checkLibrary(bytes: Buffer, target: Target, file: string): readonly string[] {
  const identity = firmwareIdentity(target);
  // macOS loads no library whose signature is wrong, and this one is shipped as its publisher signed it.
  const expected = identity.format === 'macho' ? { ...identity, entitlements: null } : identity;
  const { findings, exported } = auditAnyBinary(bytes, file, expected);
  if (findings.length === 0) return exported.toSorted();
  throw buildError('A3S1612', { message: `${file}: ${findings.map(({ message }) => message).join('; ')}` });
}
