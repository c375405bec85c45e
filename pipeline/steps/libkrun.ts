import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDiskErrors, writeFileWhole } from '../effects/files.ts';
import type { WantedFile } from '../effects/sync.ts';
import { LIBKRUN_FEATURES } from '../plan/cargo.ts';
import {
  FRAMEWORKS,
  HYPERVISOR_DECLARATIONS,
  HYPERVISOR_STUB,
  hypervisorFunctions,
  hypervisorStub,
} from '../plan/hypervisor-stub.ts';
import type { Target } from '../plan/targets.ts';
import { cargoBuild, filesBelow, wantedFile, withCargoWorkspace } from './cargo.ts';
import { finishBinary, floorFacts, floorText } from './finish.ts';
import { recordLinkedCrates } from './linked-crates.ts';
import { linkingOf } from './linking.ts';
import type { RunStep, StepContext } from './step.ts';

/** Builds libkrun with cargo, so that it finds the guest kernel beside itself and tells nothing of this machine. */
export const runLibkrun: RunStep = async (context) => {
  const { config } = context;
  const { target } = config;
  const library = join(context.out, 'lib', target.libraryFile);
  await mkdir(join(context.out, 'lib'), { recursive: true });
  const stub = await hypervisorStubFiles(context);
  const files = [...(await sourceWithInit(context)), ...stub];
  const crates = await withCargoWorkspace(context, files, 'Cargo.toml', async (workspace) => {
    const built = await cargoBuild(context, workspace, {
      args: ['-p', 'libkrun', '--features', LIBKRUN_FEATURES.join(',')],
      // Relative to the workspace, where cargo links: a flag with a path of this machine would change the result.
      rustflags: [...RUSTFLAGS[target.platform], ...(stub.length > 0 ? [`-Lframework=${FRAMEWORKS}`] : [])],
    });
    await copyFile(join(workspace.targetDir, target.triple, 'release', target.builtLibrary), library);
    return recordLinkedCrates(context, workspace, built, { root: 'libkrun', features: LIBKRUN_FEATURES });
  });
  const { size, floors, needed } = await finishBinary(context, library, 'library', context.need('source').dir);
  return {
    facts: { crates, features: LIBKRUN_FEATURES, ...floorFacts(floors), size, needed },
    summary: `libkrun ${String(context.need('source').facts['version'])}, ${LIBKRUN_FEATURES.join(' + ')}, ${floorText(floors)}`,
  };
};

/** What the linker of each system is told. libkrun opens the guest kernel by its bare name: it looks beside itself. */
const RUSTFLAGS: Readonly<Record<Target['platform'], readonly string[]>> = {
  linux: ['-Clink-arg=-Wl,-rpath,$ORIGIN'],
  darwin: ['-Clink-arg=-Wl,-rpath,@loader_path'],
};

/** The source tree, with the guest's init where libkrun's virtio-fs code embeds it. */
async function sourceWithInit(context: StepContext): Promise<WantedFile[]> {
  const source = await filesBelow(context.need('source').dir, '', context.digests);
  const init = await filesBelow(context.need('init').dir, 'init', context.digests);
  return [...source, ...init];
}

/** What zig links with in place of Hypervisor.framework; nothing where the system's own linker finds that itself. */
async function hypervisorStubFiles(context: StepContext): Promise<WantedFile[]> {
  if (context.config.target.platform !== 'darwin' || linkingOf(context).subcommand !== 'zigbuild') return [];
  const declarations = join(context.need('source').dir, HYPERVISOR_DECLARATIONS);
  const text = await withDiskErrors(declarations, () => readFile(declarations, 'utf8'));
  const file = join(context.temporary, 'Hypervisor.tbd');
  await writeFileWhole(file, hypervisorStub(hypervisorFunctions(text, declarations)));
  return [await wantedFile(file, HYPERVISOR_STUB, context.digests)];
}
