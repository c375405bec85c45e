import { join } from 'node:path';
import { buildError } from '../plan/errors.ts';
import type { Contents } from './package/contents.ts';
import { readContents } from './package/contents-of-step.ts';
import { binaryExpectations, platformSizeLimit, ROOT_SIZE_LIMIT } from './package/expectations.ts';
import { platformManifest, rootManifest } from './package/manifests.ts';
import { type Packed, packAndAudit, packedFacts, packedSize } from './package/pack.ts';
import { stagePlatformPackage } from './package/platform-package.ts';
import { platformTable } from './package/root-code.ts';
import { stageRootPackage } from './package/root-package.ts';
import { readme } from './package/texts.ts';
import type { RunStep, StepContext } from './step.ts';

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
  const all = [await packPlatform(context, contents), await packRoot(context)];
  return {
    facts: { packages: all.map(packedFacts), glibc: contents.glibc },
    summary: all.map((packed) => `${packed.name} ${packedSize(packed)}`).join(', '),
  };
};

async function packPlatform(context: StepContext, contents: Contents): Promise<Packed> {
  const { target } = context.config;
  const folders = {
    prefix: join(context.need('prefix').dir, 'prefix'),
    addon: context.need('addon').dir,
    source: context.need('source').dir,
    licenses: licenseFolder(context),
  };
  const entries = await stagePlatformPackage(contents, folders, join(context.temporary, 'platform'));
  const expected = {
    kind: 'platform',
    manifest: platformManifest(contents),
    binaries: binaryExpectations(target),
    sizeLimit: platformSizeLimit(target),
  } as const;
  return packAndAudit(context, entries, expected, [folders.source]);
}

async function packRoot(context: StepContext): Promise<Packed> {
  const { config } = context;
  // Only what was packed by this run may be named: an assembly of several targets packs its own root.
  const root = { ...config.package, targets: [config.target] };
  const manifest = rootManifest(root);
  const texts = {
    manifest,
    readme: readme({ name: root.name, platforms: root.targets.map(({ id }) => id) }),
    table: platformTable(root),
  };
  const folders = {
    runtime: join(config.toolRoot, 'dist', 'npm'),
    bindings: context.need('bindings').dir,
    licenses: licenseFolder(context),
  };
  const entries = await stageRootPackage(texts, folders, join(context.temporary, 'root'));
  const expected = { kind: 'root', manifest, binaries: {}, sizeLimit: ROOT_SIZE_LIMIT } as const;
  return packAndAudit(context, entries, expected, [context.need('source').dir]);
}

function licenseFolder({ config }: StepContext): string {
  return join(config.toolRoot, 'vendor', 'licenses');
}
