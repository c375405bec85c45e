import { spawnSync } from 'node:child_process';
import type { RawUnit } from '../../pipeline/bindings/libclang/raw.ts';
import { type HeaderFile, unitRequest } from '../../pipeline/bindings/libclang/request.ts';
import { TARGETS, type Target } from '../../pipeline/plan/targets.ts';
import { bundleWorker } from './bundle-worker.ts';

/** Parses each header as a unit of its own, all in one process of the embedded parser: its start is what takes long. */
export async function parseUnits(headers: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, RawUnit>> {
  const files = Object.entries(headers).map(([name, content]) => [{ name, content }]);
  const units = await parseGroups(files, TARGETS['linux-x64']);
  return new Map(units.map((unit) => [unit.headers[0] ?? '', unit]));
}

/** Parses each group of headers as a unit; without the canary, which knows our own targets alone. */
export async function parseGroups(groups: readonly (readonly HeaderFile[])[], target: Target): Promise<RawUnit[]> {
  const requests = groups.map((headers) => unitRequest(target, headers));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--liftoff-only', await bundleWorker()], {
    input: JSON.stringify(requests),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`the parser ended with ${status}: ${stderr.slice(0, 2_000)}`);
  // The first line is the version of the parser.
  const [, ...lines] = stdout.trim().split('\n');
  return lines.map((line): RawUnit => JSON.parse(line));
}
