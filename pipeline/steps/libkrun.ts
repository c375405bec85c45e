import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { glibcNeeds } from '../binary/glibc.ts';
import type { WantedFile } from '../effects/sync.ts';
import { LIBKRUN_FEATURES } from '../plan/cargo.ts';
import type { Config } from '../plan/config.ts';
import type { Target } from '../plan/targets.ts';
import { auditFile, privateFolders } from './audit-file.ts';
import { cargoBuild, filesBelow, withCargoWorkspace } from './cargo.ts';
import type { RunStep, StepContext } from './step.ts';

/** Builds libkrun with cargo, so that it finds the guest kernel beside itself and tells nothing of this machine. */
export const runLibkrun: RunStep = async (context) => {
  const { config } = context;
  const { target } = config;
  const library = join(context.out, 'lib', target.libraryFile);
  await mkdir(join(context.out, 'lib'), { recursive: true });
  const crates = await withCargoWorkspace(context, await sourceWithInit(context), 'Cargo.toml', async (workspace) => {
    const built = await cargoBuild(context, workspace, {
      args: ['-p', 'libkrun', '--features', LIBKRUN_FEATURES.join(',')],
      rustflags: RUSTFLAGS[target.platform],
    });
    await copyFile(join(workspace.targetDir, target.triple, 'release', target.builtLibrary), library);
    return built.licensesOf('libkrun');
  });
  const { elf, bytes } = await auditFile(library, {
    machine: target.machine,
    form: 'shared',
    soname: target.libraryFile,
    runpath: '$ORIGIN',
    needed: target.systemLibraries,
    unversionedImports: [],
    glibcLimit: glibcLimit(config),
    forbiddenText: privateFolders(config, context.need('source').dir),
  });
  const floor = glibcNeeds(elf).floor;
  return {
    facts: { crates, features: LIBKRUN_FEATURES, glibc: floor, size: bytes.length, needed: elf.needed },
    summary: `libkrun ${String(context.need('source').facts['version'])}, ${LIBKRUN_FEATURES.join(' + ')}, glibc ${floor}`,
  };
};

/** What the linker of each system is told. */
const RUSTFLAGS: Readonly<Record<Target['platform'], readonly string[]>> = {
  // libkrun opens the guest kernel by its bare name, for which only libkrun's own runpath is searched.
  linux: ['-Clink-arg=-Wl,-rpath,$ORIGIN'],
  darwin: [],
};

/** Newest glibc that a shipped file may need: that of Debian 12 and later systems. */
export const GLIBC_LIMIT = '2.36';

/** Newest glibc that what is built now may need: the one asked for, else the limit of all that is shipped. */
export function glibcLimit({ glibc }: Pick<Config, 'glibc'>): string {
  return glibc ?? GLIBC_LIMIT;
}

/** The source tree, with the guest's init where libkrun's virtio-fs code embeds it. */
async function sourceWithInit(context: StepContext): Promise<WantedFile[]> {
  const source = await filesBelow(context.need('source').dir, '', context.digests);
  const init = await filesBelow(context.need('init').dir, 'init', context.digests);
  return [...source, ...init];
}
