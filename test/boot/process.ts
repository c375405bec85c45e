import { spawn } from 'node:child_process';

/** How a program ended, and what it printed. */
export interface Ended {
  /** Exit code; 128 + n after signal n; undefined when the time was up. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly timeoutMs: number;
  /** Asked once a second; true ends the program as if its time were up. */
  readonly giveUp?: () => boolean;
  readonly cwd?: string;
  /** The whole environment; default: this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Bytes of each stream that are kept: a guest that prints without end must not fill the memory. */
const OUTPUT_CAP = 16 * 1024 * 1024;
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Runs a program in a process group of its own. The group is killed when the time is up, and when the program ends.
 * @throws Error when the program cannot be started.
 */
export function runProgram(command: string, args: readonly string[], run: Run): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: run.cwd,
      env: run.environment ?? process.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let late = false;
    const killGroup = () => endGroup(child.pid);
    const end = (): void => {
      late = true;
      killGroup();
    };
    const timer = setTimeout(end, run.timeoutMs);
    const watch = setInterval(() => run.giveUp?.() === true && end(), 1000);
    const stopWatching = (): void => {
      clearTimeout(timer);
      clearInterval(watch);
      process.off('exit', killGroup);
    };
    process.once('exit', killGroup);
    child.on('error', (cause) => {
      stopWatching();
      reject(new Error(`cannot start ${command}: ${cause.message}`, { cause }));
    });
    child.on('exit', killGroup);
    child.on('close', (code, signal) => {
      stopWatching();
      const exitCode = late ? undefined : (code ?? 128 + (SIGNALS[signal ?? ''] ?? 0));
      resolve({ code: exitCode, stdout: stdout(), stderr: stderr() });
    });
    // A program that ends without reading its input is no failure of this one.
    child.stdin.on('error', () => undefined);
    child.stdin.end(run.input ?? '');
  });
}

/** Runs a short query. @throws Error with its stderr when it does not exit with 0 within a minute. */
export async function query(command: string, args: readonly string[], cwd?: string, input?: string): Promise<string> {
  const run = { timeoutMs: 60_000, ...(cwd === undefined ? {} : { cwd }), ...(input === undefined ? {} : { input }) };
  const ended = await runProgram(command, args, run);
  if (ended.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${ended.code ?? 'no answer'}: ${ended.stderr.trim()}`);
  }
  return ended.stdout;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < OUTPUT_CAP) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).subarray(0, OUTPUT_CAP).toString('utf8');
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Everything in the group has ended already.
  }
}
