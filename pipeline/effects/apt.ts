import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { networkEnvironment } from '../plan/child-environment.ts';
import { BuildError } from '../plan/errors.ts';
import type { DebianPackage } from '../plan/sysroot-pins.ts';
import { type ProcessRequest, runProcess } from './process.ts';

/** How a download by apt is run. */
export interface AptRun {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly log: string;
}

/**
 * Has the system's apt download packages of another architecture, with its own sources, proxies and keys. Its lists stay
 * as they are: those of the other architecture are kept in the folder for as long as this takes.
 * @returns Why there are none, or undefined.
 */
export async function aptDownload(
  pins: readonly DebianPackage[],
  architecture: string,
  folder: string,
  run: AptRun,
): Promise<string | undefined> {
  const state = join(folder, 'apt');
  const [lists, cache] = [join(state, 'lists'), join(state, 'cache')];
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const options = [
    // Its sandbox user may not be able to write into the folder.
    'APT::Sandbox::User=root',
    `Dir::State::lists=${lists}`,
    `Dir::Cache=${cache}`,
    `APT::Architectures::=${architecture}`,
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
  const apt = (args: readonly string[]) => runProcess(request([...options, '-q', ...args], folder, run));
  try {
    const update = await apt(['update']);
    if (update.code !== 0) return `apt-get update failed: ${update.tail.at(-1) ?? 'no message'}`;
    const names = pins.map(({ name, version }) => `${name}:${architecture}=${version}`);
    const downloaded = await apt(['download', ...names]);
    if (downloaded.code === 0) return undefined;
    return downloaded.tail.find((line) => line.startsWith('E:')) ?? 'apt-get download failed';
  } catch (error) {
    if (error instanceof BuildError && error.code === 'A3S1201') return 'there is no apt-get on this system';
    throw error;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

function request(args: readonly string[], folder: string, { variables, signal, log }: AptRun): ProcessRequest {
  return {
    command: 'apt-get',
    args,
    cwd: folder,
    env: networkEnvironment(variables),
    log,
    signal,
    idleLimit: 300_000,
  };
}
