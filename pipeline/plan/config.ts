import * as z from 'zod/mini';
import { parseDocument } from './document.ts';
import type { Environment } from './environment.ts';
import { buildError } from './errors.ts';
import { exactVersion, packageName } from './fields.ts';
import type { Flags } from './flags.ts';
import { unknownWord } from './nearest.ts';
import type { FirmwareProvider } from './pins.ts';
import type { StepId } from './steps.ts';
import { STEP_IDS } from './steps.ts';
import { hostTarget, type Target, targetByName } from './targets.ts';

const configFile = z.strictObject({
  $schema: z.optional(z.string()),
  /** The npm packages to make. Platform packages take the name plus a suffix such as `-linux-x64-gnu`. */
  package: z.optional(z.strictObject({ name: z.optional(packageName), version: z.optional(exactVersion) })),
  /** Provider of the guest kernel. */
  firmware: z.optional(z.enum(['npm', 'github'])),
  /** Folder of libkrun's source, relative to the configuration file. */
  libkrunDir: z.optional(z.string().check(z.minLength(1))),
  /** Output folder, relative to the configuration file. */
  out: z.optional(z.string().check(z.minLength(1))),
  /** Jobs at a time, over all compilers. */
  jobs: z.optional(z.int().check(z.minimum(1), z.maximum(1024))),
});

export type ConfigFile = z.infer<typeof configFile>;

/** Everything a run depends on, settled. Paths are absolute. */
export interface Config {
  readonly toolVersion: string;
  readonly target: Target;
  readonly host: Target;
  readonly projectRoot: string;
  readonly toolRoot: string;
  readonly outDir: string;
  readonly storeDir: string;
  readonly package: { readonly name: string; readonly version: string };
  readonly firmware: FirmwareProvider;
  /** Tree named by the user; undefined to take `vendor/libkrun` of the project, else the pinned crate. */
  readonly libkrunDir: string | undefined;
  readonly jobs: number;
  readonly only: readonly StepId[];
  readonly force: boolean;
  readonly offline: boolean;
  /** Hash every input instead of trusting unchanged file times, and keep no incremental compiler state. */
  readonly pristine: boolean;
  readonly environment: Environment;
}

export interface ConfigSources {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly file: ConfigFile;
  readonly roots: { readonly project: string; readonly tool: string; readonly store: string };
  readonly toolVersion: string;
  readonly machine: { readonly platform: string; readonly arch: string; readonly cores: number };
  /** Resolves a path of the user's against a folder; passed in because this module does no I/O. */
  readonly resolvePath: (base: string, path: string) => string;
  readonly cwd: string;
}

/**
 * @param field Name of the field that holds the configuration in somebody else's file.
 * @throws BuildError A3S1101 with line and column.
 */
export function parseConfigFile(text: string, file: string, field?: string): ConfigFile {
  return parseDocument(text, file, configFile, 'A3S1101', field);
}

/**
 * Settles every value: flag, then environment, then configuration file, then default.
 * @throws BuildError A3S1001, A3S1002, A3S1003, A3S1004 for values that cannot be used.
 */
export function resolveConfig(sources: ConfigSources): Config {
  const { flags, environment, file, roots, machine, resolvePath, cwd } = sources;
  const host = hostTarget(machine.platform, machine.arch);
  const target = flags.target === undefined ? host : targetByName(flags.target, host);
  if (target.id !== host.id) {
    throw buildError('A3S1004', { message: `${target.id} cannot be built on ${host.id} yet` });
  }
  if (environment.stub) {
    throw buildError('A3S1103', {
      message: 'A3S_DEPS_STUB is set, and this version has no stub mode yet',
      fix: 'Unset A3S_DEPS_STUB to build the real libraries.',
    });
  }
  const fromFile = (path: string | undefined) => (path === undefined ? undefined : resolvePath(roots.project, path));
  const fromFlag = (path: string | undefined) => (path === undefined ? undefined : resolvePath(cwd, path));
  return Object.freeze({
    toolVersion: sources.toolVersion,
    target,
    host,
    projectRoot: roots.project,
    toolRoot: roots.tool,
    storeDir: roots.store,
    outDir: fromFlag(flags.out) ?? fromFile(file.out) ?? resolvePath(roots.project, 'build'),
    package: { name: file.package?.name ?? '@a3s-lab/libkrun', version: file.package?.version ?? sources.toolVersion },
    firmware: providerByName(flags.firmware ?? environment.firmware) ?? file.firmware ?? 'npm',
    libkrunDir: fromFlag(flags.libkrunDir) ?? fromFile(file.libkrunDir),
    jobs: flags.jobs ?? file.jobs ?? machine.cores,
    only: (flags.only ?? []).map(stepByName),
    force: flags.force ?? false,
    offline: (flags.offline ?? false) || environment.offline,
    pristine: environment.ci,
    environment: {
      ...environment,
      firmwareFile: fromFlag(environment.firmwareFile),
      initFile: fromFlag(environment.initFile),
    },
  });
}

function providerByName(name: string | undefined): FirmwareProvider | undefined {
  if (name === undefined || name === 'npm' || name === 'github') return name;
  throw buildError('A3S1001', { message: unknownWord('firmware provider', name, ['npm', 'github']) });
}

function stepByName(name: string): StepId {
  const id = STEP_IDS.find((step) => step === name);
  if (id !== undefined) return id;
  throw buildError('A3S1001', { message: unknownWord('step', name, STEP_IDS) });
}
