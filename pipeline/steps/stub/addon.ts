import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAbi } from '../../bindings/abi-schema.ts';
import { addonSurface } from '../../bindings/addon-surface.ts';
import { emitNodeStub } from '../../bindings/emit-node-stub.ts';
import { withDiskErrors, writeFileWhole } from '../../effects/files.ts';
import type { RunStep } from '../step.ts';

/** Writes what stands in for the addon: the same names and constants, without the functions. */
export const runStubAddon: RunStep = async ({ need, out }) => {
  const file = join(need('bindings').dir, 'abi.json');
  const lock = readAbi(await withDiskErrors(file, () => readFile(file, 'utf8')), file);
  const surface = addonSurface(lock);
  const { path, content } = emitNodeStub(surface);
  await writeFileWhole(join(out, path), content);
  const [functions, constants] = [surface.functions.length, surface.constants.length];
  return {
    facts: { functions, constants, stub: true },
    summary: `${functions} functions that throw, ${constants} constants`,
  };
};
