import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { cargoConfigPlaces } from '../plan/cargo.ts';
import type { Config } from '../plan/config.ts';
import { CLANG, type CrossTools, LLD, NO_CROSS_TOOLS, ZIG, ZIGBUILD } from '../plan/cross-tools.ts';
import type { CommandLine } from '../plan/environment.ts';
import { GUESTS } from '../plan/init-compiler.ts';
import { machoToolNames } from '../plan/macho-tools.ts';
import type { Target } from '../plan/targets.ts';
import { readTextIfThere } from './files.ts';
import { cargoHome, rustLldFolder, type Toolchain } from './toolchain.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Where Homebrew keeps programs that it does not put on PATH. */
const HOMEBREW_LLVM = ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt'].flatMap((folder) =>
  ['lld', 'llvm'].map((formula) => join(folder, formula, 'bin')),
);

/** Looks for what builds for other machines, where `config` names another one, or zig. */
export async function findCrossTools(config: Config, variables: Variables, toolchain: Toolchain): Promise<CrossTools> {
  const foreign = config.targets.filter(({ id }) => id !== config.host.id);
  const zigNamed = config.glibc !== null || Object.values(config.linkers).includes(ZIG);
  const macho = config.targets.some(({ platform }) => platform === 'darwin') ? machoToolNames(config.host) : [];
  if (config.environment.stub || (foreign.length === 0 && !zigNamed && macho.length === 0)) return NO_CROSS_TOOLS;
  const path = (variables['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  // A Mac's own compiler makes nothing for the guest, which is Linux.
  const compilers = config.targets.flatMap((target) => [...target.crossLinkers, ...GUESTS[target.machine].compilers]);
  const onPath = [...new Set([...compilers, ...macho, CLANG, ZIG, ZIGBUILD])].filter((name) => isIn(path, name));
  const lld = findIn([...path, ...HOMEBREW_LLVM], LLD) ?? (await lldOfRust(config, toolchain));
  const zig = onPath.includes(ZIG) ? undefined : await zigOfPython(toolchain);
  return {
    programs: {
      ...Object.fromEntries(onPath.map((name): [string, CommandLine] => [name, { command: name, args: [] }])),
      ...(lld === undefined ? {} : { [LLD]: { command: lld, args: [] } }),
      ...(zig === undefined ? {} : { [ZIG]: zig }),
    },
    configured: await configuredTargets(config, foreign, variables),
  };
}

async function lldOfRust(config: Config, toolchain: Toolchain): Promise<string | undefined> {
  const folder = await rustLldFolder(config, toolchain);
  return folder === undefined ? undefined : join(folder, LLD);
}

/** zig as the Python package `ziglang` brings it. */
async function zigOfPython(toolchain: Toolchain): Promise<CommandLine | undefined> {
  const args = ['-m', 'ziglang'];
  const version = await toolchain.ask('python3', [...args, 'version']);
  return version === undefined ? undefined : { command: 'python3', args };
}

/** Targets for which cargo's configuration files name a linker: cargo reads them itself, and needs no other. */
async function configuredTargets(config: Config, targets: readonly Target[], variables: Variables) {
  const places = cargoConfigPlaces(config.projectRoot, cargoHome(variables));
  const texts = await Promise.all(places.map((place) => readTextIfThere(place)));
  const names = ({ triple }: Target): RegExp =>
    new RegExp(`^\\s*\\[target\\.["']?${triple}["']?\\]\\s*\\n(?:(?!\\s*\\[).*\\n)*?\\s*linker\\s*=`, 'm');
  return targets
    .filter((target) => texts.some((text) => text !== undefined && names(target).test(text)))
    .map(({ id }) => id);
}

function isIn(folders: readonly string[], name: string): boolean {
  return findIn(folders, name) !== undefined;
}

/** Path of the first program of that name. */
function findIn(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
