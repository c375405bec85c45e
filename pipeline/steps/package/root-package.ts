import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackEntry } from '../../effects/archive.ts';
import { withDiskErrors } from '../../effects/files.ts';
import { type Manifest, ROOT_RUNTIME } from './manifests.ts';
import { entry, json, writeTexts } from './platform-package.ts';
import { rawModules } from './root-code.ts';

/** What differs between the root package of a release and a stub. */
export interface RootTexts {
  readonly manifest: Manifest;
  readonly readme: string;
  /** platform.cjs. */
  readonly table: string;
}

/** Folders that the files of the root package come from. */
export interface RootFolders {
  /** The bundled loader. */
  readonly runtime: string;
  /** Output of the bindings step. */
  readonly bindings: string;
  readonly licenses: string;
}

/**
 * Writes the texts of the root package into `staging`.
 * @returns Everything that the package consists of.
 */
export async function stageRootPackage(
  { manifest, readme, table }: RootTexts,
  folders: RootFolders,
  staging: string,
): Promise<PackEntry[]> {
  const types = join(folders.bindings, 'libkrun.d.ts');
  const declarations = await withDiskErrors(types, () => readFile(types, 'utf8'));
  const raw = rawModules(declarations);
  const texts = await writeTexts(staging, {
    'package.json': json(manifest),
    'README.md': readme,
    'platform.cjs': table,
    'libkrun.cjs': raw.cjs,
    'libkrun.js': raw.esm,
    'libkrun.d.ts': declarations,
    'libkrun.d.cts': declarations,
  });
  return [
    ...texts,
    ...ROOT_RUNTIME.map((name) => entry(name, join(folders.runtime, name))),
    entry('LICENSE', join(folders.licenses, 'Apache-2.0.txt')),
  ];
}
