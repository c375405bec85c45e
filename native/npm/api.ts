import type { Readable, Writable } from 'node:stream';

/** A host folder that the guest may mount by its tag: `mount -t virtiofs <tag> <folder>`. */
export interface VmMount {
  /** At most 36 bytes, unique in one VM. */
  readonly tag: string;
  /** Folder of the host; a relative one counts from the working folder of this process. */
  readonly path: string;
}

/** A TCP port of the host that leads to one of the guest. */
export interface VmPort {
  readonly host: number;
  readonly guest: number;
}

/** How much libkrun and the guest kernel print on stderr. */
export type VmLogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/**
 * One microVM and the command that it runs.
 *
 * The guest's kernel takes command, arguments, environment and working folder as printable ASCII without double
 * quotes, at most 31 arguments, 26 variables and 1.6 KB in all; what does not fit is refused, never changed.
 */
export interface VmConfig {
  /**
   * Folder of the host that becomes the guest's `/`; a relative one counts from the working folder of this process.
   * The guest can change it, and its init leaves `/init.trace.log` in it.
   */
  readonly root: string;
  /** Program to run in the guest, without spaces. */
  readonly command: string;
  /** Without the command's own name. */
  readonly arguments?: readonly string[];
  /** The whole environment of the command: nothing of this process is passed on. The guest adds HOME=/ and TERM. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Folder in the guest; default `/`. */
  readonly workdir?: string;
  /** Default 1; at most what the host offers. */
  readonly vcpus?: number;
  /** Memory in MiB; default 512. */
  readonly memoryMib?: number;
  readonly mounts?: readonly VmMount[];
  readonly ports?: readonly VmPort[];
  /** Default `error`. */
  readonly logLevel?: VmLogLevel;
}

/** Where a standard stream of the guest goes: this process's own, a pipe on the handle, or nowhere. */
export type VmStdio = 'inherit' | 'pipe' | 'ignore';

/** How to run a VM. */
export interface RunOptions {
  /** For all three streams that are not named below; default `inherit`. */
  readonly stdio?: VmStdio;
  /** Also a stream to read from. */
  readonly stdin?: VmStdio | Readable;
  /** Also a stream to write to; it is not ended with the VM. */
  readonly stdout?: VmStdio | Writable;
  /** Also a stream to write to; it is not ended with the VM. */
  readonly stderr?: VmStdio | Writable;
  /** Ends the VM when aborted; `exit` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How a VM ended. */
export interface VmExit {
  /** The command's own exit code, or 128 and the number of the signal that ended it; see `explainExitCode`. */
  readonly code: number;
  /** The signal that ended the launcher process itself, else null. */
  readonly signal: NodeJS.Signals | null;
}

/**
 * A running VM. Awaiting it gives the exit code, so an async function that returns a handle returns the code; wrap it
 * in an object to pass it on.
 */
export interface VmProcess extends PromiseLike<number> {
  /** Process id of the launcher; undefined when it could not be started. */
  readonly pid: number | undefined;
  /** The guest's input where it is a pipe, else null. */
  readonly stdin: Writable | null;
  /** The guest's output where it is a pipe, else null. Read it: a full pipe stops the guest. */
  readonly stdout: Readable | null;
  /** The guest's error output and libkrun's log where it is a pipe, else null. */
  readonly stderr: Readable | null;
  /** Settles when the VM has ended and all output has arrived. Rejects with a `VmError`, or the abort reason. */
  readonly exit: Promise<VmExit>;
  /** Sends a signal, SIGTERM by default; false when there is no process any more. */
  kill(signal?: NodeJS.Signals): boolean;
}

/** Why a VM did not run, or was lost. Names that begin with `LAUNCHER_` come from the launcher, or tell about it. */
export type VmErrorCode =
  /** The configuration is not one that can run; the message names the field. */
  | 'LAUNCHER_BAD_DESCRIPTION'
  /** The host has no `/dev/kvm`, or no Hypervisor.framework. */
  | 'LAUNCHER_NO_KVM'
  /** This user may not open `/dev/kvm`. */
  | 'LAUNCHER_KVM_DENIED'
  /** `/dev/kvm` cannot run a guest. */
  | 'LAUNCHER_KVM_UNUSABLE'
  /** On macOS: the launcher's signature lacks the entitlement to start VMs. */
  | 'LAUNCHER_NOT_ENTITLED'
  /** libkrun or its guest kernel is missing or damaged. */
  | 'LAUNCHER_LIBRARY'
  /** A function of libkrun reported an error: see `function` and `errno`. */
  | 'LAUNCHER_CALL'
  /** The guest ended before its command had an exit code. */
  | 'LAUNCHER_GUEST_LOST'
  /** libkrun crashed. */
  | 'LAUNCHER_CRASHED'
  /** The launcher is there and may not be executed. */
  | 'LAUNCHER_NOT_EXECUTABLE'
  /** The system could not start the launcher; `cause` is its error. */
  | 'LAUNCHER_NOT_STARTED'
  /** This package is a stub, made with `A3S_DEPS_STUB`: nothing in it can run. The functions of `raw` throw it too. */
  | 'ERR_LIBKRUN_STUB'
  /** A code that this version does not know; the message holds it. */
  | 'LAUNCHER_UNKNOWN';

/** A VM that did not run, or was lost. The guest's own exit codes are no errors. */
export class VmError extends Error {
  override readonly name = 'VmError';
  readonly code: VmErrorCode;
  /** C name of the function of libkrun that failed. */
  readonly function: string | undefined;
  /** The system's error number, positive. */
  readonly errno: number | undefined;
  /** Exit code of the launcher, where it ran. */
  readonly exitCode: number | undefined;

  constructor(
    code: VmErrorCode,
    message: string,
    details: {
      readonly function?: string | undefined;
      readonly errno?: number | undefined;
      readonly exitCode?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.function = details.function;
    this.errno = details.errno;
    this.exitCode = details.exitCode;
  }
}

/** Why the binaries of this platform cannot be used. */
export type LoadErrorCode =
  /** Node is older than this package supports. */
  | 'LOADER_NODE_TOO_OLD'
  /** A Node for Intel runs on Apple silicon, translated by Rosetta. */
  | 'LOADER_ROSETTA'
  /** There are no binaries for this system. */
  | 'LOADER_UNSUPPORTED_PLATFORM'
  /** The system's C library is musl; the binaries need glibc. */
  | 'LOADER_MUSL'
  /** `node_modules` was installed on another system and copied here. */
  | 'LOADER_OTHER_PLATFORM'
  /** The platform package is not installed. */
  | 'LOADER_NOT_INSTALLED'
  /** The platform package is of another version than this one. */
  | 'LOADER_WRONG_VERSION'
  /** The system's glibc is older than the binaries need. */
  | 'LOADER_GLIBC_TOO_OLD'
  /** The binaries are inside an application's `.asar` archive, where the system cannot open them. */
  | 'LOADER_IN_ARCHIVE'
  /** The addon is there and the system refuses to load it; `cause` is its error. */
  | 'LOADER_DLOPEN';

/** The binaries of this platform cannot be used. `cause` keeps what the system said. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly code: LoadErrorCode;

  constructor(code: LoadErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

// In the packed declarations this is the type of the generated functions; the source does not know them.
/** The functions and constants of libkrun.h, as the generated declarations describe them. */
export type RawLibrary = Readonly<Record<string, unknown>>;
