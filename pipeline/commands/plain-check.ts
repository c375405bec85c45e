import { setImmediate } from 'node:timers/promises';
import { preloadParser } from './preload-parser.ts';
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
  const preloading = preloadParser(surroundings, signal);
  // Everything else is loaded while the system loads the parser, which begins within this turn.
  await setImmediate();
  const { runBindingsCheck } = await import('./bindings-check.ts');
  const { CHECK_FAILED, tellFailure } = await import('./outcome.ts');
  try {
    const form = { full: false, json: false, library: undefined };
    return (await runBindingsCheck({}, surroundings, signal, streams, form, preloading)) ? 0 : CHECK_FAILED;
  } catch (error) {
    return tellFailure(error, streams, surroundings, signal, false);
  }
}
