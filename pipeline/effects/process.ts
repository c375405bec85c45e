import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { buildError } from '../plan/errors.ts';
import { systemCode } from './files.ts';
import { forgetGroup, rememberGroup, signalGroup } from './process-groups.ts';
import { collectOutput, type Log, openLog } from './process-output.ts';

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
  /** Standard output, up to 8 MiB. */
  readonly stdout: string;
  /** The last lines of everything printed. */
  readonly tail: readonly string[];
}

/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_GRACE = 1500;
/** Milliseconds without output after the child has ended until its pipes count as held by somebody else. */
const DRAIN_QUIET = 250;
/** Milliseconds after which they count so even when there is output. */
const DRAIN_LIMIT = 10_000;

/**
 * Runs a program in a process group of its own and waits for it. When `signal` aborts, the group gets SIGTERM and,
 * after a grace, SIGKILL. When the program ends, whatever it leaves behind in its group is ended with it.
 * @throws BuildError A3S1201 when the program is not there, A3S1204 when it hung, A3S5001 or A3S5002 when the log
 * cannot be written, the abort reason when aborted.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  request.signal?.throwIfAborted();
  const { log: path } = request;
  const log = path === undefined ? undefined : await openLog(path);
  try {
    return await new Promise((resolve, reject) => superviseChild(request, log, resolve, reject));
  } finally {
    await log?.close();
  }
}

function superviseChild(
  request: ProcessRequest,
  log: Log | undefined,
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
    rememberGroup(group);
    if (request.background) lowerPriority(group);
  }
  let grace: NodeJS.Timeout | undefined;
  const end = (): void => {
    if (group === undefined || grace !== undefined) return;
    signalGroup(group, 'SIGTERM');
    grace = setTimeout(() => signalGroup(group, 'SIGKILL'), KILL_GRACE);
  };
  const watch = idleWatch(request.idleLimit, end);
  const output = collectOutput(request.onLine);
  const pipes = readPipes(child, log, end, (chunk, from) => {
    watch.seen();
    output.printed(chunk);
    if (from === child.stdout) output.keep(chunk);
  });
  if (request.input !== undefined) {
    // A child that ends before it reads its input closes the pipe; its exit code tells why.
    child.stdin?.on('error', () => {});
    child.stdin?.end(request.input);
  }
  request.signal?.addEventListener('abort', end, { once: true });
  // The signal may have come while the log was being opened.
  if (request.signal?.aborted) end();

  const stop = (): void => {
    watch.stop();
    clearTimeout(grace);
    request.signal?.removeEventListener('abort', end);
    if (group === undefined) return;
    signalGroup(group, 'SIGKILL');
    forgetGroup(group);
  };
  let ended: readonly [number | null, NodeJS.Signals | null] = [null, null];
  const settle = (): void => {
    if (request.signal?.aborted) reject(request.signal.reason);
    else if (pipes.fault() !== undefined) reject(pipes.fault());
    else if (watch.hung()) reject(hungError(request));
    else resolve({ code: ended[0], signal: ended[1], ...output.result() });
  };
  child.once('error', (error) => {
    stop();
    reject(startError(request, error));
  });
  // 'exit', not 'close': a grandchild that keeps the pipe open must not keep us waiting.
  child.once('exit', (code, signal) => {
    ended = [code, signal];
    stop();
    pipes.drain(settle);
  });
}

/**
 * Reads what the child prints, no faster than the log takes it.
 * @param onFault Called when the log takes no more.
 */
function readPipes(
  child: ChildProcess,
  log: Log | undefined,
  onFault: () => void,
  take: (chunk: Buffer, from: Readable) => void,
) {
  const pipes = [child.stdout, child.stderr].filter((pipe) => pipe !== null);
  let fault: unknown;
  let quiet: NodeJS.Timeout | undefined;
  for (const pipe of pipes) {
    pipe.on('data', (chunk: Buffer) => {
      quiet?.refresh();
      take(chunk, pipe);
      if (log === undefined || fault !== undefined || log.write(chunk)) return;
      pipe.pause();
      log.onDrain(() => pipe.resume());
    });
  }
  log?.onFault((error) => {
    fault ??= error;
    for (const pipe of pipes) pipe.resume();
    onFault();
  });
  return {
    fault: (): unknown => fault,
    /** Waits, once the child has ended, for what is still in its pipes, and closes them when somebody else holds them. */
    drain(onDone: () => void): void {
      const done = (): void => {
        clearTimeout(quiet);
        clearTimeout(limit);
        child.removeListener('close', done);
        for (const pipe of pipes) pipe.destroy();
        onDone();
      };
      const limit = setTimeout(done, DRAIN_LIMIT);
      // Silence of a pipe that waits for the disk says nothing.
      const whenQuiet = (): unknown => (pipes.some((pipe) => pipe.isPaused()) ? quiet?.refresh() : done());
      quiet = setTimeout(whenQuiet, DRAIN_QUIET);
      child.once('close', done);
    },
  };
}

/**
 * The lowest priority there is. On Linux the child leads a session, and with it an autogroup: its own priority then
 * counts inside that group only, and the group's decides against everybody else (sched(7)).
 */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
    writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
  } catch {
    // The child may be gone already, or the system may know no autogroups; a priority is a courtesy, no condition.
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
