import type { ConfigFile } from './config-file.ts';
import type { Environment } from './environment.ts';
import { buildError } from './errors.ts';
import type { Flags } from './flags.ts';
import { unknownWord } from './nearest.ts';
import type { FirmwareProvider } from './pins.ts';
import type { StepId } from './steps.ts';
import { STEP_IDS } from './steps.ts';
import { hostTarget, type Target, targetByName } from './targets.ts';

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
  /** Headers to bind besides libkrun's own. */
  readonly headers: readonly string[];
  /** Take a libkrun of this system instead of building one. */
  readonly systemLibkrun: boolean;
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
    firmware:
      providerByName(flags.firmware, 'A3S1001') ??
      providerByName(environment.firmware, 'A3S1103') ??
      file.firmware ??
      'npm',
    libkrunDir: fromFlag(flags.libkrunDir) ?? fromFile(file.libkrunDir),
    headers: (flags.header ?? []).map((path) => resolvePath(cwd, path)),
    systemLibkrun: environment.useSystemLibkrun && !environment.buildLibkrun && !environment.stub,
    jobs: flags.jobs ?? file.jobs ?? machine.cores,
    only: (flags.only ?? []).map(stepByName),
    force: flags.force ?? false,
    offline: (flags.offline ?? false) || environment.offline,
    pristine: environment.ci,
    environment: {
      ...environment,
      firmwareFile: fromFlag(environment.firmwareFile),
      initFile: fromFlag(environment.initFile),
      libclangPath: fromFlag(environment.libclangPath),
    },
  });
}

function providerByName(name: string | undefined, code: 'A3S1001' | 'A3S1103'): FirmwareProvider | undefined {
  if (name === undefined || name === 'npm' || name === 'github') return name;
  throw buildError(code, { message: unknownWord('firmware provider', name, ['npm', 'github']) });
}

function stepByName(name: string): StepId {
  const id = STEP_IDS.find((step) => step === name);
  if (id !== undefined) return id;
  throw buildError('A3S1001', { message: unknownWord('step', name, STEP_IDS) });
}
