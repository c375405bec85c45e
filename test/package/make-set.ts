import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchiveFile, packTarball, readArchive } from '../../pipeline/effects/archive.ts';
import { TARGETS, type TargetId } from '../../pipeline/plan/targets.ts';
import { TARBALL_LIMITS } from '../../pipeline/steps/package/pack.ts';
import { runPackage } from '../../pipeline/steps/package.ts';
import type { StepContext } from '../../pipeline/steps/step.ts';
import { type ContextOptions, madeFiles, stepContext } from './step-context.ts';

/** Packs the root package and a package for each target, of small binaries, into `folder`. */
export async function packSet(
  folder: string,
  targets: readonly TargetId[],
  options: Partial<ContextOptions> = {},
): Promise<void> {
  const work = await mkdtemp(join(folder, '..', 'set-'));
  const out = join(work, 'out');
  const contexts: StepContext[] = [];
  for (const id of targets) {
    const target = TARGETS[id];
    const files = { ...madeFiles(target), ...options.files };
    contexts.push(await stepContext({ folder: join(work, id), ...options, target, files, out, each: () => contexts }));
  }
  const [first] = contexts;
  if (first === undefined) throw new Error('no target');
  await runPackage(first);
  await cp(join(out, 'npm'), folder, { recursive: true });
  await rm(work, { recursive: true, force: true });
}

/** The committed pins, with the made guest kernels in place of the real ones; `digests` of sources where they are known. */
export async function setPins(digests: Readonly<Record<string, string>> = {}): Promise<string> {
  const text = await readFile(new URL('../../vendor/libkrunfw.json', import.meta.url), 'utf8');
  const pins = JSON.parse(text) as {
    providers: { npm: { sourceDigests?: object; targets: Record<TargetId, Pinned> } };
  };
  for (const [id, artifact] of Object.entries(pins.providers.npm.targets) as [TargetId, Pinned][]) {
    const file = madeFiles(TARGETS[id])[`prefix/prefix/lib/${TARGETS[id].firmwareFile}`] ?? Buffer.alloc(0);
    artifact.file = { size: file.length, sha256: createHash('sha256').update(file).digest('hex') };
  }
  pins.providers.npm.sourceDigests = digests;
  return JSON.stringify(pins);
}

interface Pinned {
  file: { size: number; sha256: string };
}

/** Reads a tarball, lets a test change its files, and packs it again, all else the same. */
export async function repack(
  tarball: string,
  change: (files: Map<string, ArchiveFile>) => void,
  to = tarball,
): Promise<void> {
  const files = new Map((await readArchive(tarball, TARBALL_LIMITS)).map((file) => [file.path, file]));
  change(files);
  const work = await mkdtemp(`${tarball}-`);
  const entries = [...files.values()].map(async ({ path, content, mode }) => {
    const file = join(work, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
    return { path, file, mode: mode === 0o755 ? (0o755 as const) : (0o644 as const) };
  });
  await packTarball(await Promise.all(entries), to, 499162500);
  await rm(work, { recursive: true, force: true });
}

/** Replaces the content of one file of a tarball. */
export async function replaceIn(
  tarball: string,
  path: string,
  change: (content: Buffer) => Buffer | string,
): Promise<void> {
  await repack(tarball, (files) => {
    const name = `package/${path}`;
    const file = files.get(name);
    if (file === undefined) throw new Error(`${tarball} has no ${path}`);
    files.set(name, { ...file, content: Buffer.from(change(file.content)) });
  });
}

/** Changes one field of a JSON document of a tarball. */
export function editJsonIn<Document>(tarball: string, path: string, edit: (document: Document) => void): Promise<void> {
  return replaceIn(tarball, path, (content) => {
    const document = JSON.parse(content.toString()) as Document;
    edit(document);
    return `${JSON.stringify(document, null, 2)}\n`;
  });
}

/** Flips one bit in the middle of a file. */
export async function flipBit(file: string): Promise<void> {
  const bytes = await readFile(file);
  const at = Math.floor(bytes.length / 2);
  bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
  await writeFile(file, bytes);
}
