import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootInEmulation, type Emulation, quote } from './emulation.ts';
import { placeBusybox, withFolder } from './file-tree.ts';
import { runProgram } from './process.ts';

/** Where a microVM really ran: on this machine's own KVM, or on that of an emulated host. */
export type Via = 'kvm' | 'emulation';

/** A microVM whose root is a throw-away busybox system; the fields are those of the launcher's description. */
export interface VmRequest {
  readonly command: string;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly vcpus?: number;
  readonly memoryMib?: number;
  readonly logLevel?: string;
}

export interface VmResult {
  readonly via: Via;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the launcher wrote to --error-fd, if it failed itself. */
  readonly failure: LauncherFailure | undefined;
}

export interface LauncherFailure {
  readonly code: string;
  readonly message: string;
}

/** A KVM that works has a guest running in less than a second; one that does not takes some ten to give up. */
const TRIAL_MS = 5000;
const TRIAL_EXIT_CODE = 42;
const GUEST_FILES = { prefix: '/prefix', description: '/vm.json' } as const;

/**
 * Finds out by starting a VM from `prefix` (holding bin/krun-launcher and lib/) whether this machine's KVM runs guests.
 */
export async function whereToBoot(prefix: string, emulation: Emulation): Promise<Via> {
  const trial = { command: '/bin/sh', arguments: ['-c', `exit ${TRIAL_EXIT_CODE}`] };
  const result = await bootDirectly(prefix, emulation, trial, TRIAL_MS).catch(() => undefined);
  return result?.exitCode === TRIAL_EXIT_CODE ? 'kvm' : 'emulation';
}

/**
 * Boots one microVM from `prefix` through the launcher.
 * @throws Error when it takes longer than `timeoutMs`.
 */
export async function bootVm(
  prefix: string,
  emulation: Emulation,
  via: Via,
  vm: VmRequest,
  timeoutMs: number,
): Promise<VmResult> {
  if (via === 'emulation') return bootEmulated(prefix, emulation, vm, timeoutMs);
  const result = await bootDirectly(prefix, emulation, vm, timeoutMs);
  if (result === undefined) throw new Error(`the VM was not done after ${timeoutMs} ms`);
  return result;
}

async function bootDirectly(
  prefix: string,
  emulation: Emulation,
  vm: VmRequest,
  timeoutMs: number,
): Promise<VmResult | undefined> {
  return withFolder(emulation.workdir, 'vm', async (folder) => {
    const root = join(folder, 'root');
    await placeBusybox(root, emulation);
    const description = join(folder, 'vm.json');
    await writeFile(description, JSON.stringify({ ...vm, root }));
    const errors = join(folder, 'error.json');
    const command = `exec ${launcher(prefix, description)} --error-fd 9 9>${quote(errors)} </dev/null`;
    const ended = await runProgram('/bin/sh', ['-c', `${command}`], { timeoutMs });
    if (ended.code === undefined) return undefined;
    const failure = parseFailure((await runProgram('/bin/cat', [errors], { timeoutMs: 5000 })).stdout);
    return { via: 'kvm', exitCode: ended.code, stdout: ended.stdout, stderr: ended.stderr, failure };
  });
}

async function bootEmulated(prefix: string, emulation: Emulation, vm: VmRequest, timeoutMs: number): Promise<VmResult> {
  return withFolder(emulation.workdir, 'vm', async (folder) => {
    const description = join(folder, 'vm.json');
    await writeFile(description, JSON.stringify({ ...vm, root: '/guest' }));
    const command = [
      `${launcher(GUEST_FILES.prefix, GUEST_FILES.description)} --error-fd 9 9>/tmp/error >/tmp/stdout 2>/tmp/stderr`,
      'code=$?',
      // One line each: nothing that the kernel writes to the console in between can be taken for output.
      'for stream in stdout stderr error; do echo "$stream $(wc -c </tmp/$stream) $(base64 -w 0 /tmp/$stream)"; done',
      'exit $code',
    ].join('\n');
    const files = [
      { hostPath: prefix, guestPath: GUEST_FILES.prefix },
      { hostPath: description, guestPath: GUEST_FILES.description },
    ];
    const { output, exitCode } = await bootInEmulation(emulation, { files, command, timeoutMs });
    const stream = (name: string) => decodeStream(output, name);
    const failure = parseFailure(stream('error'));
    return { via: 'emulation', exitCode, stdout: stream('stdout'), stderr: stream('stderr'), failure };
  });
}

function decodeStream(output: string, name: string): string {
  const [, size, text = ''] = new RegExp(`^${name} (\\d+) (\\S*)$`, 'm').exec(output) ?? [];
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== Number(size)) throw new Error(`${name} came damaged out of the emulated host:\n${output}`);
  return bytes.toString('utf8');
}

function launcher(prefix: string, description: string): string {
  return `${quote(join(prefix, 'bin/krun-launcher'))} --description ${quote(description)}`;
}

function parseFailure(text: string): LauncherFailure | undefined {
  return text === '' ? undefined : (JSON.parse(text) as LauncherFailure);
}
