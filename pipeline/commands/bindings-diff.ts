import { basename, parse, resolve } from 'node:path';
import { type AbiLock, toLock } from '../bindings/abi.ts';
import type { AbiChange } from '../bindings/abi-change.ts';
import { diffAbi } from '../bindings/abi-diff.ts';
import { changeJson, changeSections, verdictLines } from '../bindings/abi-report.ts';
import { verdictOf, verdictsByTarget } from '../bindings/abi-verdict.ts';
import { parseUnits } from '../bindings/libclang/embedded.ts';
import type { RawUnit } from '../bindings/libclang/raw.ts';
import type { HeaderFile } from '../bindings/libclang/request.ts';
import { overridesFor } from '../bindings/overrides.ts';
import { inFiles } from '../bindings/source-line.ts';
import { skippedOf } from '../bindings/target-groups.ts';
import { irsOf } from '../bindings/target-irs.ts';
import { findTool } from '../effects/project.ts';
import { buildError } from '../plan/errors.ts';
import { parserWorker } from '../plan/layout.ts';
import { TARGETS } from '../plan/targets.ts';
import { readHeaderFile } from '../steps/headers.ts';
import type { Streams, Surroundings } from './session.ts';

export interface HeaderDifference {
  readonly changes: readonly AbiChange[];
  /** What the headers leave open, and what could not be compared. */
  readonly notes: readonly string[];
}

/**
 * Prints what differs between two headers, for every target, and the release that the difference needs.
 * @throws BuildError A3S1001 unless two headers are named, A3S5002 for one that cannot be read, A3S3002 for one that
 *   cannot be parsed.
 */
export async function runBindingsDiff(
  paths: readonly string[],
  { cwd }: Surroundings,
  signal: AbortSignal,
  { stdout, stderr }: Streams,
  { json }: { readonly json: boolean },
): Promise<void> {
  const [before, after] = paths;
  if (before === undefined || after === undefined || paths.length > 2) {
    throw buildError('A3S1001', {
      message: `--diff takes two headers, the older and the newer one; ${paths.length} given`,
    });
  }
  const { changes, notes } = await diffHeaders([before, after], cwd, signal);
  const targets = Object.keys(TARGETS);
  if (json) {
    const semverByTarget = verdictsByTarget(changes, targets);
    const listed = changes.map(changeJson);
    const result = { schema: 2, before, after, changes: listed, semver: verdictOf(changes), semverByTarget, notes };
    stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const lines = [...changeSections(changes, () => `${before} → ${after}`), ...verdictLines(changes, targets)];
  stdout.write(lines.map((line) => `${line}\n`).join(''));
  for (const note of notes) stderr.write(`note: ${note}\n`);
}

async function diffHeaders(
  paths: readonly [string, string],
  cwd: string,
  signal: AbortSignal,
): Promise<HeaderDifference> {
  const [before, after] = paths;
  const headers = [
    await readCompared(resolve(cwd, before), before, 0),
    await readCompared(resolve(cwd, after), after, 1),
  ];
  const sets = headers.map((header) => ({ label: header.path, headers: [header] }));
  const found = await diffHeaderSets(sets, signal).catch((error: unknown) => {
    throw inFiles(error, headers);
  });
  const realPath = new Map(headers.map(({ name, path }) => [name, path]));
  const changes = found.changes.map((change) => ({
    ...change,
    header: realPath.get(change.header) ?? change.header,
  }));
  return { ...found, changes };
}

/** Headers that belong together, and what messages call them. */
export interface HeaderSet {
  readonly label: string;
  readonly headers: readonly HeaderFile[];
}

/**
 * Compares two sets of headers for every target.
 * @param sets The older and the newer one.
 * @throws BuildError A3S3002 for one that cannot be parsed.
 */
export async function diffHeaderSets(sets: readonly HeaderSet[], signal: AbortSignal): Promise<HeaderDifference> {
  const units = sets.flatMap(({ headers }) => Object.values(TARGETS).map((target) => ({ headers, target })));
  const workerPath = parserWorker({ toolRoot: findTool().root });
  const raw = await parseUnits(units, { workerPath, signal });
  const notes = new Set<string>();
  const half = raw.length / 2;
  const [before, after] = sets.map(({ label }, index) =>
    lockOf(raw.slice(index * half, (index + 1) * half), label, notes),
  );
  if (before === undefined || after === undefined) throw new Error('two sets of headers are compared');
  return { changes: diffAbi(before, after), notes: [...notes] };
}

function lockOf(units: readonly RawUnit[], path: string, notes: Set<string>): AbiLock {
  const irs = irsOf(units, overridesFor(units), {
    tell: (question) => notes.add(`${path}: not proven: ${question}`),
  });
  const lost = skippedOf(irs).filter(({ output }) => output === 'ir');
  for (const { name, reason } of lost) notes.add(`${path}: ${name} is not compared: ${reason}`);
  return toLock(irs);
}

/** A header for the parser, in a folder that tells the two apart. Unlike one to bind, it may lie anywhere. */
async function readCompared(file: string, path: string, index: number) {
  const content = await readHeaderFile({ path: file, root: parse(file).root }, path);
  const name = `${index === 0 ? 'before' : 'after'}/${basename(path).replace(/[^A-Za-z0-9_.+-]|^\./g, '_')}`;
  return { name, content, path };
}
