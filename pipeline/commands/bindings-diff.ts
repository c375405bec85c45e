import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { toLock } from '../bindings/abi.ts';
import type { AbiChange } from '../bindings/abi-change.ts';
import { diffAbi } from '../bindings/abi-diff.ts';
import { changeJson, changeLines, verdictLine } from '../bindings/abi-report.ts';
import { verdictOf } from '../bindings/abi-verdict.ts';
import { toIr } from '../bindings/header.ts';
import { parseUnits } from '../bindings/libclang/embedded.ts';
import type { RawUnit } from '../bindings/libclang/raw.ts';
import type { HeaderFile } from '../bindings/libclang/request.ts';
import { LIBKRUN_OVERRIDES } from '../bindings/overrides.ts';
import { withDiskErrors } from '../effects/files.ts';
import { findTool } from '../effects/project.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import { TARGETS } from '../plan/targets.ts';
import { parserWorker } from '../steps/header.ts';
import type { Streams, Surroundings } from './session.ts';

/** The difference of two headers for targets on which it is the same. */
interface TargetDifference {
  readonly targets: readonly string[];
  readonly changes: readonly AbiChange[];
}

export interface HeaderDifference {
  readonly differences: readonly TargetDifference[];
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
  const { differences, notes } = await diffHeaders([before, after], cwd, signal);
  const verdict = verdictOf(differences.flatMap(({ changes }) => changes));
  if (json) {
    const listed = differences.map(({ targets, changes }) => ({ targets, changes: changes.map(changeJson) }));
    stdout.write(
      `${JSON.stringify({ schema: 1, before, after, differences: listed, semver: verdict, notes }, null, 2)}\n`,
    );
    return;
  }
  for (const { targets, changes } of differences) {
    if (changes.length === 0) continue;
    stdout.write([`${before} → ${after} for ${targets.join(', ')}`, ...changeLines(changes), ''].join('\n'));
  }
  stdout.write(`${verdictLine(verdict)}\n`);
  for (const note of notes) stderr.write(`note: ${note}\n`);
}

async function diffHeaders(
  paths: readonly [string, string],
  cwd: string,
  signal: AbortSignal,
): Promise<HeaderDifference> {
  const [before, after] = paths;
  const headers = [
    await readHeaderFile(resolve(cwd, before), before, 0),
    await readHeaderFile(resolve(cwd, after), after, 1),
  ];
  const sets = headers.map((header) => ({ label: header.path, headers: [header] }));
  return diffHeaderSets(sets, signal).catch((error: unknown) => {
    throw withRealPaths(error, headers);
  });
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
  const targets = Object.values(TARGETS);
  const units = targets.flatMap((target) => sets.map(({ headers }) => ({ headers, target })));
  const workerPath = parserWorker({ toolRoot: findTool().root });
  const raw = await parseUnits(units, { workerPath, signal });
  const notes = new Set<string>();
  const locks = raw.map((unit, index) => lockOf(unit, sets[index % 2]?.label ?? '', notes));
  const groups = new Map<string, { targets: string[]; changes: readonly AbiChange[] }>();
  for (const [index, { id }] of targets.entries()) {
    const [older, newer] = [locks[2 * index], locks[2 * index + 1]];
    if (older === undefined || newer === undefined) continue;
    const changes = diffAbi(older, newer);
    const key = JSON.stringify(changes);
    const group = groups.get(key) ?? { targets: [], changes };
    group.targets.push(id);
    groups.set(key, group);
  }
  return { differences: [...groups.values()], notes: [...notes] };
}

function lockOf(unit: RawUnit, path: string, notes: Set<string>) {
  const ir = toIr(unit, knownTo(unit), (question) => notes.add(`${path}: not proven: ${question}`));
  for (const { name, reason } of ir.skipped) notes.add(`${path}: ${name} is not compared: ${reason}`);
  return toLock(ir);
}

/** Any header may be compared: what the table says of functions that this one lacks is no fault of it. */
function knownTo(unit: RawUnit) {
  const names = new Set(unit.items.map(({ name }) => name));
  return LIBKRUN_OVERRIDES.filter((override) => names.has(override.function));
}

/** libkrun.h has 39 KB; the parser has a limit of its own, this one keeps endless files out of memory. */
const SIZE_LIMIT = 4 * 1024 * 1024;

/** A header for the parser, in a folder that tells the two apart. */
async function readHeaderFile(file: string, path: string, index: number) {
  const content = await withDiskErrors(path, async () => {
    const status = await stat(file);
    if (status.isFile() && status.size <= SIZE_LIMIT) return readFile(file, 'utf8');
    const message = status.isFile() ? `${path} is larger than ${SIZE_LIMIT} bytes` : `${path} is not a file`;
    throw buildError('A3S3002', {
      message,
      cause: 'The header was refused before it was read.',
      where: { file: path },
    });
  });
  const name = `${index === 0 ? 'before' : 'after'}/${basename(path).replace(/[^A-Za-z0-9_.+-]|^\./g, '_')}`;
  return { name, content, path };
}

/** The parser saw names of its own; people know the paths that they gave. */
function withRealPaths(error: unknown, headers: readonly { readonly name: string; readonly path: string }[]): unknown {
  if (!(error instanceof BuildError)) return error;
  const { where } = error.failure;
  const header = headers.find(({ name }) => name === where?.file);
  if (where === undefined || header === undefined) return error;
  return new BuildError({ ...error.failure, where: { ...where, file: header.path } }, { cause: error });
}
