import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NAPI_CRATE, napiManifest } from '../bindings/emit-napi.ts';
import { runProcess } from '../effects/process.ts';
import type { WantedFile } from '../effects/sync.ts';
import type { Target } from '../plan/targets.ts';
import { COMMITTED } from './bindings.ts';
import { filesBelow, IDLE_LIMIT, prepareBuild, reportProgress, wantedFile, withCargoWorkspace } from './cargo.ts';
import { compileError } from './compile-error.ts';
import { finishBinary, floorFacts } from './finish.ts';
import { recordLinkedCrates } from './linked-crates.ts';
import { linkingOf } from './linking.ts';
import { addonName } from './package/names.ts';
import type { RunStep, StepContext } from './step.ts';

const BINARY_NAME = 'libkrun';

/** Builds the Node addon from the emitted crate with the napi tool; libkrun itself is opened at run time. */
export const runAddon: RunStep = async (context) => {
  const { config } = context;
  const name = addonName(config.target);
  const files = await crateFiles(context);
  const crates = await withCargoWorkspace(context, files, join(CRATE, 'Cargo.toml'), async (workspace) => {
    const outputDir = join(context.temporary, 'addon');
    const linking = linkingOf(context);
    const options = {
      manifestPath: workspace.manifest,
      target: linking.triple,
      crossCompile: linking.subcommand === 'zigbuild',
      targetDir: workspace.targetDir,
      outputDir,
      workDir: join(context.temporary, 'napi'),
      cwd: config.projectRoot,
      binaryName: BINARY_NAME,
      release: true,
      cargoOptions: ['--jobs', String(context.jobs)],
    };
    const prepared = await prepareBuild(context, workspace, OWN_NAME[config.target.platform](name));
    const result = await runProcess({
      command: process.execPath,
      args: [join(config.toolRoot, 'dist', 'napi-build-worker.js'), JSON.stringify(options)],
      cwd: config.projectRoot,
      env: prepared.env,
      log: context.log,
      signal: context.signal,
      background: context.background,
      idleLimit: IDLE_LIMIT,
      onLine: reportProgress(context),
    });
    if (result.code !== 0 || result.signal !== null) throw await compileError('the napi build', result, context.log);
    for (const file of await readdir(outputDir)) {
      if (file.endsWith('.node')) await copyFile(join(outputDir, file), join(context.out, name));
    }
    return recordLinkedCrates(context, workspace, prepared.crates, { root: NAPI_CRATE });
  });
  const { size, floors } = await finishBinary(context, join(context.out, name), 'addon');
  return {
    facts: { crates, file: name, ...floorFacts(floors), size },
    summary: `${name}, ${Math.round(size / 1024)} KiB`,
  };
};

/** Some linkers give a library a soname by themselves and others none; on macOS it gets its name after the link. */
const OWN_NAME: Readonly<Record<Target['platform'], (name: string) => readonly string[]>> = {
  linux: (name) => [`-Clink-arg=-Wl,-soname,${name}`],
  darwin: () => [],
};

/** Folder of the emitted crate in the copy that is built; the raw bindings lie beside it, as below `generated/`. */
const CRATE = 'napi';

/**
 * The emitted crate, with the runtime crates below it: cargo hashes the absolute path of a dependency that lies outside,
 * and the addon would differ from folder to folder.
 */
async function crateFiles(context: StepContext): Promise<WantedFile[]> {
  const { config, digests, temporary } = context;
  const lock = await readFile(join(config.toolRoot, 'native', 'Cargo.lock'), 'utf8');
  const manifest = join(temporary, 'Cargo.toml');
  await writeFile(manifest, napiManifest({ runtimePath: 'native/node', lock }).content);
  const bindings = join(context.need('bindings').dir, COMMITTED);
  const emitted = await filesBelow(join(bindings, 'napi'), CRATE, digests, ['Cargo.toml']);
  const runtime = await filesBelow(join(config.toolRoot, 'native'), join(CRATE, 'native'), digests, ['target', 'npm']);
  return [
    ...emitted,
    ...runtime,
    await wantedFile(join(bindings, 'sys.rs'), 'sys.rs', digests),
    await wantedFile(manifest, join(CRATE, 'Cargo.toml'), digests),
  ];
}
