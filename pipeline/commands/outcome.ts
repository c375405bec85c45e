import { type Failure, toFailure } from '../plan/errors.ts';
import { renderFailure } from '../run/failure-text.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import type { Streams, Surroundings } from './session.ts';

/** Exit code of a check that found something. */
export const CHECK_FAILED = 2;

/**
 * Tells how a command failed.
 * @returns The exit code. That of a run that was aborted is 1; who aborted it knows the better code.
 */
export function tellFailure(
  error: unknown,
  { stderr }: Streams,
  { variables }: Surroundings,
  signal: AbortSignal,
  verbose: boolean,
): number {
  if (signal.aborted) {
    stderr.write('interrupted: child processes ended, unfinished results removed; the next run goes on from here\n');
    return 1;
  }
  const failure: Failure = toFailure(error);
  stderr.write(renderFailure(failure, painter(terminalKind(stderr, variables).color)));
  if (verbose && error instanceof Error) stderr.write(`${error.stack ?? ''}\n${causeChain(error)}`);
  return failure.exit;
}

function causeChain(error: Error): string {
  const lines: string[] = [];
  for (let cause = error.cause; cause instanceof Error && lines.length < 10; cause = cause.cause) {
    lines.push(`caused by: ${cause.stack ?? cause.message}\n`);
  }
  return lines.join('');
}
