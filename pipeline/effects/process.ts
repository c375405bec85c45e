import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { dirname } from 'node:path';
import { buildError } from '../plan/errors.ts';
import { systemCode } from './files.ts';

export interface ProcessRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** File that receives all output; the folder is made. */
  readonly log?: string;
  /** Called for each line of stderr and stdout; carriage returns end lines too, so that progress bars are seen. */
  readonly onLine?: (line: string) => void;
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
  /** Lowest CPU priority. */
  readonly background?: boolean;
  /** Milliseconds without any output after which the child counts as hung. */
  readonly idleLimit?: number;
}

export interface ProcessResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output, up to `OUTPUT_CAP` bytes. */
  readonly stdout: string;
  /** The last lines of everything printed. */
  readonly tail: readonly string[];
}

/** Bytes of standard output that are kept in memory; logs on disk are whole. */
const OUTPUT_CAP = 32 * 1024 * 1024;
/** Longest line that is handed to `onLine`; the rest of it goes to the log only. */
const LINE_CAP = 8192;
const TAIL_LINES = 60;
/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_GRACE = 1500;

/** Process groups that are alive; ended together when the program must go. */
const groups = new Set<number>();

/** Sends `signal` to every child process group that is still alive. */
export function signalAllGroups(signal: NodeJS.Signals): void {
  for (const group of groups) signalGroup(group, signal);
}

/**
 * Runs a program in a process group of its own and waits for it. When `signal` aborts, the group gets SIGTERM and,
 * after a grace, SIGKILL.
 * @throws BuildError A3S1201 when the program is not there, A3S1204 when it hung, the abort reason when aborted.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  request.signal?.throwIfAborted();
  if (request.log !== undefined) await mkdir(dirname(request.log), { recursive: true });
  const log = request.log === undefined ? undefined : createWriteStream(request.log, { flags: 'a' });
  try {
    return await superviseChild(request, (chunk) => log?.write(chunk));
  } finally {
    await new Promise<void>((resolve) => (log === undefined ? resolve() : log.end(resolve)));
  }
}

function superviseChild(request: ProcessRequest, record: (chunk: Buffer) => void): Promise<ProcessResult> {
  return new Promise((resolve, reject) => watchChild(request, record, resolve, reject));
}

function watchChild(
  request: ProcessRequest,
  record: (chunk: Buffer) => void,
  resolve: (result: ProcessResult) => void,
  reject: (error: unknown) => void,
): void {
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: { ...request.env },
    stdio: [request.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const group = child.pid;
  if (group !== undefined) {
    groups.add(group);
    if (request.background) lowerPriority(group);
  }
  const end = (): void => {
    if (group === undefined) return;
    signalGroup(group, 'SIGTERM');
    setTimeout(() => signalGroup(group, 'SIGKILL'), KILL_GRACE).unref();
  };
  const watch = idleWatch(request.idleLimit, end);
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  const tail: string[] = [];
  const lines = lineSplitter((line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    request.onLine?.(line);
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    watch.seen();
    record(chunk);
    lines(chunk);
    stdoutBytes += chunk.length;
    if (stdoutBytes <= OUTPUT_CAP) stdout.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    watch.seen();
    record(chunk);
    lines(chunk);
  });
  if (request.input !== undefined) {
    // A child that ends before it reads its input closes the pipe; its exit code tells why.
    child.stdin?.on('error', () => {});
    child.stdin?.end(request.input);
  }
  request.signal?.addEventListener('abort', end, { once: true });

  child.once('error', (error) => {
    watch.stop();
    reject(startError(request, error));
  });
  // 'exit', not 'close': a grandchild that keeps the pipe open must not keep us waiting (it is ended with the group).
  child.once('exit', (code, signal) => {
    watch.stop();
    request.signal?.removeEventListener('abort', end);
    const finish = (): void => {
      if (group !== undefined) {
        signalGroup(group, 'SIGKILL');
        groups.delete(group);
      }
      lines.flush();
      if (request.signal?.aborted) reject(request.signal.reason);
      else if (watch.hung()) reject(hungError(request));
      else resolve({ code, signal, stdout: Buffer.concat(stdout).toString('utf8'), tail });
    };
    const closed = setTimeout(finish, 250);
    child.once('close', () => {
      clearTimeout(closed);
      finish();
    });
  });
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // No such group: it has ended already, which is what was wanted.
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // The child may be gone already, and a priority is a courtesy, never a condition.
  }
}

function idleWatch(limit: number | undefined, onHung: () => void) {
  let hung = false;
  const timer =
    limit === undefined
      ? undefined
      : setTimeout(() => {
          hung = true;
          onHung();
        }, limit);
  return {
    seen: () => timer?.refresh(),
    stop: () => clearTimeout(timer),
    hung: () => hung,
  };
}

function lineSplitter(onLine: (line: string) => void) {
  let pending = '';
  const take = (text: string): void => {
    const line = text.slice(0, LINE_CAP).trimEnd();
    if (line !== '') onLine(line);
  };
  const push = (chunk: Buffer): void => {
    const parts = (pending + chunk.toString('utf8')).split(/[\r\n]+/);
    pending = (parts.pop() ?? '').slice(0, LINE_CAP);
    for (const part of parts) take(part);
  };
  return Object.assign(push, { flush: () => take(pending) });
}

function startError(request: ProcessRequest, error: Error): Error {
  if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EACCES') {
    return buildError('A3S1201', { message: `cannot start ${request.command}: ${error.message}` }, error);
  }
  return error;
}

function hungError(request: ProcessRequest): Error {
  const seconds = Math.round((request.idleLimit ?? 0) / 1000);
  return buildError('A3S1204', {
    message: `${request.command} printed nothing for ${seconds} s and was ended`,
    ...(request.log === undefined ? {} : { log: request.log }),
  });
}
