import { copyFile, mkdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertAudit } from '../binary/audit.ts';
import { auditAnyBinary } from '../binary/audit-file.ts';
import { guestKernelRelease } from '../binary/symbol-data.ts';
import { extractMember } from '../effects/archive.ts';
import { temporaryName, withDiskErrors } from '../effects/files.ts';
import { verifyArchive, verifyFile } from '../effects/verify.ts';
import { firmwareArtifact } from '../plan/build-steps.ts';
import { buildError } from '../plan/errors.ts';
import { isKernelSource } from '../plan/kernel-compiler.ts';
import type { FirmwareArtifact } from '../plan/pins.ts';
import { SYSTEM_FIRMWARE } from '../plan/system-libkrun.ts';
import { firmwareIdentity } from './binaries.ts';
import { fetchFirmwareArchive } from './firmware-archive.ts';
import { compileKernel } from './kernel-source.ts';
import type { RunStep, StepContext } from './step.ts';

/** Bytes at most of an unpacked guest kernel where no pin says it exactly; the known ones have 21 to 25 MB. */
export const MEMBER_LIMIT = 128 * 1024 * 1024;

/**
 * Gets the guest kernel: the user's own file, that of the system's libkrun, or the pinned one, verified before it is
 * unpacked and after.
 */
export const runFirmware: RunStep = async (context) => {
  const { config, pins } = context;
  const own = unpinnedFirmware(context);
  const library = join(context.out, 'lib', config.target.firmwareFile);
  await mkdir(join(context.out, 'lib'), { recursive: true });
  if (own !== undefined) await takeOwn(context, own.file, library);
  else await takePinned(context, firmwareArtifact(config, pins), library);

  const bytes = await withDiskErrors(library, () => readFile(library));
  assertAudit(auditAnyBinary(bytes, library, firmwareIdentity(config.target)).findings, library);
  const kernel = guestKernelRelease(bytes);
  const provider = pins.firmware.providers[config.firmware];
  if (own === undefined) requirePinnedKernel(provider.kernel, kernel, library);
  const version = own === undefined ? provider.version : null;
  const sha256 = await context.digests.digest(library);
  const origin = own?.origin ?? config.firmware;
  return {
    facts: { provider: origin, version, kernel, sha256, file: config.target.firmwareFile },
    summary:
      own === undefined
        ? `libkrunfw ${version}, Linux ${kernel}, verified`
        : `${basename(own.file)}, Linux ${kernel}, not pinned`,
  };
};

/** A guest kernel that no pin knows, and whose it is. */
function unpinnedFirmware({ config, need }: StepContext): { file: string; origin: string } | undefined {
  const { firmwareFile } = config.environment;
  if (firmwareFile !== undefined) return { file: firmwareFile, origin: 'A3S_LIBKRUNFW_DYLIB' };
  if (!config.systemLibkrun) return undefined;
  return { file: join(need('libkrun').dir, SYSTEM_FIRMWARE, config.target.firmwareFile), origin: 'system' };
}

async function takeOwn(context: StepContext, file: string, library: string): Promise<void> {
  if (isKernelSource(file)) await compileKernel(context, file, library);
  else await withDiskErrors(file, () => copyFile(file, library));
}

async function takePinned(context: StepContext, artifact: FirmwareArtifact, library: string): Promise<void> {
  const { file: archive } = await fetchFirmwareArchive(context, artifact);
  // A private copy: what was verified is what is unpacked, whatever happens to the shared one meanwhile.
  const copy = join(context.temporary, 'archive.tgz');
  await withDiskErrors(copy, () => copyFile(archive, copy));
  await verifyArchive(copy, artifact.archive, archive);
  const unpacked = temporaryName(library);
  await extractMember(copy, artifact.member, unpacked, artifact.file?.size ?? MEMBER_LIMIT);
  if (artifact.file !== undefined) await verifyFile(unpacked, artifact.file, artifact.member);
  await rename(unpacked, library);
}

function requirePinnedKernel(pinned: string | null, found: string | null, file: string): void {
  if (pinned === null || pinned === found) return;
  throw buildError('A3S1205', {
    message: `the guest kernel is ${found ?? 'not recognised'}, and the pin says ${pinned}`,
    where: { file },
  });
}
