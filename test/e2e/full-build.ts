import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { $ } from 'zx';
import { readRegistryAccess } from '../../pipeline/effects/npm-registry.ts';
import { asNobody, CIRCUMSTANCES, NOBODY, nobodyVariables, underUmask } from '../../pipeline/plan/circumstances.ts';
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
  readonly airGap: AirGap;
}

export interface NetworkView {
  /** Names of network interfaces with an address. */
  readonly networks: readonly string[];
  /** How a request to the npm registry ended: `answered`, or an error code. */
  readonly request: string;
}

/** How the installed tool's build ran without network. */
export interface AirGap {
  /** What `a3s-build fetch` printed: from a machine that had none of it. */
  readonly fetched: string;
  /** The network as the build had it, and as it is outside. */
  readonly inside: NetworkView;
  readonly outside: NetworkView;
  /** Steps of which the store held a result when the build began. */
  readonly storedBefore: readonly string[];
  /** Whose its folder of tarballs was, and with which mode. */
  readonly owner: { readonly uid: number; readonly mode: number };
  readonly cargoHome: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    fullBuild: FullBuild;
  }
}

/** Makes both builds once for all files of the suite. `A3S_E2E_KEEP` keeps the folder for a look. */
export default async function setup(project: TestProject): Promise<() => void> {
  const temporary = mkdtempSync(join(tmpdir(), 'a3s-e2e-'));
  // One of the builds runs as another user, who must be able to go through it.
  chmodSync(temporary, 0o755);
  // A space, a letter outside ASCII and a quote: what people call their folders.
  const monorepo = join(temporary, "mono repo é'");
  await installFromTarball(monorepo, temporary);
  const installedBytes = Number((await $`du -sb ${join(monorepo, 'node_modules')}`).stdout.split('\t')[0]);

  const installed = join(monorepo, 'build');
  const airGap = await buildWithoutNetwork(monorepo, temporary);
  const checkout = join(temporary, 'out');
  const checkoutStore = join(temporary, 'store-two');
  const [{ umask, variables }] = CIRCUMSTANCES;
  // npx remembers where a checkout had its program; a new user's knows nothing yet.
  const own = { CI: '', A3S_CACHE_DIR: checkoutStore, npm_config_cache: join(temporary, 'npm') };
  const env = { ...own, ...variables, ...HOSTILE_VARIABLES };
  await build(REPOSITORY, env, ['--out', checkout], underUmask(umask, []));

  process.env['A3S_BOOT_PREFIX'] = join(installed, 'linux-x64/prefix');
  project.provide('fullBuild', { monorepo, installedBytes, installed, checkout, checkoutStore, temporary, airGap });
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

/**
 * Fetches into empty folders, takes away what was made on the way, and builds in a network namespace of its own, as
 * another user and under the other circumstances than those of the checkout's build.
 */
async function buildWithoutNetwork(monorepo: string, temporary: string): Promise<AirGap> {
  const cwd = join(monorepo, 'packages/app');
  const store = join(temporary, 'store one');
  const cargoHome = join(temporary, 'cargo-home');
  const home = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo');
  // Mirrors belong to the machine; crates do not.
  mkdirSync(cargoHome);
  if (existsSync(join(home, 'config.toml'))) cpSync(join(home, 'config.toml'), join(cargoHome, 'config.toml'));
  const variables = { CI: 'true', A3S_CACHE_DIR: store, CARGO_HOME: cargoHome };
  const { stdout: fetched } = await $({ cwd, env: { ...process.env, ...variables } })`npx --no-install a3s-build fetch`;
  rmSync(join(store, 'v1/results'), { recursive: true, force: true });
  const storedBefore = existsSync(join(store, 'v1/results')) ? readdirSync(join(store, 'v1/results')) : [];
  const { registry } = await readRegistryAccess('any', cwd, process.env);
  const look = [process.execPath, '-e', LOOK, registry];
  const outside = await $`${look}`;
  const inside = await $`${NO_NETWORK} ${look}`;
  const { uid, mode } = await buildAsNobody(cwd, variables, [monorepo, store, cargoHome], temporary);
  const seen = { inside: JSON.parse(inside.stdout), outside: JSON.parse(outside.stdout) };
  return { fetched, ...seen, storedBefore, cargoHome, owner: { uid, mode: mode & 0o777 } };
}

/** Builds as `nobody`, to whom the folders belong meanwhile. */
async function buildAsNobody(
  cwd: string,
  variables: Record<string, string>,
  folders: readonly string[],
  temporary: string,
): Promise<{ readonly uid: number; readonly mode: number }> {
  const [, other] = CIRCUMSTANCES;
  const [home, rust] = [join(temporary, 'nobody'), join(temporary, 'rust')];
  mkdirSync(home);
  mkdirSync(rust);
  const all = [...folders, home];
  const sysroot = (await $`rustc --print sysroot`).stdout.trim();
  const wrapper = [...NO_NETWORK, ...asNobody(sysroot, rust, underUmask(other.umask, []))];
  const own = nobodyVariables(rust, home, process.env['PATH'] ?? '');
  // The folder for temporary files of whoever runs the tests may be theirs alone.
  const env = { ...variables, ...other.variables, ...own, TMPDIR: home };
  await $`chown -R ${NOBODY}:${NOBODY} ${all}`;
  await build(cwd, env, ['--offline'], wrapper);
  // The fetch before, as root, made the folder around it.
  const made = statSync(join(cwd, '../../build/npm'));
  await $`chown -R 0:0 ${all}`;
  return made;
}

const NO_NETWORK = ['unshare', '--net', '--'];

/** Prints which networks there are, and how a request to the registry ends. */
const LOOK = `const networks = Object.keys(require('node:os').networkInterfaces());
  fetch(process.argv[1]).then(() => 'answered', (error) => error.cause?.code ?? String(error)).then((request) =>
    console.log(JSON.stringify({ networks, request })))`;

async function build(
  cwd: string,
  variables: Record<string, string>,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<void> {
  const env = { ...process.env, ...variables };
  const began = Date.now();
  const result = await $({ cwd, env, nothrow: true })`${wrapper} npx --no-install a3s-build --reporter plain ${args}`;
  if (result.exitCode !== 0)
    throw new Error(`the build in ${cwd} failed with exit code ${result.exitCode}:\n${result.stderr}`);
  console.log(`full build in ${cwd}: ${Math.round((Date.now() - began) / 1000)} s`);
}
