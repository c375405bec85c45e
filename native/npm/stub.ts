import { Readable, Writable } from 'node:stream';
import { type RunOptions, type VmConfig, VmError, type VmErrorCode, type VmProcess } from './api.ts';
import { describeVm } from './description.ts';
import { vmHandle } from './handle.ts';
import { stdioOf } from './streams.ts';

/** What a stub package has in place of the addon, as data. */
export interface StubTable {
  /** Names in JavaScript and in C. */
  readonly functions: readonly (readonly [jsName: string, cName: string])[];
  /** The same of the namespace `raw`. */
  readonly raw: readonly (readonly [jsName: string, cName: string])[];
  readonly constants: readonly (readonly [name: string, value: unknown])[];
}

const CODE = 'ERR_LIBKRUN_STUB' satisfies VmErrorCode;

/** The exports of the addon: constants as they are, and functions that throw an error with `code` ERR_LIBKRUN_STUB. */
export function stubLibrary({ functions, raw, constants }: StubTable): object {
  const throwing = (names: StubTable['functions']): object =>
    Object.fromEntries(names.map(([jsName, cName]) => [jsName, stubFunction(jsName, cName)]));
  const namespace = raw.length === 0 ? {} : { raw: throwing(raw) };
  return { ...Object.fromEntries(constants), ...throwing(functions), ...namespace };
}

/**
 * Stands in for starting a VM: refuses what would be refused at once, and rejects with ERR_LIBKRUN_STUB. Pipes of the
 * handle are there and at their end, as those of a VM that did not start.
 *
 * @throws VmError LAUNCHER_BAD_DESCRIPTION; the reason of a signal that is aborted already.
 */
export function stubVm(config: VmConfig, options: RunOptions): VmProcess {
  describeVm(config);
  options.signal?.throwIfAborted();
  const [stdin, stdout, stderr] = stdioOf(options);
  const ownPipe = (kind: string, given: unknown): boolean => kind === 'pipe' && typeof given !== 'object';
  return vmHandle({
    pid: undefined,
    stdin: ownPipe(stdin, options.stdin) ? new Writable({ write: (_chunk, _encoding, done) => done() }) : null,
    stdout: ownPipe(stdout, options.stdout) ? Readable.from([]) : null,
    stderr: ownPipe(stderr, options.stderr) ? Readable.from([]) : null,
    exit: Promise.reject(new VmError(CODE, stubMessage('run'))),
    kill: () => false,
  });
}

function stubFunction(jsName: string, cName: string): () => never {
  const called = jsName === cName ? jsName : `${jsName} (${cName})`;
  const stub = (): never => {
    throw Object.assign(new Error(stubMessage(called)), { code: CODE });
  };
  return Object.defineProperty(stub, 'name', { value: jsName });
}

function stubMessage(called: string): string {
  return `${called} was called in a stub of libkrun: this package was made with A3S_DEPS_STUB set. Build and install the real one.`;
}
