import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { LocalRegistry } from '../helpers/npm-registry.ts';
import {
  bareEnvironment,
  makeConsumer,
  NODES,
  nodeProgram,
  ROOT_PACKAGE,
  runIn,
  runtime,
  serveBuild,
} from './consumer.ts';

const { installed, temporary } = inject('fullBuild');

/** Uses every door into the package: ESM and CommonJS, a function and constants, and the subpath. */
const USE = `
import { createRequire } from 'node:module';
import { raw, run } from '${ROOT_PACKAGE}';
import { KRUN_LOG_LEVEL_TRACE, krunCreateCtx, krunFreeCtx } from '${ROOT_PACKAGE}/raw';
const id = krunCreateCtx();
krunFreeCtx(id);
const same = createRequire(import.meta.url)('${ROOT_PACKAGE}').raw === raw;
console.log(typeof run, id >= 0, raw.KRUN_LOG_LEVEL_TRACE, KRUN_LOG_LEVEL_TRACE, same);
`;
const USED = 'function true 5 5 true';

let registry: LocalRegistry;
beforeAll(async () => {
  registry = await serveBuild(installed);
});
afterAll(() => registry.close());

interface Manager {
  readonly name: string;
  readonly files?: (registry: string) => Readonly<Record<string, string>>;
  readonly install: () => readonly string[];
  /** Starts `use.mjs`. */
  readonly start: () => readonly string[];
}

const node = (): string => nodeProgram('20');
const yarnSettings = (linker: string) => (registry: string) => ({
  'yarn.lock': '',
  '.yarnrc.yml': [
    `npmRegistryServer: '${registry}'`,
    "unsafeHttpWhitelist: ['127.0.0.1']",
    `nodeLinker: ${linker}`,
    'enableGlobalCache: false',
    'enableTelemetry: false',
    '',
  ].join('\n'),
});
const yarn = () => [node(), runtime('yarn/bin/yarn.js'), 'install', '--no-immutable'];

const MANAGERS: readonly Manager[] = [
  { name: 'npm', install: () => ['npm', 'install'], start: () => [node(), 'use.mjs'] },
  { name: 'pnpm', install: () => [node(), runtime('pnpm/bin/pnpm.cjs'), 'install'], start: () => [node(), 'use.mjs'] },
  {
    name: 'Yarn with node_modules',
    files: yarnSettings('node-modules'),
    install: yarn,
    start: () => [node(), 'use.mjs'],
  },
  {
    name: "Yarn Plug'n'Play",
    files: yarnSettings('pnp'),
    install: yarn,
    start: () => [node(), '--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs', 'use.mjs'],
  },
  { name: 'Bun', install: () => [runtime('bun/bin/bun'), 'install'], start: () => [runtime('bun/bin/bun'), 'use.mjs'] },
  {
    name: 'Deno',
    install: () => [runtime('deno/deno'), 'install'],
    start: () => [runtime('deno/deno'), 'run', '--allow-all', 'use.mjs'],
  },
];

describe('the packages, installed from a registry', () => {
  it.each(MANAGERS)('load and work with $name', async ({ files, install, start }) => {
    const folder = mkdtempSync(join(temporary, 'consumer-'));
    makeConsumer(folder, { 'use.mjs': USE, ...files?.(registry.url) });
    await runIn(folder, install(), bareEnvironment(folder, registry.url));
    // The registry is out of reach now: nothing may be fetched at the first start.
    expect(await runIn(folder, start(), bareEnvironment(folder))).toBe(USED);
  });
});

describe('the packages, installed by npm', () => {
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(temporary, 'nodes-'));
    makeConsumer(folder, { 'use.mjs': USE });
    await runIn(folder, ['npm', 'install'], bareEnvironment(folder, registry.url));
  });

  it.each(NODES)('load and work in Node %s', async (line) => {
    const env = bareEnvironment(folder);
    expect(await runIn(folder, [nodeProgram(line), '-p', 'process.versions.node'], env)).toMatch(
      new RegExp(`^${line}\\.`),
    );
    expect(await runIn(folder, [nodeProgram(line), 'use.mjs'], env)).toBe(USED);
  });
});
