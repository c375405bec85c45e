import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { constants as system } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { type RunOptions, type VmConfig, VmError, type VmExit, type VmProcess } from './api.ts';
import { describeVm } from './description.ts';
import { failureFrom } from './failure.ts';
import { vmHandle } from './handle.ts';
import { connectStreams, stdioOf } from './streams.ts';
import { explainEnd, type SystemCauses, systemCauses } from './system-causes.ts';

/** Descriptors beyond the standard streams: the description goes in on one, a failure comes back on the other. */
const DESCRIPTION_FD = 3;
const ERROR_FD = 4;
const ARGUMENTS = ['--fd', String(DESCRIPTION_FD), '--error-fd', String(ERROR_FD)];

/** A failure is one short JSON object; more than this is not read. */
const LONGEST_FAILURE = 64 * 1024;

/** Milliseconds that an aborted VM has to end by SIGTERM before it gets SIGKILL. */
const GRACE = 5000;

/** Launchers that must not outlive this process. */
const running = new Set<ChildProcess>();

/**
 * Starts a VM in a process of its own.
 * @param launcher Path of the executable.
 * @param causes Asks the system why it ended or refused the launcher without a word.
 * @throws VmError LAUNCHER_BAD_DESCRIPTION, LAUNCHER_NOT_EXECUTABLE; the reason of a signal that is aborted already.
 */
export function startVm(
  launcher: string,
  config: VmConfig,
  options: RunOptions = {},
  causes: SystemCauses | undefined = systemCauses(process.platform),
): VmProcess {
  const description = describeVm(config);
  options.signal?.throwIfAborted();
  requireExecutable(launcher);
  const child = spawn(launcher, ARGUMENTS, {
    // The launcher needs nothing of the environment, and what it does not get the guest cannot get.
    env: {},
    stdio: [...stdioOf(options), 'pipe', 'pipe'],
  });
  endWithThisProcess(child);
  connectStreams(child, options);
  send(child, description);
  return vmHandle({
    pid: child.pid,
    stdin: options.stdin === undefined || typeof options.stdin === 'string' ? child.stdin : null,
    stdout: options.stdout === undefined || typeof options.stdout === 'string' ? child.stdout : null,
    stderr: options.stderr === undefined || typeof options.stderr === 'string' ? child.stderr : null,
    exit: settle(child, launcher, options.signal, causes),
    kill: (signal = 'SIGTERM') => child.kill(signal),
  });
}

function requireExecutable(launcher: string): void {
  try {
    accessSync(launcher, constants.X_OK);
  } catch (cause) {
    const message = `${launcher} may not be executed: the file lost its mode on the way (chmod 755 it, or install the package again), or its file system is mounted noexec`;
    throw new VmError('LAUNCHER_NOT_EXECUTABLE', message, { cause });
  }
}

function send(child: ChildProcess, description: string): void {
  const stream = child.stdio[DESCRIPTION_FD] as Writable | null | undefined;
  // A launcher that ends without reading says why on its other descriptor.
  stream?.on('error', () => {});
  stream?.end(description);
}

function settle(
  child: ChildProcess,
  launcher: string,
  signal: AbortSignal | undefined,
  causes: SystemCauses | undefined,
): Promise<VmExit> {
  const report = readReport(child);
  const abort = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), GRACE).unref();
  };
  signal?.addEventListener('abort', abort, { once: true });
  return new Promise<VmExit>((resolve, reject) => {
    child.once('error', (cause) => {
      const message = `${launcher} could not be started: ${cause.message}`;
      reject(new VmError('LAUNCHER_NOT_STARTED', message, { cause }));
    });
    child.once('close', (code, ended) => {
      const exit = { code: code ?? 128 + system.signals[ended ?? 'SIGKILL'], signal: ended };
      const failure = failureFrom(report(), exit.code);
      const end = (better?: VmError): void => {
        if (signal?.aborted === true) reject(signal.reason);
        else if (better !== undefined || failure !== undefined) reject(better ?? failure);
        else resolve(exit);
      };
      // Who ended the launcher with `kill` knows why.
      if (causes === undefined || child.killed) end();
      else explainEnd(launcher, { exit, failure }, causes).then(end, () => end());
    });
  }).finally(() => signal?.removeEventListener('abort', abort));
}

function readReport(child: ChildProcess): () => string {
  let text = '';
  const stream = child.stdio[ERROR_FD] as Readable | null | undefined;
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    text = (text + chunk).slice(0, LONGEST_FAILURE);
  });
  stream?.on('error', () => {});
  return () => text;
}

/** A VM that nobody can wait for any more would run on unseen. */
function endWithThisProcess(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', endAll);
  running.add(child);
  const forget = (): void => {
    running.delete(child);
    if (running.size === 0) process.removeListener('exit', endAll);
  };
  child.once('exit', forget);
  child.once('error', forget);
}

function endAll(): void {
  for (const child of running) child.kill('SIGTERM');
}
