import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildError } from '../plan/errors.ts';
import { systemCode, temporaryName, withDiskErrors } from './files.ts';

/** Who holds a lock: a process id is only unique together with the time the process started. */
interface Holder {
  readonly pid: number;
  readonly started: string;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when the lock is taken and this run has to wait. */
  readonly onWait?: (pid: number) => void;
  /** Milliseconds after which waiting ends with A3S5003. */
  readonly limit?: number;
}

const POLL = 200;
/** A cold build takes minutes; half an hour without an end means that something else is wrong. */
const WAIT_LIMIT = 30 * 60_000;

/**
 * Runs `work` while holding the lock file. Saves double work only: results are published by rename, so two holders
 * would do no harm beyond the time they waste. The lock of a process that has ended is taken over.
 * @throws BuildError A3S5003 when the holder does not finish in time, A3S5001 or A3S5002 when the file cannot be written.
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const mine = await withDiskErrors(file, () => acquire(file, options));
  try {
    return await work();
  } finally {
    if (readHolder(file)?.text === mine) rmSync(file, { force: true });
  }
}

async function acquire(file: string, options: LockOptions): Promise<string> {
  const mine = JSON.stringify({ pid: process.pid, started: startTime(process.pid) ?? '' } satisfies Holder);
  const deadline = Date.now() + (options.limit ?? WAIT_LIMIT);
  let told = false;
  mkdirSync(dirname(file), { recursive: true });
  while (!tryCreate(file, mine)) {
    options.signal?.throwIfAborted();
    const found = readHolder(file);
    if (found === undefined) continue;
    if (!isAlive(found.holder)) {
      takeAway(file, found.text);
      continue;
    }
    if (!told) options.onWait?.(found.holder.pid);
    told = true;
    if (Date.now() > deadline) {
      throw buildError('A3S5003', { message: `process ${found.holder.pid} holds ${file}`, where: { file } });
    }
    await sleep(POLL);
  }
  return mine;
}

/** Creates the lock with its content in one step: a reader never sees an empty one. */
function tryCreate(file: string, content: string): boolean {
  const temporary = temporaryName(file);
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    if (!NO_LINKS.has(systemCode(error) ?? '')) throw error;
    return tryCreateInPlace(file, content);
  } finally {
    unlinkSync(temporary);
  }
}

/** How file systems without hard links (exFAT, some network shares) refuse one. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** The same in two steps: a reader in between takes the lock for a damaged one, which costs double work at most. */
function tryCreateInPlace(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): { text: string; holder: Holder } | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const parsed = JSON.parse(text) as Partial<Holder>;
    return { text, holder: { pid: Number(parsed.pid), started: String(parsed.started) } };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    // Not written by this program, or damaged: nobody can be holding it.
    return { text: '', holder: { pid: 0, started: '' } };
  }
}

function isAlive(holder: Holder): boolean {
  if (!Number.isInteger(holder.pid) || holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  const started = startTime(holder.pid);
  return started === undefined || started === holder.started;
}

/** Moves a dead holder's lock aside, unless somebody else has replaced it meanwhile. */
function takeAway(file: string, seen: string): void {
  const aside = temporaryName(file);
  try {
    renameSync(file, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && moved.text !== seen) {
    try {
      linkSync(aside, file);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

/**
 * Start time of a process in clock ticks since boot: field 22 of /proc/<pid>/stat; undefined where there is no /proc.
 * A process that has ended and is still listed (state Z, X) gets a time that no lock holds.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets; fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}
