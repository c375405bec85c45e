import { join } from 'node:path';
import { generateBindings } from '../bindings/generate.ts';
import type { EmittedFile, HeaderIr, Skipped } from '../bindings/ir.ts';
import { writeFileWhole } from '../effects/files.ts';
import type { Facts } from '../effects/store.ts';
import { readHeader, readRuntimeLock } from './header.ts';
import type { RunStep, StepContext } from './step.ts';

/** Folder of the output that is a project's `generated/`: without the header's prose. */
export const COMMITTED = 'committed';

const LOCK = 'abi.json';

/**
 * Parses libkrun's headers and emits their bindings twice: without their prose below `committed/`, for version control
 * and for compiling (a changed comment then compiles nothing again), and with it, for the packages.
 */
export const runBindings: RunStep = async (context) => {
  const { config } = context;
  const { irs, parser } = await readHeader(context.need('source').dir, context);
  const lock = await readRuntimeLock(config);
  const versions = { package: config.package.version, tool: config.toolVersion };
  const missing = Object.keys(context.pins.libkrun.exports.missing);
  const committed = await generateBindings(irs, { docs: false, lock, missing, versions });
  const packed = await generateBindings(irs, { docs: true, lock, missing, versions });
  await writeAll(join(context.out, COMMITTED), committed.files);
  await writeAll(context.out, [
    ...packed.files.filter(({ path }) => !path.startsWith('napi/') && path !== LOCK),
    // The lock speaks of the committed files wherever it lies.
    ...committed.files.filter(({ path }) => path === LOCK),
  ]);
  reportSkipped(context, committed.skipped);
  const { functions, constants } = countItems(irs);
  return {
    facts: { functions, constants, skipped: skippedFacts(committed.skipped), parser },
    summary: `${functions} functions, ${constants} constants, ${committed.skipped.length} not offered in every language, parsed by ${parser === 'embedded' ? 'the embedded libclang' : parser}`,
  };
};

function writeAll(folder: string, files: readonly EmittedFile[]): Promise<unknown> {
  return Promise.all(files.map((file) => writeFileWhole(join(folder, file.path), file.content)));
}

/** One line for all that have the same reason. */
function reportSkipped(context: StepContext, skipped: readonly Skipped[]): void {
  const lines = new Map<string, string[]>();
  for (const { name, output, reason } of skipped) {
    const why = `not in the ${output} bindings: ${reason}`;
    lines.set(why, [...(lines.get(why) ?? []), name]);
  }
  for (const [why, names] of lines) context.warn(`${names.join(', ')}: ${why}`);
}

function skippedFacts(skipped: readonly Skipped[]): Facts[] {
  return skipped.map(({ name, output, reason }) => ({ name, output, reason }));
}

/** Each once, however many targets have it. */
function countItems(irs: readonly HeaderIr[]): { functions: number; constants: number } {
  const items = irs.flatMap((ir) => ir.items);
  const count = (kind: string): number =>
    new Set(items.filter((item) => item.kind === kind).map(({ name }) => name)).size;
  return { functions: count('function'), constants: count('constant') };
}
