import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openDigestCache } from '../../pipeline/effects/digests.ts';
import { openStore } from '../../pipeline/effects/store.ts';
import { openToolchain } from '../../pipeline/effects/toolchain.ts';
import { type Config, resolveConfig } from '../../pipeline/plan/config.ts';
import { NO_CROSS_TOOLS } from '../../pipeline/plan/cross-tools.ts';
import { readEnvironment } from '../../pipeline/plan/environment.ts';
import type { Flags } from '../../pipeline/plan/flags.ts';
import type { Pins } from '../../pipeline/plan/pins.ts';
import type { StepId } from '../../pipeline/plan/steps.ts';
import type { RunEnvironment, RunEvent } from '../../pipeline/run/engine.ts';
import { openLastRun } from '../../pipeline/run/last-run.ts';
import type { RunStep } from '../../pipeline/steps/step.ts';

/** The repository that the tests belong to: tool root of every test. */
export const REPOSITORY = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

/** A fresh folder, and what removes it. */
export function makeFolder(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A configuration for a project and a store below `folder`, on a linux-x64 machine with two cores. */
export function testConfig(folder: string, flags: Flags = {}, variables: Record<string, string> = {}): Config {
  return resolveConfig({
    flags,
    environment: readEnvironment(variables),
    file: {},
    filePath: join(folder, 'project/a3s-build.config.json'),
    roots: { project: join(folder, 'project'), tool: REPOSITORY, store: join(folder, 'store') },
    toolVersion: '1.2.3',
    machine: { platform: 'linux', arch: 'x64', cores: 2 },
    resolvePath: resolve,
    cwd: folder,
  });
}

/** What a plan needs to run with steps of the test's own. */
export async function testEnvironment(
  config: Config,
  runners: Partial<Record<StepId, RunStep>>,
  overrides: Partial<RunEnvironment> = {},
): Promise<RunEnvironment & { readonly events: RunEvent[] }> {
  const store = openStore(config.storeDir);
  const events: RunEvent[] = [];
  const missing = (): Promise<RunStep> => Promise.reject(new Error('the test gave no runner for this step'));
  const table = new Proxy({} as RunEnvironment['runners'], {
    get: (_target, id: StepId) => (runners[id] === undefined ? missing : async () => runners[id]),
  });
  return {
    config,
    pins: {} as Pins,
    source: { kind: 'crate' },
    system: [],
    tools: NO_CROSS_TOOLS,
    variables: {},
    store,
    digests: openDigestCache(join(config.storeDir, 'digests.json'), false),
    toolchain: openToolchain(config.storeDir, {}),
    lastRun: await openLastRun(store, config),
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    events,
    beforeBuilding: async () => {},
    runners: table,
    ...overrides,
  };
}
