import { dirname } from 'node:path';
import type { ConfigFile, ConfigOverride } from './config-file.ts';
import { type ByTarget, type Environment, variableFor } from './environment.ts';
import { buildError, type FailurePlace } from './errors.ts';
import type { Flags } from './flags.ts';
import { settleGlibc, settleLinkers } from './link-settings.ts';
import { unknownWord } from './nearest.ts';
import type { FirmwareProvider } from './pins.ts';
import type { StepId } from './steps.ts';
import { STEP_IDS } from './steps.ts';
import { hostTarget, stubTarget, type Target, targetsByName } from './targets.ts';

/** Everything a run depends on, settled. Paths are absolute. */
export interface Config {
  readonly toolVersion: string;
  /**
   * What a step that is done for each target is for; the first of `targets` elsewhere. In stub mode, which makes the same
   * for all targets, a stand-in: the machine's own where it is one.
   */
  readonly target: Target;
  /** All that are built, at least one, each once. */
  readonly targets: readonly [Target, ...Target[]];
  readonly host: Target;
  readonly projectRoot: string;
  /** Where the project's configuration stands, or would stand. */
  readonly configFile: string;
  readonly toolRoot: string;
  readonly outDir: string;
  readonly storeDir: string;
  readonly package: { readonly name: string; readonly version: string; readonly repository?: string };
  readonly firmware: FirmwareProvider;
  /** What is named to link for a target: a command, or `zig`. */
  readonly linkers: ByTarget<string>;
  /** Release of glibc to link for; null to take what the linker does. */
  readonly glibc: string | null;
  /** Where Debian's packages are, as far as the user says. */
  readonly debian: {
    readonly mirror: string | undefined;
    readonly snapshot: string | undefined;
    readonly folder: string | undefined;
  };
  /** Tree named by the user; undefined to take `vendor/libkrun` of the project, else the pinned crate. */
  readonly libkrunDir: string | undefined;
  /** Headers to bind besides libkrun's own. */
  readonly headers: readonly HeaderPath[];
  /** What the project says of functions whose headers do not. */
  readonly overrides: readonly (ConfigOverride & { readonly place: FailurePlace })[];
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

/** A header of the user's. */
export interface HeaderPath {
  readonly path: string;
  /** The folder that it must be in, also after links are followed: a link must not bring in any file of the machine. */
  readonly root: string;
}

export interface ConfigSources {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly file: ConfigFile;
  readonly filePath: string;
  readonly roots: { readonly project: string; readonly tool: string; readonly store: string };
  readonly toolVersion: string;
  readonly machine: { readonly platform: string; readonly arch: string; readonly cores: number };
  /** Resolves a path of the user's against a folder; passed in because this module does no I/O. */
  readonly resolvePath: (base: string, path: string) => string;
  readonly cwd: string;
}

/**
 * Settles every value: flag, then environment, then configuration file, then default. In stub mode any machine will do,
 * and whatever target is named changes nothing.
 * @throws BuildError A3S1001, A3S1002, A3S1003, A3S1007 and A3S1008 for values that cannot be used; A3S1005 and A3S1006
 *   for ones that several targets cannot share.
 */
export function resolveConfig(sources: ConfigSources): Config {
  const { flags, environment, file, roots, machine, resolvePath, cwd } = sources;
  const { host, targets } = settleTargets(flags.target, environment.stub, machine);
  const fromFile = (path: string | undefined) => (path === undefined ? undefined : resolvePath(roots.project, path));
  const fromFlag = (path: string | undefined) => (path === undefined ? undefined : resolvePath(cwd, path));
  const config: Config = {
    toolVersion: sources.toolVersion,
    target: targets[0],
    targets,
    host,
    projectRoot: roots.project,
    configFile: sources.filePath,
    toolRoot: roots.tool,
    storeDir: roots.store,
    outDir: fromFlag(flags.out) ?? fromFile(file.out) ?? resolvePath(roots.project, 'build'),
    package: {
      name: file.package?.name ?? '@a3s-lab/libkrun',
      version: file.package?.version ?? sources.toolVersion,
      ...(file.package?.repository === undefined ? {} : { repository: file.package.repository }),
    },
    firmware:
      providerByName(flags.firmware, 'A3S1001') ??
      providerByName(environment.firmware, 'A3S1103') ??
      file.firmware ??
      'npm',
    ...linkSettings(flags, environment, file, { host, targets }),
    debian: {
      mirror: environment.debianMirror ?? file.debianMirror,
      snapshot: environment.debianSnapshot,
      folder: fromFlag(environment.debianFolder),
    },
    libkrunDir: fromFlag(flags.libkrunDir) ?? fromFile(file.libkrunDir),
    headers: distinct([
      ...(file.bindings?.headers ?? []).map((path) => ({
        path: resolvePath(roots.project, path),
        root: roots.project,
      })),
      ...(flags.header ?? []).map((path) => headerOfFlag(resolvePath(cwd, path), roots.project)),
    ]),
    overrides: (file.bindings?.overrides ?? []).map((override, index) => ({
      ...override,
      place: file.overridePlaces?.[index] ?? { file: sources.filePath },
    })),
    systemLibkrun: environment.useSystemLibkrun && !environment.buildLibkrun && !environment.stub,
    jobs: flags.jobs ?? file.jobs ?? machine.cores,
    only: (flags.only ?? []).map(stepByName),
    force: flags.force ?? false,
    offline: (flags.offline ?? false) || environment.offline,
    pristine: environment.ci,
    environment: {
      ...environment,
      firmwareFile: fromFlag(environment.firmwareFile),
      firmwareFiles: mapped(environment.firmwareFiles, fromFlag),
      initFile: fromFlag(environment.initFile),
      initFiles: mapped(environment.initFiles, fromFlag),
      libclangPath: fromFlag(environment.libclangPath),
    },
  };
  if (targets.length === 1) return configFor(config, config.target);
  if (!environment.stub) refuseSingular(config);
  return Object.freeze(config);
}

function linkSettings(
  flags: Flags,
  environment: Environment,
  file: ConfigFile,
  { host, targets }: Pick<Config, 'host' | 'targets'>,
): Pick<Config, 'linkers' | 'glibc'> {
  if (environment.stub) return { linkers: {}, glibc: null };
  const linkers = settleLinkers(
    { flag: flags.linker, variables: environment.linkers, file: file.linker },
    targets,
    host,
  );
  return { linkers, glibc: settleGlibc(flags.glibc ?? file.glibc, linkers, targets) };
}

/** The configuration of what is done for one of the targets. */
export function configFor(config: Config, target: Target): Config {
  const { environment } = config;
  return Object.freeze({
    ...config,
    target,
    environment: {
      ...environment,
      firmwareFile: environment.firmwareFiles[target.id] ?? environment.firmwareFile,
      initFile: environment.initFiles[target.id] ?? environment.initFile,
    },
  });
}

/** @throws BuildError A3S1005 and A3S1006 for what is good for one target only. */
function refuseSingular({ environment, targets, systemLibkrun }: Config): void {
  const files = { A3S_LIBKRUNFW_DYLIB: environment.firmwareFile, KRUN_INIT_BINARY_PATH: environment.initFile };
  for (const [name, file] of Object.entries(files)) {
    if (file === undefined) continue;
    const own = targets.map(({ id }) => variableFor(name, id));
    throw buildError('A3S1005', {
      message: `${name} names one file, and ${targets.length} targets are built`,
      fix: `Unset it, and set ${own.join(', ')} for those targets that are to have a file of their own.`,
    });
  }
  if (systemLibkrun) {
    throw buildError('A3S1006', { message: 'a libkrun of this system is for one target, and several are named' });
  }
}

function mapped(files: ByTarget<string>, map: (path: string) => string | undefined): ByTarget<string> {
  return Object.fromEntries(Object.entries(files).map(([target, path]) => [target, map(path)]));
}

/** A header named on the command line may be anywhere, but not a link to anywhere else. */
function headerOfFlag(path: string, project: string): HeaderPath {
  return { path, root: path.startsWith(`${project}/`) ? project : dirname(path) };
}

/** One that the configuration and the command line both name is given once. */
function distinct(headers: readonly HeaderPath[]): readonly HeaderPath[] {
  return [...new Map(headers.map((header) => [header.path, header])).values()];
}

function settleTargets(
  names: Flags['target'],
  stub: boolean,
  { platform, arch }: ConfigSources['machine'],
): Pick<Config, 'host' | 'targets'> {
  if (stub) {
    const any = stubTarget(platform, arch);
    return { host: any, targets: [any] };
  }
  const host = hostTarget(platform, arch);
  const [first = host, ...others] = names === undefined ? [] : targetsByName([names].flat(), host);
  return { host, targets: [first, ...others] };
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
