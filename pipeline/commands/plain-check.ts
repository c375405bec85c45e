import { runBindingsCheck } from './bindings-check.ts';
import { CHECK_FAILED, tellFailure } from './outcome.ts';
import type { Streams, Surroundings } from './session.ts';

/**
 * Runs `a3s-build bindings --check` without further options, as a Git hook does before each commit. What reads command
 * lines takes as long to load as a header takes to parse, so it is not loaded for this one.
 * @returns The exit code.
 */
export async function main(
  _argv: readonly string[],
  surroundings: Surroundings,
  signal: AbortSignal,
  streams: Streams,
): Promise<number> {
  try {
    const form = { full: false, json: false, library: undefined };
    return (await runBindingsCheck({}, surroundings, signal, streams, form)) ? 0 : CHECK_FAILED;
  } catch (error) {
    return tellFailure(error, streams, surroundings, signal, false);
  }
}
