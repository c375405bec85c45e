import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PackEntry, packTarball, readArchive } from '../effects/archive.ts';
import { withDiskErrors } from '../effects/files.ts';
import { buildError } from '../plan/errors.ts';
import { privateFolders } from './audit-file.ts';
import { assertPackage, auditTarball, type TarballExpectation } from './package/audit.ts';
import type { Contents } from './package/contents.ts';
import { readContents } from './package/contents-of-step.ts';
import { binaryExpectations, modesOf, platformSizeLimit, ROOT_SIZE_LIMIT } from './package/expectations.ts';
import { type Manifest, platformManifest, rootManifest } from './package/manifests.ts';
import { tarballName } from './package/names.ts';
import { stagePlatformPackage } from './package/platform-package.ts';
import { stageRootPackage } from './package/root-package.ts';
import type { RunStep, StepContext } from './step.ts';

/** Bounds for a tarball that was just written; the largest, for arm64, unpacks to some 35 MB. */
const LIMITS = { bytes: 256 * 1024 * 1024, entries: 1000 };

/** What is known of a packed tarball. */
interface Packed {
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

/** Packs the root package and the package of the target, and holds what was packed against what users need. */
export const runPackage: RunStep = async (context) => {
  const { config } = context;
  if (config.environment.stub) {
    throw buildError('A3S4001', {
      message: 'stub: a build without libkrun cannot be packed',
      fix: 'Unset A3S_DEPS_STUB.',
    });
  }
  const contents = await readContents(context);
  if (contents.firmware.version === null) {
    context.warn(
      `the packages hold a guest kernel of your own (${contents.firmware.provider}); name its source yourself`,
    );
  }
  const platform = await packPlatform(context, contents);
  const root = await packRoot(context);
  return {
    facts: { packages: [platform, root].map((one) => ({ ...one })), glibc: contents.glibc },
    summary: [platform, root].map(({ name, packed }) => `${name} ${size(packed)}`).join(', '),
  };
};

async function packPlatform(context: StepContext, contents: Contents): Promise<Packed> {
  const { config } = context;
  const folders = {
    prefix: join(context.need('prefix').dir, 'prefix'),
    addon: context.need('addon').dir,
    source: context.need('source').dir,
    licenses: licenseFolder(context),
  };
  const entries = await stagePlatformPackage(contents, folders, join(context.temporary, 'platform'));
  return pack(context, entries, platformManifest(contents), {
    kind: 'platform',
    binaries: binaryExpectations(config.target),
    sizeLimit: platformSizeLimit(config.target),
  });
}

async function packRoot(context: StepContext): Promise<Packed> {
  const { config } = context;
  // Only what was packed by this run may be named: an assembly of several targets packs its own root.
  const root = { ...config.package, targets: [config.target] };
  const folders = {
    runtime: join(config.toolRoot, 'dist', 'npm'),
    bindings: context.need('bindings').dir,
    licenses: licenseFolder(context),
  };
  const entries = await stageRootPackage(root, folders, join(context.temporary, 'root'));
  return pack(context, entries, rootManifest(root), { kind: 'root', binaries: {}, sizeLimit: ROOT_SIZE_LIMIT });
}

async function pack(
  context: StepContext,
  entries: readonly PackEntry[],
  manifest: Manifest,
  expected: Pick<TarballExpectation, 'kind' | 'binaries' | 'sizeLimit'>,
): Promise<Packed> {
  const { config } = context;
  const [name, version] = [String(manifest['name']), String(manifest['version'])];
  const file = `npm/${tarballName(name, version)}`;
  const tarball = join(context.out, file);
  await packTarball(entries, tarball, config.environment.sourceDate);
  // Read back: what users get is what counts, not what was meant.
  const files = await readArchive(tarball, LIMITS);
  const bytes = await withDiskErrors(tarball, () => readFile(tarball));
  const expectation = {
    ...expected,
    manifest,
    modes: modesOf(entries),
    forbiddenText: privateFolders(config, context.need('source').dir, context.temporary),
  };
  assertPackage(auditTarball({ files, size: bytes.length }, expectation), file);
  return {
    name,
    version,
    file,
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    packed: bytes.length,
    unpacked: files.reduce((sum, { content }) => sum + content.length, 0),
  };
}

function licenseFolder({ config }: StepContext): string {
  return join(config.toolRoot, 'vendor', 'licenses');
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
