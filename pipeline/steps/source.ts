import { copyFile, mkdir, readFile, readlink, rename, symlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { extractTree } from '../effects/archive.ts';
import { copyFileWhole, listTree, withDiskErrors } from '../effects/files.ts';
import { runProcess } from '../effects/process.ts';
import { verifyFile } from '../effects/verify.ts';
import { cargoQueryEnvironment } from '../plan/child-environment.ts';
import { buildError } from '../plan/errors.ts';
import type { RunStep, StepContext } from './step.ts';

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
  const tar = join(context.temporary, 'source.tar');
  const found = await locateInCrate(context);
  await withDiskErrors(found, () => copyFile(found, tar));
  // Cargo accepts a tampered unpacked crate without a word, so its own checksum proves nothing here.
  await verifyFile(tar, archive, `${crate.name} ${crate.version}, ${archive.member}`);
  const unpacked = join(context.temporary, 'unpacked');
  await extractTree(tar, unpacked, LIMITS);
  const tree = join(unpacked, archive.folder);
  for (const { path, kind } of listTree(tree)) if (kind === 'link') await linkInside(tree, path);
  await withDiskErrors(tree, () => rename(tree, context.out));
  return {
    facts: { origin: 'crate', crate: `${crate.name} ${crate.version}`, version: await packageVersion(context.out) },
    summary: `${crate.name} ${crate.version}, verified`,
  };
};

/** Asks cargo to fetch the crate, with the user's mirrors and offline mode, and where it put it. */
async function locateInCrate(context: StepContext): Promise<string> {
  const { config, pins } = context;
  const { crate, archive } = pins.libkrun;
  const manifest = join(config.toolRoot, 'vendor', 'source-crate', 'Cargo.toml');
  const offline = config.offline ? ['--offline'] : [];
  await cargo(context, ['fetch', '--locked', '--manifest-path', manifest, '--target', config.host.triple, ...offline]);
  const metadata = await cargo(context, [
    'metadata',
    '--format-version',
    '1',
    '--locked',
    '--offline',
    '--manifest-path',
    manifest,
    '--filter-platform',
    config.host.triple,
  ]);
  const { packages } = JSON.parse(metadata) as { packages: { name: string; version: string; manifest_path: string }[] };
  const found = packages.find((entry) => entry.name === crate.name && entry.version === crate.version);
  if (found === undefined) {
    throw buildError('A3S1102', {
      message: `vendor/libkrun.json pins ${crate.name} ${crate.version}, which cargo does not know`,
    });
  }
  return join(dirname(found.manifest_path), archive.member);
}

async function cargo(context: StepContext, args: readonly string[]): Promise<string> {
  const { config, variables, signal, log } = context;
  const result = await runProcess({
    command: config.environment.cargo,
    args,
    cwd: config.projectRoot,
    env: cargoQueryEnvironment(variables, config.offline),
    log,
    signal,
    idleLimit: 300_000,
  });
  if (result.code === 0) return result.stdout;
  const text = result.tail.join('\n');
  const { crate } = context.pins.libkrun;
  if (/offline|no matching package/.test(text) && config.offline) {
    throw buildError('A3S2003', {
      message: `the crate ${crate.name} ${crate.version} is not in cargo's cache, and --offline is set`,
      log,
    });
  }
  throw buildError('A3S2002', {
    message: `cargo could not fetch ${crate.name} ${crate.version}: ${firstError(result.tail)}`,
    fix: "Check the network and cargo's registry settings (.cargo/config.toml, [source] replacement for a mirror), or name a local tree with --libkrun-dir.",
    log,
  });
}

function firstError(lines: readonly string[]): string {
  return (lines.find((line) => line.startsWith('error')) ?? lines.at(-1) ?? 'no message').replace(/^error: /, '');
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
