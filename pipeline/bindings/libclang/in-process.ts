import { leaveBy } from '../../effects/leave.ts';
import type { LoadedClang } from './clang.ts';
import { immediateExit, startNative } from './clang-native.ts';
import { printable } from './diagnostics.ts';
import { withEmptyFileSystem } from './empty-file-system.ts';
import { type ParserOptions, type ParserRun, TIME_LIMIT } from './parser-run.ts';
import type { RawUnit } from './raw.ts';
import { unitReader } from './read-unit.ts';
import type { UnitRequest } from './request.ts';

/** Variables that change what clang finds or how it works; `LIBCLANG_PATH` has been read before. */
const CLANG_VARIABLES = /^(CPATH|\w+_INCLUDE_PATH|SDKROOT|\w+_DEPLOYMENT_TARGET|LIBCLANG_\w+|CINDEXTEST_\w+|CCC_\w+)$/;

/**
 * Reads units with a libclang of the system that is loaded into this process.
 *
 * What that gives up against a process of its own: a crash of libclang in a parse is caught by libclang itself, which
 * then returns an error, but one elsewhere ends this process by a signal, without a message of ours. And a parse that
 * takes too long cannot be ended: its thread goes on when this function has returned, Node would wait for it even in
 * `process.exit`, and the program must end by {@link leave}. Both are fit for a check, which leaves nothing half done; a build, and a program that calls us as a
 * library, must not pay for a header with their own end.
 */
export async function readInProcess(
  library: string,
  { workerPath, signal, timeLimit = TIME_LIMIT, onFirst }: ParserOptions,
  requests: readonly UnitRequest[],
): Promise<ParserRun> {
  signal?.throwIfAborted();
  for (const name of Object.keys(process.env)) if (CLANG_VARIABLES.test(name)) delete process.env[name];
  return withEmptyFileSystem(async (file) => {
    let clang: LoadedClang;
    try {
      clang = startNative(workerPath, library, file);
    } catch (error) {
      return { version: null, units: [], reason: reasonOf(error) };
    }
    // Node would wait for a thread without end; and to unload the library in order takes as long as a target.
    leaveBy(immediateExit(workerPath));
    const units: (RawUnit | undefined)[] = requests.map(() => undefined);
    let reason = `stopped after ${timeLimit} ms`;
    const read = unitReader(clang, requests);
    const work = requests.map(async (request, index) => {
      try {
        const unit = await read(request);
        units[index] = unit;
        // Behind the canary; and not before the parser is at work on what waited for this one.
        if (index === 1) setImmediate(() => onFirst?.(unit));
      } catch (error) {
        reason = reasonOf(error);
      }
    });
    try {
      void clang.api;
    } catch (error) {
      return { version: null, units: [], reason: reasonOf(error) };
    }
    await Promise.race([Promise.all(work), timeOut(timeLimit, signal)]);
    signal?.throwIfAborted();
    return { version: clang.version, units: [...units], reason };
  });
}

/** Resolves when the time is over, or the work is to be given up. */
function timeOut(limit: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    // The work may be done long before: nobody waits for this timer.
    setTimeout(resolve, limit).unref();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

function reasonOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
