import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateBindings } from '../bindings/generate.ts';
import { toIr } from '../bindings/header.ts';
import type { EmittedFile, HeaderIr, Skipped } from '../bindings/ir.ts';
import { parseHeaders } from '../bindings/libclang/embedded.ts';
import { LIBKRUN_OVERRIDES } from '../bindings/overrides.ts';
import { withDiskErrors, writeFileWhole } from '../effects/files.ts';
import type { Facts } from '../effects/store.ts';
import type { RunStep, StepContext } from './step.ts';

const HEADER = 'libkrun.h';

/** Folder of the output that is a project's `generated/`: without the header's prose. */
export const COMMITTED = 'committed';

/**
 * Parses libkrun.h and emits its bindings twice: without the header's prose below `committed/`, for version control
 * and for compiling (a changed comment then compiles nothing again), and with it, for the packages.
 */
export const runBindings: RunStep = async (context) => {
  const path = join(context.need('source').dir, 'include', HEADER);
  const content = await withDiskErrors(path, () => readFile(path, 'utf8'));
  const raw = await parseHeaders({
    headers: [{ name: HEADER, content }],
    target: context.config.target,
    workerPath: join(context.config.toolRoot, 'dist', 'libclang-worker.js'),
    signal: context.signal,
  });
  const ir = toIr(raw, LIBKRUN_OVERRIDES);
  const lock = await readFile(join(context.config.toolRoot, 'native', 'Cargo.lock'), 'utf8');
  const committed = await generateBindings(ir, { docs: false, lock });
  const packed = await generateBindings(ir, { docs: true, lock });
  await writeAll(join(context.out, COMMITTED), committed.files);
  await writeAll(
    context.out,
    packed.files.filter((file) => !file.path.startsWith('napi/')),
  );
  reportSkipped(context, committed.skipped);
  const { functions, constants } = countItems(ir);
  return {
    facts: { functions, constants, skipped: skippedFacts(committed.skipped), parser: 'embedded' },
    summary: `${functions} functions, ${constants} constants, ${committed.skipped.length} not offered in every language`,
  };
};

function writeAll(folder: string, files: readonly EmittedFile[]): Promise<unknown> {
  return Promise.all(files.map((file) => writeFileWhole(join(folder, file.path), file.content)));
}

function reportSkipped(context: StepContext, skipped: readonly Skipped[]): void {
  for (const { name, output, reason } of skipped) context.warn(`${name} is not in the ${output} bindings: ${reason}`);
}

function skippedFacts(skipped: readonly Skipped[]): Facts[] {
  return skipped.map(({ name, output, reason }) => ({ name, output, reason }));
}

function countItems(ir: HeaderIr): { functions: number; constants: number } {
  const count = (kind: string): number => ir.items.filter((item) => item.kind === kind).length;
  return { functions: count('function'), constants: count('constant') };
}
