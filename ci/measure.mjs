/** What the benchmarks have in common. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Seconds that a whole process takes.
 * @throws Error, with what it printed, for a command that fails: no figure of such a run counts.
 */
export function time(command, args, variables, cwd = ROOT) {
  const env = { ...process.env, CI: '', ...variables };
  const began = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(command === 'node' ? process.execPath : command, args, {
    cwd,
    env,
    encoding: 'utf8',
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (status === 0) return seconds;
  throw new Error(`${command} ${args.join(' ')} failed (${error?.message ?? `exit code ${status}`}):\n${stderr}`);
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
