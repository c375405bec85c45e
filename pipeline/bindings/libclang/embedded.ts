import { buildError } from '../../plan/errors.ts';
import type { Target } from '../../plan/targets.ts';
import { withSourceLine } from '../source-line.ts';
import { canaryRequest, checkCanary, checkWidths } from './canary.ts';
import { printable } from './diagnostics.ts';
import { refuseDisagreement } from './disagreement.ts';
import { cannotStart, type ParserOptions, type ParserRun, parserFix } from './parser-run.ts';
import type { RawUnit } from './raw.ts';
import { type HeaderFile, type UnitRequest, unitRequest } from './request.ts';
import { versionWarning } from './versions.ts';

export type { ParserOptions } from './parser-run.ts';

/** One translation unit. */
export interface ParseUnit {
  /** The headers to bind, in order. */
  readonly headers: readonly HeaderFile[];
  /** Further files that those may include. */
  readonly includes?: readonly HeaderFile[];
  readonly target: Target;
}

export type ParseRequest = ParseUnit & ParserOptions;

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
 * Parses several units in one process, whose start costs more than many headers. The parser proves itself on the known
 * header for one target, and for the others by the widths of their types, which come with every unit.
 * @throws BuildError as {@link parseHeaders} does, for the first unit that has errors.
 */
export async function parseUnits(units: readonly ParseUnit[], options: ParserOptions): Promise<RawUnit[]> {
  const [first] = units;
  if (first === undefined) return [];
  const requests = [
    canaryRequest(first.target),
    ...units.map(({ target, headers, includes }) => unitRequest(target, headers, includes)),
  ];
  const {
    version,
    units: [canary, ...found],
    reason,
  } = await runParser(options, requests);
  if (version === null || canary === undefined || canary === null) throw cannotStart(options, reason);
  checkCanary(canary, parserFix(options.parser));
  warnOfVersion(version, options);
  return units.map(({ headers, includes = [] }, index) => {
    const unit = found[index];
    if (unit === undefined || unit === null) {
      throw buildError('A3S3002', {
        message: `the parser gave up on ${headers.map(({ name }) => name).join(', ')}: ${reason}`,
        cause: 'The header makes the parser run without end, run out of memory, or crash.',
      });
    }
    const files = [...headers, ...includes];
    refuseErrors(unit, files);
    checkWidths(unit, parserFix(options.parser));
    refuseDisagreement(unit, files);
    return unit;
  });
}

function warnOfVersion(version: string, { parser, warn }: ParserOptions): void {
  const warning = parser?.kind === 'native' ? versionWarning(printable(version), parser.library) : null;
  if (warning !== null) warn?.(warning);
}

/** Decides where the parser runs; a crash of the embedded one ends its process, so it always has one of its own. */
async function runParser(options: ParserOptions, requests: readonly UnitRequest[]): Promise<ParserRun> {
  const { parser } = options;
  if (parser?.kind !== 'native' || options.inProcess !== true) {
    const { runWorker } = await import('./worker-process.ts');
    return runWorker(options, requests);
  }
  const { readInProcess } = await import('./in-process.ts');
  return readInProcess(parser.library, options, requests);
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
