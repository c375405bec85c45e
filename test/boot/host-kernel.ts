import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { EmulatedMachine } from './machines.ts';
import { query } from './process.ts';

/** The Linux that plays the host inside the emulation. */
export interface HostKernel {
  /** What `uname -r` says in it. */
  readonly release: string;
  readonly image: string;
  /** Kernel modules in the order in which they must be loaded. */
  readonly modules: readonly string[];
}

/**
 * The kernel that the machine's script unpacked into `<folder>/kernel/`.
 * @throws Error naming the script when there is none, or the package when it lacks a file.
 */
export async function hostKernel(machine: EmulatedMachine, folder: string): Promise<HostKernel> {
  const kernels = join(folder, 'kernel');
  const name = (await list(kernels))
    .filter((entry) => entry.startsWith('linux-image-'))
    .toSorted()
    .at(-1);
  if (name === undefined) throw new Error(`${kernels} holds no kernel: run ${machine.script}`);
  return describeKernel(machine, join(kernels, name));
}

async function describeKernel(machine: EmulatedMachine, tree: string): Promise<HostKernel> {
  const image = (await list(join(tree, 'boot'))).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new Error(`${basename(tree)} holds no boot/vmlinuz-*: delete ${tree}`);
  const release = image.slice('vmlinuz-'.length);
  const candidates = ['lib/modules', 'usr/lib/modules'].map((folder) => join(tree, folder, release, 'kernel'));
  const modules: string[] = [];
  for (const module of machine.modules) modules.push(await findModule(candidates, module, machine));
  return { release, image: join(tree, 'boot', image), modules };
}

async function findModule(folders: readonly string[], module: string, machine: EmulatedMachine): Promise<string> {
  for (const folder of folders) {
    const path = join(folder, module);
    const names = await list(join(path, '..'));
    if (names.includes(basename(module))) return path;
    if (names.includes(`${basename(module)}.xz`)) {
      await query('xz', ['-dk', `${path}.xz`]);
      return path;
    }
  }
  throw new Error(`the package behind ${machine.kernelPackage} holds no ${module}`);
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
