import { spawn } from 'node:child_process';
import { type BuildError, buildError } from '../../plan/errors.ts';
import type { Target } from '../../plan/targets.ts';
import { canaryRequest, checkCanary } from './canary.ts';
import { printable } from './diagnostics.ts';
import type { RawUnit } from './raw.ts';
import { type HeaderFile, unitRequest } from './request.ts';

/** One translation unit. */
export interface ParseUnit {
  /** The headers to bind, in order. */
  readonly headers: readonly HeaderFile[];
  /** Further files that those may include. */
  readonly includes?: readonly HeaderFile[];
  readonly target: Target;
}

/** How the parser is run. */
export interface ParserOptions {
  /** The bundled worker (`dist/libclang-worker.js`). */
  readonly workerPath: string;
  /** The Node that runs it; this process's own when left out. */
  readonly nodePath?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds; a header that needs longer (macros that grow without end) is refused. */
  readonly timeLimit?: number;
}

export type ParseRequest = ParseUnit & ParserOptions;

/** libkrun.h takes under a second with the embedded parser; slow machines get 60 times as much. */
const TIME_LIMIT = 60_000;
/** A header of 10,000 functions prints about 20 MB. */
const OUTPUT_LIMIT = 128 * 1024 * 1024;
const MESSAGE_LIMIT = 4 * 1024;

/**
 * Parses headers with the embedded libclang, in a process of its own, after the parser has proven itself on a header
 * whose content is known. Nothing is read from the disk but what the request holds.
 * @throws BuildError A3S3002 for a header with errors (the first one, with its source line) or one that the parser
 *   does not survive; A3S3004 when the parser cannot be started or is wrong about the known header.
 */
export async function parseHeaders(request: ParseRequest): Promise<RawUnit> {
  const [unit] = await parseUnits([request], request);
  if (unit === undefined) throw new Error('the parser was asked for nothing');
  return unit;
}

/**
 * Parses several units in one process, whose start costs more than many headers; for each target the parser proves
 * itself first.
 * @throws BuildError as {@link parseHeaders} does, for the first unit that has errors.
 */
export async function parseUnits(units: readonly ParseUnit[], options: ParserOptions): Promise<RawUnit[]> {
  const targets = [...new Map(units.map(({ target }) => [target.id, target])).values()];
  const requests = [
    ...targets.map(canaryRequest),
    ...units.map(({ target, headers, includes }) => unitRequest(target, headers, includes)),
  ];
  const ended = await runWorker(options, JSON.stringify(requests));
  const found = ended.output.split('\n').map(readUnit);
  for (const canary of targets.map((_target, index) => found[index])) {
    if (canary === undefined || canary === null) {
      throw buildError('A3S3004', { message: `the header parser could not be started: ${ended.reason}` });
    }
    checkCanary(canary);
  }
  return units.map(({ headers, includes = [] }, index) => {
    const unit = found[targets.length + index];
    if (unit === undefined || unit === null) {
      throw buildError('A3S3002', {
        message: `the parser gave up on ${headers.map(({ name }) => name).join(', ')}: ${ended.reason}`,
        cause: 'The header makes the parser run without end, run out of memory, or crash.',
      });
    }
    refuseErrors(unit, [...headers, ...includes]);
    return unit;
  });
}

function readUnit(line: string): RawUnit | null {
  if (line === '') return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function refuseErrors(unit: RawUnit, files: readonly HeaderFile[]): void {
  // A fatal error (a missing include) hides what follows it, so it is the one to show.
  const first = unit.diagnostics.find(({ severity }) => severity === 'fatal') ?? unit.diagnostics[0];
  if (first === undefined) return;
  const count = unit.diagnostics.length;
  const source = files.find(({ name }) => name === first.place?.file);
  const line = source?.content.split('\n')[(first.place?.line ?? 0) - 1];
  throw buildError('A3S3002', {
    message: count > 1 ? `${first.text} (and ${count - 1} more)` : first.text,
    ...(line === undefined ? {} : { cause: `libclang reports an error in this line: ${printable(line.trim())}` }),
    ...(first.place === null ? {} : { where: first.place }),
  });
}

interface Ended {
  readonly output: string;
  /** Why there may be less output than asked for. */
  readonly reason: string;
}

function runWorker(options: ParserOptions, input: string): Promise<Ended> {
  const { workerPath, nodePath = process.execPath, signal, timeLimit = TIME_LIMIT } = options;
  return new Promise((resolve, reject) => {
    // The baseline compiler alone halves the start of the 31 MB module; the parser runs too briefly to earn more.
    const child = spawn(nodePath, ['--liftoff-only', workerPath], {
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeLimit,
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
    });
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
    child.on('error', (error) => reject(signal?.aborted ? error : cannotStart(error)));
    child.on('close', (code, killedBy) => {
      const killed = killedBy === 'SIGKILL' ? `stopped after ${timeLimit} ms or too much output` : `signal ${killedBy}`;
      const reason = killedBy === null ? `exit code ${code}${message === '' ? '' : `, ${printable(message)}`}` : killed;
      resolve({ output: Buffer.concat(output).toString('utf8'), reason });
    });
    child.stdin.end(input);
  });
}

function cannotStart(error: Error): BuildError {
  return buildError('A3S3004', { message: `the header parser could not be started: ${error.message}` }, error);
}
