import type { RawLibrary, RunOptions, VmConfig, VmProcess } from './api.ts';
import { openBinaries } from './binaries.ts';
import { hostFacts } from './host.ts';
import { lazyObject } from './lazy.ts';
import table from './platform.cjs';
import { startVm } from './start.ts';
import { stubLibrary, stubVm } from './stub.ts';

export * from './api.ts';
export { explainExitCode } from './exit-code.ts';

const binaries = openBinaries(table, hostFacts);

/**
 * Boots a microVM in a process of its own and runs one command in it.
 *
 * ```js
 * const code = await run({ root: '/srv/guest', command: '/bin/uname', arguments: ['-r'] });
 * ```
 *
 * Awaiting the result gives the command's exit code. The result is also a handle with streams, `kill` and `exit`. The
 * VM ends with this process.
 *
 * @throws {LoadError} at once, when the binaries of this platform are missing or cannot work here
 * @throws {VmError} at once for a configuration that cannot be passed on and for a launcher that may not be executed;
 * as a rejection for everything that the launcher finds out; in a stub, with the code ERR_LIBKRUN_STUB
 */
export function run(config: VmConfig, options: RunOptions = {}): VmProcess {
  return table.stub === undefined ? startVm(binaries.launcher(), config, options) : stubVm(config, options);
}

/**
 * The functions and constants of libkrun.h themselves, called in this process. The addon is loaded when the first of
 * them is touched. `raw.raw.krunStartEnter` takes this process over and ends it with the guest's exit code; `run` does
 * not.
 *
 * In a stub (a package made with `A3S_DEPS_STUB`) the constants have their values, and every function throws an `Error`
 * with the code `ERR_LIBKRUN_STUB`.
 *
 * @throws {LoadError} at the first touch, when the addon cannot be loaded
 */
export const raw: RawLibrary = lazyObject(() =>
  table.stub === undefined ? binaries.addon() : stubLibrary(table.stub()),
) as RawLibrary;
