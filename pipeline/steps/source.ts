import { copyFile, mkdir, readFile, readlink, rename, symlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { extractTree } from '../effects/archive.ts';
import { copyFileWhole, listTree, withDiskErrors } from '../effects/files.ts';
import { verifyFile } from '../effects/verify.ts';
import { buildError } from '../plan/errors.ts';
import type { LibkrunPins } from '../plan/pins.ts';
import { fetchSourceCrate, pinnedCrateFolder } from './source-crate.ts';
import type { RunStep } from './step.ts';

/** The pinned source tree has 7 MB in some 600 files; these bounds leave room for later versions. */
const LIMITS = { bytes: 64 * 1024 * 1024, entries: 10_000 };

/** Makes a private copy of libkrun's source: the tree that the user named or keeps in vendor/, else the pinned crate. */
export const runSource: RunStep = async (context) => {
  if (context.source.kind === 'tree') {
    const { path } = context.source;
    await copyTree(path, context.out, ['target', '.git']);
    return { facts: { origin: 'tree', version: await packageVersion(context.out) }, summary: path };
  }
  const { crate, archive } = context.pins.libkrun;
  const { folder } = await fetchSourceCrate(context, pinnedCrateFolder(context.config), crate);
  const tree = await unpackSource(join(folder, archive.member), archive, context.temporary);
  for (const { path, kind } of listTree(tree)) if (kind === 'link') await linkInside(tree, path);
  await withDiskErrors(tree, () => rename(tree, context.out));
  return {
    facts: { origin: 'crate', crate: `${crate.name} ${crate.version}`, version: await packageVersion(context.out) },
    summary: `${crate.name} ${crate.version}, verified`,
  };
};

/**
 * Unpacks the archive of a source, after a private copy of it was verified.
 * @param temporary A folder that exists.
 * @returns The folder of the source tree.
 * @throws BuildError A3S2001 when it is not the pinned archive, A3S2004 when it is not well-made.
 */
export async function unpackSource(from: string, archive: LibkrunPins['archive'], temporary: string): Promise<string> {
  const tar = join(temporary, 'source.tar');
  await withDiskErrors(from, () => copyFile(from, tar));
  // Cargo accepts a tampered unpacked crate without a word, so its own checksum proves nothing here.
  await verifyFile(tar, archive, `the source archive ${from}`);
  const unpacked = join(temporary, 'unpacked');
  await extractTree(tar, unpacked, LIMITS);
  return join(unpacked, archive.folder);
}

/** Copies files and in-tree links. */
async function copyTree(from: string, to: string, exclude: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of listTree(from, exclude)) {
    const target = join(to, entry.path);
    if (entry.kind === 'file') {
      await copyFileWhole(join(from, entry.path), target, 0o644);
      continue;
    }
    const link = await linkInside(from, entry.path);
    await mkdir(dirname(target), { recursive: true });
    await symlink(link, target);
  }
}

/** Where a link of the tree leads. @throws BuildError A3S2004 when that is outside: its target would not be digested. */
async function linkInside(tree: string, path: string): Promise<string> {
  const file = join(tree, path);
  const link = await readlink(file);
  if (resolve(dirname(file), link).startsWith(tree + sep)) return link;
  throw buildError('A3S2004', {
    message: `link ${path} leads out of the source tree`,
    cause: 'What it leads to is no part of the source: it could be any file of the machine, and change unseen.',
    fix: 'Put the file itself into the tree.',
    where: { file },
  });
}

/** Version of libkrun's own crate. */
async function packageVersion(tree: string): Promise<string> {
  const manifest = await readFile(join(tree, 'src/libkrun/Cargo.toml'), 'utf8').catch(() => '');
  return /^version\s*=\s*"([^"]+)"/m.exec(manifest)?.[1] ?? 'unknown';
}
