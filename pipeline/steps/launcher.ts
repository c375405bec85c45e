import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { glibcNeeds } from '../binary/glibc.ts';
import type { WantedFile } from '../effects/sync.ts';
import { auditFile, privateFolders } from './audit-file.ts';
import { COMMITTED } from './bindings.ts';
import { cargoBuild, filesBelow, wantedFile, withCargoWorkspace } from './cargo.ts';
import { glibcLimit } from './libkrun.ts';
import type { RunStep, StepContext } from './step.ts';

/** Name of the executable, in the prefix and in the packages. */
export const LAUNCHER = 'krun-launcher';

/** Builds the executable that starts a VM in a process of its own. */
export const runLauncher: RunStep = async (context) => {
  const { config } = context;
  const executable = join(context.out, 'bin', LAUNCHER);
  await mkdir(join(context.out, 'bin'), { recursive: true });
  const files = await launcherFiles(context);
  const crates = await withCargoWorkspace(context, files, join('native', 'Cargo.toml'), async (workspace) => {
    const built = await cargoBuild(context, workspace, { args: ['-p', LAUNCHER], rustflags: [] });
    await copyFile(join(workspace.targetDir, config.target.triple, 'release', LAUNCHER), executable);
    return built.licensesOf(LAUNCHER);
  });
  const { elf, bytes } = await auditFile(executable, {
    machine: config.target.machine,
    runpath: null,
    needed: config.target.systemLibraries,
    unversionedImports: [],
    glibcLimit: glibcLimit(config),
    forbiddenText: privateFolders(config),
  });
  const floor = glibcNeeds(elf).floor;
  return {
    facts: { crates, glibc: floor, size: bytes.length },
    summary: `${LAUNCHER}, ${Math.round(bytes.length / 1024)} KiB, glibc ${floor}`,
  };
};

/** The crates, and the raw bindings where the launcher's source looks for them. */
async function launcherFiles({ config, digests, need }: StepContext): Promise<WantedFile[]> {
  const crates = await filesBelow(join(config.toolRoot, 'native'), 'native', digests, ['target', 'npm']);
  const bindings = join(need('bindings').dir, COMMITTED, 'sys.rs');
  return [...crates, await wantedFile(bindings, join('generated', 'sys.rs'), digests)];
}
