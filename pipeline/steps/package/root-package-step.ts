import { join } from 'node:path';
import type { Target } from '../../plan/targets.ts';
import type { StepContext } from '../step.ts';
import { ROOT_SIZE_LIMIT } from './expectations.ts';
import { integrityRecord } from './integrity.ts';
import { rootManifest } from './manifests.ts';
import { type Packed, packAndAudit } from './pack.ts';
import { platformTable } from './root-code.ts';
import { stageRootPackage } from './root-package.ts';
import { readme } from './texts.ts';

/** A platform's tarball that the root package is to name. */
export interface PackedPlatform {
  readonly target: Target;
  readonly packed: Pick<Packed, 'name' | 'version' | 'integrity' | 'packed'>;
}

/** Folders that the root package is made from. */
export interface RootSources {
  /** Result of the bindings step. */
  readonly bindings: string;
  /** Further folders of this machine that no file may name. */
  readonly hidden: readonly string[];
}

/** Packs the root package for exactly these platforms, and records their tarballs in it. */
export async function packRoot(
  context: Pick<StepContext, 'config' | 'out' | 'temporary'>,
  { bindings, hidden }: RootSources,
  platforms: readonly PackedPlatform[],
): Promise<Packed> {
  const { config } = context;
  const root = { ...config.package, targets: platforms.map(({ target }) => target) };
  const manifest = rootManifest(root);
  const texts = {
    manifest,
    readme: readme({ name: root.name, platforms: root.targets.map(({ id }) => id).sort() }),
    table: platformTable(root),
    integrity: integrityRecord(platforms.map(({ packed }) => packed)),
  };
  const folders = {
    runtime: join(config.toolRoot, 'dist', 'npm'),
    bindings,
    licenses: join(config.toolRoot, 'vendor', 'licenses'),
  };
  const entries = await stageRootPackage(texts, folders, join(context.temporary, 'root'));
  const expected = { kind: 'root', manifest, binaries: {}, sizeLimit: ROOT_SIZE_LIMIT } as const;
  return packAndAudit(context, entries, expected, hidden);
}
