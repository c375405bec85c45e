import { join } from 'node:path';
import { type AbiLock, sha256Of } from '../../bindings/abi.ts';
import { readAbi } from '../../bindings/abi-schema.ts';
import { type AddonSurface, addonSurface, surfaceNames } from '../../bindings/addon-surface.ts';
import { readTextIfThere, writeFileWhole } from '../../effects/files.ts';
import { generatedFolder } from '../../effects/inputs-on-disk.ts';
import { buildError } from '../../plan/errors.ts';
import { exportedNames } from '../package/names.ts';
import type { RunStep } from '../step.ts';

const LOCK = 'abi.json';
const TYPES = 'libkrun.d.ts';

/**
 * Takes the committed interface lock and declarations, the project's own or else the tool's; parses no header.
 * @throws BuildError A3S3001 when one of them is missing, damaged, or not made together with the other.
 */
export const runStubBindings: RunStep = async ({ config, out }) => {
  const folder = generatedFolder(config);
  const [lockText, types] = [await readText(folder, LOCK), await readText(folder, TYPES)];
  const lock = readAbi(lockText, join(folder, LOCK));
  const surface = addonSurface(lock);
  requireMadeTogether(lock, surface, types, folder);
  await writeFileWhole(join(out, LOCK), lockText);
  await writeFileWhole(join(out, TYPES), types);
  const { functions, constants } = surface;
  return {
    facts: { functions: functions.length, constants: constants.length, stub: true },
    summary: `${functions.length} functions, ${constants.length} constants, as committed`,
  };
};

/** Git on Windows may have changed the line ends; they are no part of what was committed. */
async function readText(folder: string, name: string): Promise<string> {
  const text = await readTextIfThere(join(folder, name));
  if (text !== undefined) return text.replaceAll('\r\n', '\n');
  throw stale(folder, name, 'is missing');
}

function requireMadeTogether(lock: AbiLock, surface: AddonSurface, types: string, folder: string): void {
  const stated = lock.made?.files.find(({ path }) => path === TYPES)?.sha256;
  if (stated !== sha256Of(types)) throw stale(folder, TYPES, `is not the one that ${LOCK} was made with`);
  const [given, declared] = [surfaceNames(surface), exportedNames(types)].map((names) => names.toSorted());
  if (JSON.stringify(given) !== JSON.stringify(declared)) {
    throw stale(folder, TYPES, `does not declare what ${LOCK} gives: another version of a3s-build made them`);
  }
}

function stale(folder: string, name: string, what: string) {
  const file = join(folder, name);
  return buildError('A3S3001', {
    message: `${name} ${what}`,
    cause: 'A stub is made from the committed interface, which must be whole.',
    fix: 'Run `a3s-build bindings` without A3S_DEPS_STUB where libkrun can be built, and commit generated/.',
    where: { file },
  });
}
