import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readTextIfThere } from '../effects/files.ts';
import { readPins } from '../effects/inputs-on-disk.ts';
import { findProject, findTool } from '../effects/project.ts';
import { openWellFormed } from '../effects/well-formed.ts';
import type { Config } from '../plan/config.ts';
import { readEnvironment } from '../plan/environment.ts';
import { BuildError, buildError, orFailure } from '../plan/errors.ts';
import { type LinkRecord, parseLinkRecord } from '../plan/link-record.ts';
import { hostTarget, type Target, targetByName } from '../plan/targets.ts';
import { plainView } from '../run/plain-view.ts';
import { painter, terminalKind } from '../run/terminal.ts';
import { runSession } from './build.ts';
import { type LinkFacts, type LinkFormat, linkText, type RealLibraries, type Watched } from './link-formats.ts';
import { type BuiltFiles, layOut } from './link-layout.ts';
import { WATCHED_VARIABLES, watchedPaths } from './link-watch.ts';
import { type CommonOptions, openSession, type Streams, type Surroundings } from './session.ts';

export interface LinkForm {
  readonly format: LinkFormat;
  /** Folder to lay libraries and headers out in, relative to the working folder. */
  readonly layout: string | undefined;
  /** Whether to build what is not up to date. */
  readonly build: boolean;
}

/**
 * Prints what a program needs to link with libkrun: the answer on standard output, everything else on the other. In stub
 * mode it answers without building anything, for any target.
 * @throws BuildError A3S1006 for several targets; A3S1402 when nothing is built and `build` is false; as a build does
 *   otherwise.
 */
export async function runLink(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  streams: Streams,
  form: LinkForm,
): Promise<void> {
  const stub = readEnvironment(surroundings.variables).stub;
  const { facts, watched } = stub
    ? await stubAnswer(options, surroundings)
    : await realAnswer(options, surroundings, signal, streams.stderr, form);
  streams.stdout.write(linkText(form.format, facts, watched));
}

interface Answer {
  readonly facts: LinkFacts;
  readonly watched: Watched;
}

async function stubAnswer(options: CommonOptions, { cwd }: Surroundings): Promise<Answer> {
  const tool = findTool();
  const known = await openWellFormed(tool.version);
  const { root } = await findProject(cwd, options.config, known);
  const { version } = (await readPins({ projectRoot: root, toolRoot: tool.root }, known)).libkrun.library;
  return {
    facts: { triple: anyTriple(onlyName(options.target)), version, real: undefined },
    watched: { paths: [], variables: WATCHED_VARIABLES },
  };
}

/** @throws BuildError A3S1006 where several are named. */
function onlyName(target: CommonOptions['target']): string | undefined {
  const names = target === undefined ? [] : [target].flat().flatMap((name) => name.split(','));
  if (names.length > 1) throw severalTargets(names);
  return names[0];
}

function severalTargets(names: readonly string[]) {
  return buildError('A3S1006', { message: `link answers for one target, not for ${names.join(', ')}` });
}

/** A stub is for every target that Rust has, named as Rust or as a3s-build does. */
function anyTriple(name: string | undefined): string | undefined {
  const known = (find: () => Target): string | undefined => {
    const found = orFailure(find);
    return found instanceof BuildError ? undefined : found.triple;
  };
  const host = (): Target => hostTarget(process.platform, process.arch);
  if (name === undefined || name === 'host') return known(host);
  if (!/^[\w.-]+$/.test(name)) throw buildError('A3S1003', { message: `${JSON.stringify(name)} is no target of Rust` });
  return known(() => targetByName(name, host())) ?? name;
}

async function realAnswer(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  stderr: Streams['stderr'],
  form: LinkForm,
): Promise<Answer> {
  const session = await openSession({ ...options, only: ['prefix'] }, surroundings);
  const { config, plan } = session;
  if (config.targets.length > 1) throw severalTargets(config.targets.map(({ id }) => id));
  if (form.build) {
    const paint = painter(terminalKind(stderr, surroundings.variables).color);
    const view = plainView((text) => stderr.write(text), paint);
    await runSession(session, signal, view);
  }
  const configFile = options.config === undefined ? undefined : resolve(surroundings.cwd, options.config);
  const record = await readRecord(config);
  const layout = form.layout === undefined ? undefined : resolve(surroundings.cwd, form.layout);
  return {
    facts: {
      triple: record.triple,
      version: record.version,
      real: {
        library: record.library,
        ...(await foldersOf(record, config, layout)),
        rpath: config.target.platform === 'darwin',
      },
    },
    watched: { paths: watchedPaths(plan, config, configFile), variables: WATCHED_VARIABLES },
  };
}

/** Where the libraries are: in the output folder, or in `layout` after they were put there. */
async function foldersOf(
  record: LinkRecord,
  config: Config,
  layout: string | undefined,
): Promise<Omit<RealLibraries, 'library' | 'rpath'>> {
  const at = (path: string): string => resolve(dirname(recordFile(config)), path);
  const built: BuiltFiles = {
    version: record.version,
    libraryFile: at(record.libraryFile),
    firmwareFile: at(record.firmwareFile),
    includePath: at(record.includePath),
  };
  const missing = [built.libraryFile, built.firmwareFile, built.includePath].find((path) => !existsSync(path));
  if (missing !== undefined) throw buildError('A3S1402', { message: `${missing} is not there` });
  if (layout !== undefined) return layOut(layout, built, config.target);
  return {
    libraryDir: at(record.searchPath),
    firmwareDir: dirname(built.firmwareFile),
    includeDir: built.includePath,
    libraryFolder: 'lib',
  };
}

function recordFile({ outDir, target }: Config): string {
  return join(outDir, target.id, 'link.json');
}

async function readRecord(config: Config): Promise<LinkRecord> {
  const file = recordFile(config);
  const text = await readTextIfThere(file);
  if (text === undefined) throw buildError('A3S1402', { message: `${file} does not exist` });
  return parseLinkRecord(text, file);
}
