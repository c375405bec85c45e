import { join } from 'node:path';
import { ROOT_SIZE_LIMIT } from '../package/expectations.ts';
import { STUB_CODE, stubManifest } from '../package/manifests.ts';
import { packAndAudit, packedFacts, packedSize } from '../package/pack.ts';
import { entry } from '../package/platform-package.ts';
import { stubTable } from '../package/root-code.ts';
import { stageRootPackage } from '../package/root-package.ts';
import { stubReadme } from '../package/texts.ts';
import type { RunStep } from '../step.ts';

/**
 * Packs the root package with a stub in place of the platform packages: the same exports and declarations, private, in
 * a version of its own, and without binaries, so that one tarball serves every platform.
 */
export const runStubPackage: RunStep = async (context) => {
  const { config } = context;
  const manifest = stubManifest(config.package);
  const texts = {
    manifest,
    readme: stubReadme(config.package.name),
    table: stubTable(String(manifest['name']), String(manifest['version'])),
  };
  const folders = {
    runtime: join(config.toolRoot, 'dist', 'npm'),
    bindings: context.need('bindings').dir,
    licenses: join(config.toolRoot, 'vendor', 'licenses'),
  };
  const entries = [
    ...(await stageRootPackage(texts, folders, join(context.temporary, 'root'))),
    entry(STUB_CODE, join(context.need('addon').dir, STUB_CODE)),
  ];
  const expected = { kind: 'stub', manifest, binaries: {}, sizeLimit: ROOT_SIZE_LIMIT } as const;
  const packed = await packAndAudit(context, entries, expected);
  return {
    facts: { packages: [packedFacts(packed)], stub: true },
    summary: `${packed.name} ${packed.version} ${packedSize(packed)}, cannot be published`,
  };
};
