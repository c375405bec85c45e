import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { findCrossTools } from '../effects/cross-tools.ts';
import { type DigestCache, openDigestCache } from '../effects/digests.ts';
import { readPins, readPlanFacts } from '../effects/inputs-on-disk.ts';
import { findProject, findTool, storeFolder } from '../effects/project.ts';
import { openStore, type Store } from '../effects/store.ts';
import { cargoHome, openToolchain, type Toolchain } from '../effects/toolchain.ts';
import { openWellFormed } from '../effects/well-formed.ts';
import { assemblePlan, digestOf, toolQuestions } from '../plan/assemble.ts';
import { type Config, resolveConfig } from '../plan/config.ts';
import { readEnvironment } from '../plan/environment.ts';
import { buildError } from '../plan/errors.ts';
import type { Flags } from '../plan/flags.ts';
import type { Pins } from '../plan/pins.ts';
import type { PlanFacts } from '../plan/step-definition.ts';
import type { Plan } from '../plan/steps.ts';
import type { SystemCandidate } from '../plan/system-libkrun.ts';
import { type LastRun, openLastRun } from '../run/last-run.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Where a command is started; taken from the process by the command line, given by callers of the functions. */
export interface Surroundings {
  readonly cwd: string;
  readonly variables: Variables;
}

/** Where a command prints: data to one, everything else to the other. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/** Options that every command has. */
export interface CommonOptions extends Flags {
  /** Configuration file instead of the one found upwards. */
  readonly config?: string | undefined;
}

/** Everything that is settled before a command does its work. */
export interface Session {
  readonly config: Config;
  readonly pins: Pins;
  readonly facts: PlanFacts;
  readonly plan: Plan;
  readonly store: Store;
  readonly digests: DigestCache;
  readonly toolchain: Toolchain;
  readonly lastRun: LastRun;
  readonly variables: Variables;
}

/**
 * For commands that need what stub mode leaves out.
 * @throws BuildError A3S1501 in stub mode.
 */
export function refuseStub(command: string, { variables }: Surroundings): void {
  if (!readEnvironment(variables).stub) return;
  throw buildError('A3S1501', { message: `a3s-build ${command} does not work in stub mode` });
}

/** @throws BuildError for configuration, environment or options that cannot be used. */
export async function openConfig(options: CommonOptions, surroundings: Surroundings): Promise<Config> {
  const { config, known } = await configure(options, surroundings);
  await known.save();
  return config;
}

/** The configuration, and the documents that were found well-formed, not saved yet. */
async function configure(options: CommonOptions, { cwd, variables }: Surroundings) {
  const environment = readEnvironment(variables);
  const tool = findTool();
  const store = storeFolder(environment.cacheDir, cwd);
  const known = await openWellFormed(tool.version, store);
  const project = await findProject(cwd, options.config, known);
  const config = resolveConfig({
    flags: options,
    environment,
    file: project.file,
    filePath: project.path,
    roots: { project: project.root, tool: tool.root, store },
    toolVersion: tool.version,
    machine: { platform: process.platform, arch: process.arch, cores: availableParallelism() },
    resolvePath: resolve,
    cwd,
  });
  return { config, known };
}

/** @throws BuildError for configuration, pins, environment or options that cannot be used. */
export async function openSession(options: CommonOptions, surroundings: Surroundings): Promise<Session> {
  const { variables } = surroundings;
  const { config, known } = await configure(options, surroundings);
  const toolchain = openToolchain(config.projectRoot, variables);
  // Asked before anything is read: the answers arrive while files are being looked at.
  const tools = await findCrossTools(config, variables, toolchain);
  for (const { command, args } of toolQuestions(config, tools)) void toolchain.ask(command, args);
  const store = openStore(config.storeDir);
  const lastRun = await openLastRun(store, config);
  const pins = await readPins(config, known);
  await known.save();
  const facts = {
    ...readPlanFacts(config, cargoHome(variables)),
    tools,
    system: config.systemLibkrun ? await lookForSystemLibkrun(config, variables) : [],
  };
  const plan = assemblePlan(config, pins, facts);
  const rows = join(store.root, 'v1', 'digests', `${digestOf([config.projectRoot, config.outDir]).slice(0, 32)}.json`);
  const digests = openDigestCache(rows, !config.pristine);
  return { config, pins, facts, plan, store, digests, toolchain, lastRun, variables };
}

/** Loaded only where it is asked for. */
async function lookForSystemLibkrun(config: Config, variables: Variables): Promise<readonly SystemCandidate[]> {
  return (await import('../effects/system-libkrun.ts')).findSystemLibkrun(config, variables);
}
