import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cargoConfigPlaces } from '../plan/cargo.ts';
import type { Config } from '../plan/config.ts';
import { buildError } from '../plan/errors.ts';
import type { FirmwarePins, LibkrunPins, Pins } from '../plan/pins.ts';
import type { PlanFacts, SourceOrigin } from '../plan/step-definition.ts';
import type { SysrootPins } from '../plan/sysroot-pins.ts';
import { readTextIfThere, statIfThere } from './files.ts';
import type { KnownGood } from './well-formed.ts';

/**
 * Reads the pins: the project's own files, else the ones that come with the tool.
 * @param known documents that need no further look; what is found well-formed is added
 * @throws BuildError A3S1102 with line and column.
 */
export async function readPins(config: Pick<Config, 'projectRoot' | 'toolRoot'>, known: KnownGood): Promise<Pins> {
  return {
    firmware: await readPin<FirmwarePins>(config, 'libkrunfw.json', known, async (text, file) =>
      (await import('../plan/pins.ts')).parseFirmwarePins(text, file),
    ),
    libkrun: await readPin<LibkrunPins>(config, 'libkrun.json', known, async (text, file) =>
      (await import('../plan/pins.ts')).parseLibkrunPins(text, file),
    ),
    sysroot: await readPin<SysrootPins>(config, 'sysroot.json', known, async (text, file) =>
      (await import('../plan/sysroot-pins.ts')).parseSysrootPins(text, file),
    ),
  };
}

/**
 * Looks at the disk for what the plan depends on.
 * @param cargoFolder where cargo keeps settings
 * @throws BuildError A3S1301, outside stub mode, for a source folder without sources.
 */
export function readPlanFacts(config: Config, cargoFolder: string): Omit<PlanFacts, 'system' | 'tools'> {
  if (config.environment.stub) {
    return { source: { kind: 'crate' }, cargoConfigs: [], generated: generatedFolder(config) };
  }
  const places = cargoConfigPlaces(config.projectRoot, cargoFolder);
  return { source: findSource(config), cargoConfigs: places.filter((place) => existsSync(place)) };
}

/** Folder of the committed interface: the project's own `generated/` where it holds a lock, else the tool's. */
export function generatedFolder({ projectRoot, toolRoot }: Pick<Config, 'projectRoot' | 'toolRoot'>): string {
  const own = join(projectRoot, 'generated');
  return statIfThere(join(own, 'abi.json')) === undefined ? join(toolRoot, 'generated') : own;
}

/**
 * Where libkrun's source is: the folder named by the user, else the project's `vendor/libkrun`, else the pinned crate.
 * @throws BuildError A3S1301 for a folder without sources: an empty submodule is a mistake, not a choice.
 */
function findSource(config: Config): SourceOrigin {
  const vendored = join(config.projectRoot, 'vendor', 'libkrun');
  // A link that leads nowhere counts as there: taking the crate instead would hide the mistake.
  const folder = config.libkrunDir ?? (statIfThere(vendored) === undefined ? undefined : vendored);
  if (folder === undefined) return { kind: 'crate' };
  if (existsSync(join(folder, 'Cargo.toml'))) return { kind: 'tree', path: folder };
  const state = stateOf(folder);
  throw buildError('A3S1301', { message: `Vendored sources not found: ${folder} ${state}`, where: { file: folder } });
}

function stateOf(folder: string): string {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return 'does not exist';
  if (!stat.isDirectory()) return 'is no folder';
  return readdirSync(folder).length === 0 ? 'is empty' : 'has no Cargo.toml';
}

async function readPin<T extends object>(
  config: Pick<Config, 'projectRoot' | 'toolRoot'>,
  name: string,
  known: KnownGood,
  parse: (text: string, file: string) => Promise<object>,
): Promise<T> {
  for (const root of [config.projectRoot, config.toolRoot]) {
    const file = join(root, 'vendor', name);
    const text = await readTextIfThere(file);
    if (text === undefined) continue;
    // Ours were held against the same schema before they were published.
    const published = root === config.toolRoot && root !== config.projectRoot;
    if (published || known.has(name, text)) return JSON.parse(text) as T;
    const pins = (await parse(text, file)) as T;
    known.add(name, text);
    return pins;
  }
  throw buildError('A3S9001', { message: `vendor/${name} is missing from the installation` });
}
