import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildError, buildError } from '../../plan/errors.ts';
import type { Target } from '../../plan/targets.ts';
import { withSourceLine } from '../source-line.ts';
import { canaryRequest, checkCanary } from './canary.ts';
import { printable } from './diagnostics.ts';
import { refuseDisagreement } from './disagreement.ts';
import type { RawUnit } from './raw.ts';
import { type HeaderFile, unitRequest } from './request.ts';
import { TESTED_VERSIONS, versionWarning } from './versions.ts';

/** Which libclang parses. They give the same result; a library of the system is several times as fast. */
export type Parser =
  | { readonly kind: 'embedded' }
  /** `library` is the path of the shared library. */
  | { readonly kind: 'native'; readonly library: string };

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
  /** The embedded one when left out. */
  readonly parser?: Parser;
  /** Is told when a library that nobody has tested is at work. */
  readonly warn?: (message: string) => void;
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
 * Parses headers with a libclang in a process of its own, after that has proven itself on a header whose content is
 * known. Nothing is read from the disk but what the request holds.
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
  const ended = await runParser(options, JSON.stringify(requests));
  const [versionLine = '', ...unitLines] = ended.output.split('\n');
  const version: string | null = readLine(versionLine);
  const found: readonly (RawUnit | null)[] = unitLines.map((line) => readLine(line));
  for (const canary of targets.map((_target, index) => found[index])) {
    if (version === null || canary === undefined || canary === null) throw cannotStart(options, ended.reason);
    checkCanary(canary, parserFix(options.parser));
  }
  warnOfVersion(version ?? '', options);
  return units.map(({ headers, includes = [] }, index) => {
    const unit = found[targets.length + index];
    if (unit === undefined || unit === null) {
      throw buildError('A3S3002', {
        message: `the parser gave up on ${headers.map(({ name }) => name).join(', ')}: ${ended.reason}`,
        cause: 'The header makes the parser run without end, run out of memory, or crash.',
      });
    }
    const files = [...headers, ...includes];
    refuseErrors(unit, files);
    refuseDisagreement(unit, files);
    return unit;
  });
}

function warnOfVersion(version: string, { parser, warn }: ParserOptions): void {
  const warning = parser?.kind === 'native' ? versionWarning(printable(version), parser.library) : null;
  if (warning !== null) warn?.(warning);
}

/** A crash, or the end of the time allowed, can cut a line off. */
function readLine<T>(line: string): T | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function parserFix(parser: Parser = { kind: 'embedded' }): string | undefined {
  if (parser.kind === 'embedded') return undefined;
  return `Set LIBCLANG_PATH to a libclang of version ${TESTED_VERSIONS.join(', ')}, or unset it to use the embedded one.`;
}

function refuseErrors(unit: RawUnit, files: readonly HeaderFile[]): void {
  // A fatal error (a missing include) hides what follows it, so it is the one to show.
  const first = unit.diagnostics.find(({ severity }) => severity === 'fatal') ?? unit.diagnostics[0];
  if (first === undefined) return;
  const count = unit.diagnostics.length;
  throw buildError('A3S3002', {
    message: count > 1 ? `${first.text} (and ${count - 1} more)` : first.text,
    ...(first.place === null ? {} : { where: withSourceLine(first.place, files) }),
    ...(first.previous === undefined ? {} : { also: withSourceLine(first.previous, files) }),
  });
}

interface Ended {
  readonly output: string;
  /** Why there may be less output than asked for. */
  readonly reason: string;
}

/** Without folders and without a way through to the disk: what the request does not hold is not there. */
const EMPTY_FILE_SYSTEM = JSON.stringify({ version: 0, fallthrough: false, roots: [] });

async function runParser(options: ParserOptions, input: string): Promise<Ended> {
  const { parser, workerPath } = options;
  // The baseline compiler alone halves the start of the 31 MB module; the parser runs too briefly to earn more.
  if (parser?.kind !== 'native') return runWorker(options, ['--liftoff-only', workerPath], input);
  const folder = await mkdtemp(join(tmpdir(), 'a3s-build-libclang-'));
  try {
    const fileSystem = join(folder, 'empty.json');
    await writeFile(fileSystem, EMPTY_FILE_SYSTEM);
    return await runWorker(options, [workerPath, parser.library, fileSystem], input);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runWorker(options: ParserOptions, args: readonly string[], input: string): Promise<Ended> {
  const { nodePath = process.execPath, signal, timeLimit = TIME_LIMIT } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(nodePath, args, {
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
    child.on('error', (error) => reject(signal?.aborted ? error : cannotStart(options, error.message)));
    child.on('close', (code, killedBy) => {
      const killed = killedBy === 'SIGKILL' ? `stopped after ${timeLimit} ms or too much output` : `signal ${killedBy}`;
      const reason = killedBy === null ? `exit code ${code}${message === '' ? '' : `, ${printable(message)}`}` : killed;
      resolve({ output: Buffer.concat(output).toString('utf8'), reason });
    });
    child.stdin.end(input);
  });
}

function cannotStart({ parser }: ParserOptions, reason: string): BuildError {
  const fix = parserFix(parser);
  const library = parser?.kind === 'native' ? ` (${parser.library})` : '';
  return buildError('A3S3004', {
    message: `the header parser${library} could not be started: ${reason}`,
    ...(fix === undefined ? {} : { fix }),
  });
}
