import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { query } from './process.ts';

/** The Linux that plays the host inside the emulation. */
export interface HostKernel {
  /** What `uname -r` says in it. */
  readonly release: string;
  readonly image: string;
  /** Kernel modules in the order in which they must be loaded. */
  readonly modules: readonly string[];
}

const META_PACKAGE = 'linux-image-cloud-amd64';
const MODULES = ['virt/lib/irqbypass.ko', 'arch/x86/kvm/kvm.ko', 'arch/x86/kvm/kvm-amd.ko'];

/**
 * The kernel behind Debian's linux-image-cloud-amd64, downloaded and unpacked once into `<cache>/kernel/`; apt checks
 * what it downloads.
 * @throws Error naming the package when apt does not know it, or when it lacks a file.
 */
export async function hostKernel(cache: string): Promise<HostKernel> {
  const folder = join(cache, 'kernel');
  const unpacked = (await list(folder)).filter((name) => name.startsWith('linux-image-')).sort();
  return describeKernel(join(folder, unpacked.at(-1) ?? (await download(folder))));
}

async function download(folder: string): Promise<string> {
  const dependencies = await query('apt-cache', ['depends', META_PACKAGE]).catch(() => '');
  const name = /Depends: (linux-image-\d\S*)/.exec(dependencies)?.[1];
  if (name === undefined) {
    throw new Error(`apt does not know ${META_PACKAGE}: run \`apt-get update\`, or ci/boot/install-debian.sh`);
  }
  const partial = join(folder, `.partial.${process.pid}`);
  await mkdir(join(partial, 'tree'), { recursive: true });
  try {
    // apt's own unprivileged user could not write into the folder.
    await query('apt-get', ['download', '-o', 'APT::Sandbox::User=root', name], partial);
    const archive = (await list(partial)).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${name} left no .deb file`);
    await query('dpkg-deb', ['-x', archive, 'tree'], partial);
    await rename(join(partial, 'tree'), join(folder, name));
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return name;
}

async function describeKernel(tree: string): Promise<HostKernel> {
  const image = (await list(join(tree, 'boot'))).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new Error(`${basename(tree)} holds no boot/vmlinuz-*: delete ${tree}`);
  const release = image.slice('vmlinuz-'.length);
  const candidates = ['lib/modules', 'usr/lib/modules'].map((folder) => join(tree, folder, release, 'kernel'));
  const modules: string[] = [];
  for (const module of MODULES) modules.push(await findModule(candidates, module));
  return { release, image: join(tree, 'boot', image), modules };
}

async function findModule(folders: readonly string[], module: string): Promise<string> {
  for (const folder of folders) {
    const path = join(folder, module);
    const names = await list(join(path, '..'));
    if (names.includes(basename(module))) return path;
    if (names.includes(`${basename(module)}.xz`)) {
      await query('xz', ['-dk', `${path}.xz`]);
      return path;
    }
  }
  throw new Error(`the package behind ${META_PACKAGE} holds no ${module}`);
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
