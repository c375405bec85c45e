import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../effects/files.ts';
import type { Config } from '../plan/config.ts';
import { variableFor } from '../plan/environment.ts';
import type { InputSpec, Plan } from '../plan/steps.ts';
import { linkerVariable, TARGET_IDS, TARGETS } from '../plan/targets.ts';

/** Variables whose change may give another library; they are watched in stub mode too, which ends when one is unset. */
export const WATCHED_VARIABLES: readonly string[] = [
  'A3S_BUILD_BIN',
  'A3S_BUILD_LIBKRUN',
  'A3S_CACHE_DIR',
  'A3S_DEBIAN_FOLDER',
  'A3S_DEBIAN_MIRROR',
  'A3S_DEBIAN_SNAPSHOT',
  'A3S_DEPS_STUB',
  'A3S_FIRMWARE',
  'A3S_GITHUB_MIRROR',
  'A3S_LIBKRUNFW_DYLIB',
  'A3S_OFFLINE',
  'A3S_USE_SYSTEM_LIBKRUN',
  'CARGO',
  'CARGO_NET_OFFLINE',
  'CC',
  'CC_LINUX',
  'KRUN_INIT_BINARY_PATH',
  'LIBCLANG_PATH',
  'PKG_CONFIG',
  'PKG_CONFIG_LIBDIR',
  'PKG_CONFIG_PATH',
  'PKG_CONFIG_SYSROOT_DIR',
  'RUSTC',
  ...TARGET_IDS.flatMap((id) => [
    variableFor('A3S_LIBKRUNFW_DYLIB', id),
    variableFor('KRUN_INIT_BINARY_PATH', id),
    linkerVariable(TARGETS[id]),
  ]),
];

/**
 * Files and folders whose change may give another library: whatever a step of the plan reads, and what the plan itself
 * is made from. Only those that are there: cargo takes a missing one for changed, every time.
 */
export function watchedPaths(
  plan: Plan,
  { projectRoot, toolRoot }: Pick<Config, 'projectRoot' | 'toolRoot'>,
  configFile: string | undefined,
): readonly string[] {
  const read = plan.steps.flatMap((step) => step.inputs.flatMap(pathsOf));
  const planned = [
    configFile ?? join(projectRoot, 'a3s-build.config.json'),
    join(projectRoot, 'package.json'),
    join(projectRoot, 'vendor', 'libkrun.json'),
    join(projectRoot, 'vendor', 'libkrunfw.json'),
    join(projectRoot, 'vendor', 'sysroot.json'),
    // An installed tool never changes without this file; of a checkout the pins are watched as well.
    join(toolRoot, 'package.json'),
    join(toolRoot, 'vendor', 'libkrun.json'),
    join(toolRoot, 'vendor', 'libkrunfw.json'),
    join(toolRoot, 'vendor', 'sysroot.json'),
  ];
  return [...new Set([...read, ...planned])].filter((path) => existsSync(path)).toSorted();
}

function pathsOf(input: InputSpec): readonly string[] {
  if (input.kind === 'file') return [input.path];
  if (input.kind !== 'tree') return [];
  const { path, exclude = [] } = input;
  // Cargo watches folders whole: what is left out can only be left out by naming everything beside it.
  return exclude.length === 0
    ? [path]
    : entriesOf(path)
        .filter((name) => !exclude.includes(name))
        .map((name) => join(path, name));
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw diskError(folder, error);
  }
}
