import { ERROR_TABLE, type ErrorCode } from './error-table.ts';

/** Where a failure showed: a file (with a position where one is known) or a log. */
export interface FailurePlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly source?: SourceLine;
}

/** A line of a source file, fit for a terminal: no control characters, and of a length that can be read. */
export interface SourceLine {
  readonly text: string;
  /** How many characters of `text` stand before the one meant; left out where only the line is known. */
  readonly caret?: number;
}

export interface FailureDetails {
  /** One sentence about this failure, without code and without full stop rules of its own. */
  readonly message: string;
  /** Replaces the table's general cause where more is known. */
  readonly cause?: string;
  /** Replaces the table's general fix where a better one is known (this system's install line, the very command). */
  readonly fix?: string;
  readonly where?: FailurePlace;
  /** The other place, where two contradict each other. */
  readonly also?: FailurePlace;
  /** Path of a log that holds the rest. */
  readonly log?: string;
}

/** A failure as data: the one object from which terminal text, annotations and JSON are printed. */
export interface Failure extends FailureDetails {
  readonly code: ErrorCode;
  readonly cause: string;
  readonly fix: string;
  /** Process exit code, from the table. */
  readonly exit: number;
}

/** The only exception that the program throws on purpose; everything else that escapes is a bug (A3S9001). */
export class BuildError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'BuildError';
    this.failure = failure;
  }

  get code(): ErrorCode {
    return this.failure.code;
  }
}

/** Makes the exception for `code`; `origin` is the lower-level error, kept for `--verbose`. */
export function buildError(code: ErrorCode, details: FailureDetails, origin?: unknown): BuildError {
  const entry = ERROR_TABLE[code];
  const failure = { code, cause: entry.cause, fix: entry.fix, exit: entry.exit, ...details };
  return new BuildError(failure, origin === undefined ? undefined : { cause: origin });
}

/** Turns anything thrown into a failure: a `BuildError` keeps its own, the rest is a bug of ours. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof BuildError) return thrown.failure;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return buildError('A3S9001', { message }, thrown).failure;
}

/** What `work` returns, or the failure that it throws, where that is a finding among others and not the end. */
export function orFailure<T>(work: () => T): T | BuildError {
  try {
    return work();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}
