import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { printable } from './diagnostics.ts';
import { withEmptyFileSystem } from './empty-file-system.ts';
import { cannotStart, type ParserOptions, type ParserRun, TIME_LIMIT, type Worker } from './parser-run.ts';
import type { RawUnit } from './raw.ts';
import type { UnitRequest } from './request.ts';

/**
 * The baseline compiler alone halves the start of the 31 MB module, of which most functions are never called; the parser
 * runs too briefly to earn more.
 */
const EMBEDDED_FLAGS = ['--liftoff-only', '--wasm-lazy-validation'];

/** A header of 10,000 functions prints about 20 MB. */
const OUTPUT_LIMIT = 128 * 1024 * 1024;
const MESSAGE_LIMIT = 4 * 1024;

/** Runs the parser in a process of its own, which a crash of it, or the end of its time, ends. */
export async function runWorker(options: ParserOptions, requests: readonly UnitRequest[]): Promise<ParserRun> {
  const { parser, workerPath, started } = options;
  const input = JSON.stringify(requests);
  if (parser?.kind !== 'native') return (started ?? startEmbeddedWorker(options)).ask(input);
  return withEmptyFileSystem((file) => startWorker(options, [workerPath, parser.library, file]).ask(input));
}

/**
 * Starts the process of the embedded parser, which gets ready while this one goes on. It ends with this process when it
 * is never asked.
 */
export function startEmbeddedWorker(options: Pick<ParserOptions, 'workerPath' | 'nodePath' | 'signal'>): Worker {
  return startWorker(options, [...EMBEDDED_FLAGS, options.workerPath]);
}

function startWorker(options: ParserOptions, args: readonly string[]): Worker {
  const { nodePath = process.execPath, signal, timeLimit = TIME_LIMIT } = options;
  const child = spawn(nodePath, args, {
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = endOf(child, options);
  // Who asks is told of a failure; one that nobody asks must not end this process.
  ended.catch(() => undefined);
  return {
    ask: (requests) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), timeLimit);
      child.stdin.end(requests);
      return ended.finally(() => clearTimeout(timer));
    },
  };
}

function endOf(child: ChildProcessWithoutNullStreams, options: ParserOptions): Promise<ParserRun> {
  const { signal, timeLimit = TIME_LIMIT } = options;
  return new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    let size = 0;
    let message = '';
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > OUTPUT_LIMIT) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (message.length < MESSAGE_LIMIT) message += chunk.toString('utf8', 0, MESSAGE_LIMIT);
    });
    child.stdin.on('error', () => undefined); // A worker that died early closes its input; its exit tells why.
    child.on('error', (error) => reject(signal?.aborted ? error : cannotStart(options, error.message)));
    child.on('close', (code, killedBy) => {
      const killed = killedBy === 'SIGKILL' ? `stopped after ${timeLimit} ms or too much output` : `signal ${killedBy}`;
      const reason = killedBy === null ? `exit code ${code}${message === '' ? '' : `, ${printable(message)}`}` : killed;
      const [version = '', ...units] = Buffer.concat(output).toString('utf8').split('\n');
      resolve({ version: readLine(version), units: units.map((line) => readLine<RawUnit>(line)), reason });
    });
  });
}

/** A crash, or the end of the time allowed, can cut a line off. */
function readLine<T>(line: string): T | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
