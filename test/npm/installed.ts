import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VmConfig } from '../../native/npm/api.ts';
import type { Via } from '../boot/boot-vm.ts';
import { bootInEmulation, type Emulation, quote } from '../boot/emulation.ts';
import { placeBusybox, withFolder } from '../boot/file-tree.ts';
import { query, runProgram } from '../boot/process.ts';

/** How a VM that `run()` started ended, as told by the Node process that called it. */
export interface RunResult {
  /** Undefined when `run` failed. */
  readonly code?: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What `run` threw or rejected with. */
  readonly failure?: { readonly name: string; readonly code: string; readonly message: string };
}

/** Installs tarballs into a fresh project in `folder`, without network and without npm's cache. */
export async function installOffline(tarballs: readonly string[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"name":"installed","version":"1.0.0","private":true}\n');
  const cache = join(folder, '.npm-cache');
  await query('npm', ['install', '--offline', '--cache', cache, '--no-audit', '--no-fund', ...tarballs], folder);
}

/** The program that calls `run()`: prints one line, which nothing else on a console can be taken for. */
const PROGRAM = `
import { text } from 'node:stream/consumers';
const [name, root, request] = process.argv.slice(2);
const { run } = await import(name);
const result = { stdout: '', stderr: '' };
try {
  const vm = run({ ...JSON.parse(request), root }, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  [result.stdout, result.stderr] = await Promise.all([text(vm.stdout), text(vm.stderr)]);
  result.code = await vm;
} catch ({ name, code, message }) {
  result.failure = { name, code, message };
}
console.log('run-result ' + Buffer.from(JSON.stringify(result)).toString('base64'));
`;

/**
 * Boots a microVM from a Node process that imports the root package installed in `project` and calls `run()`.
 * @param name Name of the root package.
 * @throws Error when the process prints no result, or takes longer than `timeoutMs`.
 */
export async function bootThroughRun(
  project: string,
  name: string,
  where: { readonly emulation: Emulation; readonly via: Via; readonly timeoutMs: number },
  vm: Omit<VmConfig, 'root'>,
): Promise<RunResult> {
  const { emulation, via, timeoutMs } = where;
  await writeFile(join(project, 'run.mjs'), PROGRAM);
  if (via === 'emulation') {
    const files = [{ hostPath: project, guestPath: '/project' }];
    const words = [name, '/guest', JSON.stringify(vm)].map(quote);
    const command = `node /project/run.mjs ${words.join(' ')}`;
    const { output } = await bootInEmulation(emulation, { files, command, needsNode: true, timeoutMs });
    return readResult(output);
  }
  return withFolder(emulation.workdir, 'run', async (folder) => {
    const root = join(folder, 'root');
    await placeBusybox(root, emulation.busybox);
    const args = [join(project, 'run.mjs'), name, root, JSON.stringify(vm)];
    const { stdout, stderr } = await runProgram(process.execPath, args, { timeoutMs });
    return readResult(`${stdout}\n${stderr}`);
  });
}

function readResult(output: string): RunResult {
  const line = /^run-result (\S+)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`the program that calls run() told no result:\n${output.slice(-4000)}`);
  return JSON.parse(Buffer.from(line, 'base64').toString('utf8')) as RunResult;
}
