import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { type LocalRegistry, serveRegistry } from '../helpers/npm-registry.ts';

/** The name under which the repository packs, which has no configuration. */
export const ROOT_PACKAGE = '@a3s-lab/libkrun';

/** What ci/install-runtimes.sh installs. */
const RUNTIMES = join(process.env['A3S_RUNTIMES'] ?? join(tmpdir(), 'a3s-runtimes'), 'node_modules');

/** Oldest and newest line, those between that are maintained, and one that is too old. */
export const NODES = ['20', '22', '24', '26'] as const;
export const TOO_OLD_NODE = '18';

/** A program of the runtimes, by its path below their folder. */
export function runtime(path: string): string {
  const file = join(RUNTIMES, path);
  if (!existsSync(file)) throw new Error(`${file} is missing: run ci/install-runtimes.sh`);
  return file;
}

export function nodeProgram(line: string): string {
  return runtime(`node-${line}/bin/node`);
}

/** A registry with the tarballs of a build, and nothing else. */
export function serveBuild(installed: string): Promise<LocalRegistry> {
  const folder = join(installed, 'npm');
  return serveRegistry(readdirSync(folder).map((name) => join(folder, name)));
}

/** A project that depends on the root package, with nothing installed yet. */
export function makeConsumer(folder: string, files: Readonly<Record<string, string>> = {}): void {
  mkdirSync(join(folder, 'home'), { recursive: true });
  const manifest = { name: 'consumer', private: true, dependencies: { [ROOT_PACKAGE]: '*' } };
  for (const [name, text] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files }))
    writeFileSync(join(folder, name), text);
}

/** A copy of a consumer, whose files may be replaced, but not changed: their bytes are shared. */
export async function copyConsumer(from: string, to: string): Promise<void> {
  await $`cp -al ${from} ${to}`;
}

/** Nothing of this machine's package managers: the registry is the only setting, and caches are the test's own. */
export function bareEnvironment(folder: string, registry = 'http://127.0.0.1:1/'): Readonly<Record<string, string>> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    npm_config_registry: registry,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    // Deno and Bun have names of their own for it.
    NPM_CONFIG_REGISTRY: registry,
    BUN_CONFIG_REGISTRY: registry,
    NO_COLOR: '1',
    DENO_NO_UPDATE_CHECK: '1',
  };
}

/** Runs a program in the consumer's folder, and returns what it prints; failures carry all of it. */
export async function runIn(
  folder: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { exitCode, stdout, stderr } = await $({ cwd: folder, env, nothrow: true, quiet: true })`${command}`;
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return stdout.trim();
}

/** Copies the installed files of one package to another place in a consumer. */
export function placePackage(consumer: string, from: string, to: string): void {
  cpSync(join(consumer, 'node_modules', from), join(consumer, to), { recursive: true });
}
