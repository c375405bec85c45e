import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackEntry } from '../../effects/archive.ts';
import { withDiskErrors } from '../../effects/files.ts';
import type { IntegrityRecord } from './integrity.ts';
import { INTEGRITY_FILE, type Manifest, ROOT_RUNTIME } from './manifests.ts';
import { entry, json, writeTexts } from './platform-package.ts';
import { rawModules } from './root-code.ts';

/** What differs between the root package of a release and a stub. */
export interface RootTexts {
  readonly manifest: Manifest;
  readonly readme: string;
  /** platform.cjs. */
  readonly table: string;
  /** integrity.json; a stub has no platform packages whose tarballs it could record. */
  readonly integrity?: IntegrityRecord;
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
  { manifest, readme, table, integrity }: RootTexts,
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
    ...(integrity === undefined ? {} : { [INTEGRITY_FILE]: json(integrity) }),
  });
  return [
    ...texts,
    ...ROOT_RUNTIME.map((name) => entry(name, join(folders.runtime, name))),
    entry('LICENSE', join(folders.licenses, 'Apache-2.0.txt')),
  ];
}
