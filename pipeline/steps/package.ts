import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joinFloors } from '../binary/audit-file.ts';
import { functionNames } from '../bindings/abi.ts';
import { readAbi } from '../bindings/abi-schema.ts';
import { withDiskErrors } from '../effects/files.ts';
import { buildError } from '../plan/errors.ts';
import { glibcLimit } from './binaries.ts';
import { COMMITTED } from './bindings.ts';
import type { Contents } from './package/contents.ts';
import { readContents } from './package/contents-of-step.ts';
import { binaryExpectations, libraryExports, platformSizeLimit } from './package/expectations.ts';
import { platformManifest } from './package/manifests.ts';
import { type Packed, packAndAudit, packedFacts, packedSize } from './package/pack.ts';
import { stagePlatformPackage } from './package/platform-package.ts';
import { packRoot } from './package/root-package-step.ts';
import type { RunStep, StepContext } from './step.ts';

/** Packs the package of each target and one root package, and holds what was packed against what users need. */
export const runPackage: RunStep = async (context) => {
  const { config } = context;
  if (config.environment.stub) {
    throw buildError('A3S4001', {
      message: 'stub: a build without libkrun cannot be packed',
      fix: 'Unset A3S_DEPS_STUB.',
    });
  }
  const platforms: { readonly packed: Packed; readonly contents: Contents }[] = [];
  for (const one of context.eachTarget()) platforms.push(await packPlatform(one));
  const own = platforms.find(({ contents }) => contents.firmware.version === null)?.contents.firmware.provider;
  if (own !== undefined) {
    context.warn(`the packages hold a guest kernel of your own (${own}); name its source yourself`);
  }
  const sources = { bindings: context.need('bindings').dir, hidden: [context.need('source').dir] };
  // Only what was packed by this run may be named.
  const named = platforms.map(({ packed, contents: { target } }) => ({ packed, target }));
  const all = [...platforms.map(({ packed }) => packed), await packRoot(context, sources, named)];
  return {
    facts: { packages: all.map(packedFacts), ...joinFloors(platforms.map(({ contents }) => contents.floors)) },
    summary: all.map((packed) => `${packed.name} ${packedSize(packed)}`).join(', '),
  };
};

async function packPlatform(context: StepContext): Promise<{ packed: Packed; contents: Contents }> {
  const { target } = context.config;
  const contents = await readContents(context);
  const folders = {
    prefix: join(context.need('prefix').dir, 'prefix'),
    addon: context.need('addon').dir,
    source: context.need('source').dir,
    licenses: licenseFolder(context),
  };
  const entries = await stagePlatformPackage(contents, folders, join(context.temporary, target.id));
  const exports = libraryExports(await headerFunctions(context), context.pins.libkrun.exports);
  const expected = {
    kind: 'platform',
    manifest: platformManifest(contents),
    binaries: binaryExpectations(target, { exports, glibc: glibcLimit(context.config) }),
    sizeLimit: platformSizeLimit(target),
  } as const;
  return { contents, packed: await packAndAudit(context, entries, expected, [folders.source]) };
}

/** Functions of the header on the target. */
async function headerFunctions(context: StepContext): Promise<readonly string[]> {
  const file = join(context.need('bindings').dir, COMMITTED, 'abi.json');
  const lock = readAbi(await withDiskErrors(file, () => readFile(file, 'utf8')));
  return functionNames(lock, context.config.target.id);
}

function licenseFolder({ config }: StepContext): string {
  return join(config.toolRoot, 'vendor', 'licenses');
}
