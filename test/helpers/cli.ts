import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { REPOSITORY } from './session.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process once it runs. */
  readonly onStart?: (pid: number) => void;
  readonly onStderr?: (text: string, pid: number) => void;
}

/** Less than a test has, so that the error can say what was printed instead. */
const PATIENCE_MS = 15_000;

/** A program that does not end by itself. */
export interface RunningCli {
  readonly stderr: () => string;
  /** Resolves once `text` is printed after all that was waited for before; fails when the program ends without it. */
  printed(text: string): Promise<void>;
  /** Sends the signal; resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

/** Starts the bundled program as {@link runCli} does, and gives control back. */
export function startCli(args: readonly string[], options: CliOptions): RunningCli {
  let stderr = '';
  let pid = 0;
  let ended = false;
  let from = 0;
  let look = (): void => {};
  const result = runCli(args, {
    ...options,
    onStart: (id) => {
      pid = id;
    },
    onStderr: (text) => {
      stderr = text;
      look();
    },
  }).then(({ code }) => {
    ended = true;
    look();
    return code;
  });
  return {
    stderr: () => stderr,
    ended: result,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`"${text}" is not printed:\n${stderr.slice(from)}`)),
          PATIENCE_MS,
        );
        look = () => {
          const index = stderr.indexOf(text, from);
          if (index === -1 && !ended) return;
          look = () => {};
          clearTimeout(late);
          from = index + text.length;
          if (index === -1) reject(new Error(`ended without printing "${text}":\n${stderr}`));
          else resolve();
        };
        look();
      }),
    end: (signal) => {
      if (!ended && pid > 0) process.kill(pid, signal);
      return result;
    },
  };
}

/** Runs the bundled program as a user would, in an environment that holds PATH, HOME and what is given. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = spawn(process.execPath, [join(REPOSITORY, 'dist/cli.cjs'), ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.once('spawn', () => options.onStart?.(child.pid ?? 0));
  return collect(child, (text) => options.onStderr?.(text, child.pid ?? 0));
}

/** What a process prints until it ends; `onStderr` receives all of it so far. */
export function collect(
  child: ChildProcessByStdio<null, Readable, Readable>,
  onStderr: (text: string) => void = () => {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      onStderr(stderr);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
