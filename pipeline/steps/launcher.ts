import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WantedFile } from '../effects/sync.ts';
import { LAUNCHER } from './binaries.ts';
import { COMMITTED } from './bindings.ts';
import { cargoBuild, filesBelow, wantedFile, withCargoWorkspace } from './cargo.ts';
import { finishBinary, floorFacts, floorText } from './finish.ts';
import { recordLinkedCrates } from './linked-crates.ts';
import type { RunStep, StepContext } from './step.ts';

/** Builds the executable that starts a VM in a process of its own. */
export const runLauncher: RunStep = async (context) => {
  const { config } = context;
  const executable = join(context.out, 'bin', LAUNCHER);
  await mkdir(join(context.out, 'bin'), { recursive: true });
  const files = await launcherFiles(context);
  const crates = await withCargoWorkspace(context, files, join('native', 'Cargo.toml'), async (workspace) => {
    const built = await cargoBuild(context, workspace, { args: ['-p', LAUNCHER], rustflags: [] });
    await copyFile(join(workspace.targetDir, config.target.triple, 'release', LAUNCHER), executable);
    return recordLinkedCrates(context, workspace, built, { root: LAUNCHER });
  });
  const { size, floors } = await finishBinary(context, executable, 'launcher');
  return {
    facts: { crates, ...floorFacts(floors), size },
    summary: `${LAUNCHER}, ${Math.round(size / 1024)} KiB, ${floorText(floors)}`,
  };
};

/** The crates, and the raw bindings where the launcher's source looks for them. */
async function launcherFiles({ config, digests, need }: StepContext): Promise<WantedFile[]> {
  const crates = await filesBelow(join(config.toolRoot, 'native'), 'native', digests, ['target', 'npm']);
  const bindings = join(need('bindings').dir, COMMITTED, 'sys.rs');
  return [...crates, await wantedFile(bindings, join('generated', 'sys.rs'), digests)];
}
