import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { $ } from 'zx';
import { REPOSITORY } from '../helpers/session.ts';
import { HOSTILE_VARIABLES } from './hostile.ts';

/** Two complete builds of the same inputs, made in different places and ways. */
export interface FullBuild {
  /** A monorepo with a3s-build installed from its own packed tarball, built from a sub-folder. */
  readonly monorepo: string;
  /** Size of its node_modules. */
  readonly installedBytes: number;
  /** Output folder of the monorepo's build: no compiler state from before, CI=true. */
  readonly installed: string;
  /** Output folder of the checkout's own build, with compiler state kept, and in a hostile environment. */
  readonly checkout: string;
  /** Store of the checkout's build. */
  readonly checkoutStore: string;
  readonly temporary: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    fullBuild: FullBuild;
  }
}

/** Makes both builds once for all files of the suite. `A3S_E2E_KEEP` keeps the folder for a look. */
export default async function setup(project: TestProject): Promise<() => void> {
  const temporary = mkdtempSync(join(tmpdir(), 'a3s-e2e-'));
  // A space, a letter outside ASCII and a quote: what people call their folders.
  const monorepo = join(temporary, "mono repo é'");
  await installFromTarball(monorepo, temporary);
  const installedBytes = Number((await $`du -sb ${join(monorepo, 'node_modules')}`).stdout.split('\t')[0]);

  const installed = join(monorepo, 'build');
  await build(join(monorepo, 'packages/app'), { CI: 'true', A3S_CACHE_DIR: join(temporary, 'store one') }, []);
  const checkout = join(temporary, 'out');
  const checkoutStore = join(temporary, 'store-two');
  await build(REPOSITORY, { CI: '', A3S_CACHE_DIR: checkoutStore, ...HOSTILE_VARIABLES }, ['--out', checkout]);

  process.env['A3S_BOOT_PREFIX'] = join(installed, 'linux-x64/prefix');
  project.provide('fullBuild', { monorepo, installedBytes, installed, checkout, checkoutStore, temporary });
  return () => {
    if (process.env['A3S_E2E_KEEP'] === undefined) rmSync(temporary, { recursive: true, force: true });
    else console.log(`kept: ${temporary}`);
  };
}

async function installFromTarball(monorepo: string, temporary: string): Promise<void> {
  const packed = await $({ cwd: REPOSITORY })`npm pack --ignore-scripts --json --pack-destination ${temporary}`;
  const [entry] = JSON.parse(packed.stdout) as [{ filename: string }];
  mkdirSync(join(monorepo, 'packages/app'), { recursive: true });
  cpSync(join(temporary, entry.filename), join(monorepo, 'a3s-build.tgz'));
  const root = {
    name: 'mono',
    private: true,
    workspaces: ['packages/*'],
    devDependencies: { 'a3s-build': 'file:a3s-build.tgz' },
  };
  writeFileSync(join(monorepo, 'package.json'), JSON.stringify(root));
  writeFileSync(join(monorepo, 'packages/app/package.json'), JSON.stringify({ name: 'app', version: '1.0.0' }));
  await $({ cwd: monorepo })`npm install --engine-strict --no-audit --no-fund`;
}

async function build(cwd: string, variables: Record<string, string>, args: readonly string[]): Promise<void> {
  const env = { ...process.env, ...variables };
  const began = Date.now();
  const result = await $({ cwd, env, nothrow: true })`npx --no-install a3s-build --reporter plain ${args}`;
  if (result.exitCode !== 0)
    throw new Error(`the build in ${cwd} failed with exit code ${result.exitCode}:\n${result.stderr}`);
  console.log(`full build in ${cwd}: ${Math.round((Date.now() - began) / 1000)} s`);
}
