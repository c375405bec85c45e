import { chmod, cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { statIfThere, withDiskErrors } from '../effects/files.ts';
import { runProcess } from '../effects/process.ts';
import { cargoHome } from '../effects/toolchain.ts';
import { wholeEnvironment } from '../plan/child-environment.ts';
import {
  asNobody,
  CIRCUMSTANCES,
  type Circumstances,
  NOBODY,
  nobodyVariables,
  underUmask,
} from '../plan/circumstances.ts';
import { buildError } from '../plan/errors.ts';
import { compareFolders } from './compare.ts';
import {
  type CommonOptions,
  openSession,
  refuseStub,
  type Session,
  type Streams,
  type Surroundings,
} from './session.ts';

export interface ReproduceForm {
  /** Folder of a release's tarballs, to compare one build with instead of a second one. */
  readonly against: string | undefined;
  /** Build as this user, also where another one is possible. */
  readonly sameUser: boolean;
  /** The targets, as flags of `build` and `fetch`. */
  readonly targetFlags: readonly string[];
  /** What else changes the results of `build`, as its flags. */
  readonly buildFlags: readonly string[];
}

/** What all parts of a run share. */
interface Run {
  readonly session: Session;
  readonly surroundings: Surroundings;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly temporary: string;
  readonly files: readonly string[];
  readonly form: ReproduceForm;
}

/**
 * Proves that the packages depend on nothing but the commit: builds the files that Git knows twice, in different folders,
 * with another umask, time zone and locale, by root also as another user, and compares the tarballs byte for byte.
 * Inputs are fetched once; each build has copies of them, and no network.
 * @throws BuildError A3S4023 with the files that differ, A3S4024 outside of a Git repository, or whatever the build fails
 *   with.
 */
export async function runReproduce(
  options: CommonOptions,
  surroundings: Surroundings,
  signal: AbortSignal,
  { stderr }: Streams,
  form: ReproduceForm,
): Promise<void> {
  refuseStub('reproduce', surroundings);
  const session = await openSession(options, surroundings);
  const say = (line: string): void => void stderr.write(`${line}\n`);
  const files = await trackedFiles(session, surroundings, signal, say);
  const temporary = await realpath(await mkdtemp(join(tmpdir(), 'a3s-reproduce-')));
  try {
    // Another user must be able to go through it.
    await chmod(temporary, 0o755);
    const toolchain = await otherUsersToolchain(session, form, say);
    const run: Run = { session, surroundings, signal, say, temporary, files, form };
    await fetchInputs(run);
    const [first, second] = CIRCUMSTANCES;
    const one =
      form.against === undefined ? await buildUnder(run, first, undefined) : resolve(surroundings.cwd, form.against);
    const other = await buildUnder(run, second, toolchain);
    const count = await compareFolders([one, other], 'bytes', [form.against ?? 'the first build', 'this build']);
    say(`reproduced: ${count} tarballs, the same byte for byte`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Paths of the files that Git knows, below the project's root, those of submodules among them. */
async function trackedFiles(
  { config }: Session,
  surroundings: Surroundings,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const git = async (...args: readonly string[]): Promise<string> => {
    const env = wholeEnvironment(surroundings.variables);
    const result = await runProcess({ command: 'git', args, cwd: config.projectRoot, env, signal });
    if (result.code === 0) return result.stdout;
    throw buildError('A3S4024', {
      message: `git ${args[0]}: ${result.tail.join('\n')}`,
      cause: 'What is built twice are the files that Git knows, and Git does not know this folder.',
      fix: 'Start it in a clone of the repository.',
    });
  };
  const files = (await git('ls-files', '-z', '--recurse-submodules')).split('\0').filter((path) => path !== '');
  const commit = (await git('rev-parse', 'HEAD')).trim();
  const changed = (await git('status', '--porcelain', '--untracked-files=no')) !== '';
  say(`commit ${commit}${changed ? ', with uncommitted changes' : ''}: ${files.length} files`);
  return files;
}

/** Where Rust's toolchain lies, when a build can run as another user; says why where none does. */
async function otherUsersToolchain(
  { config, toolchain }: Session,
  { sameUser }: ReproduceForm,
  say: (line: string) => void,
): Promise<string | undefined> {
  if (sameUser || process.getuid?.() !== 0 || config.host.platform !== 'linux') {
    say('both builds run as this user: only root, on Linux, can start one as another');
    return undefined;
  }
  return toolchain.ask(config.environment.rustc, ['--print', 'sysroot']);
}

/** Fetches what the builds need, once: their folders get copies. */
async function fetchInputs(run: Run): Promise<void> {
  const folder = join(run.temporary, 'fetched');
  const cargo = join(folder, 'cargo');
  const home = cargoHome(run.surroundings.variables);
  await mkdir(cargo, { recursive: true });
  // Mirrors belong to the machine.
  for (const name of ['config.toml', 'config']) {
    if (statIfThere(join(home, name)) !== undefined)
      await cp(join(home, name), join(cargo, name), { dereference: true });
  }
  const project = join(folder, 'project');
  await copyFiles(run, project);
  run.say('fetching the inputs');
  const command = [...cli(run), '--cwd', project, 'fetch', ...run.form.targetFlags];
  await start(run, command, { CARGO_HOME: cargo, A3S_CACHE_DIR: join(folder, 'store') }, 'fetch');
  await rm(project, { recursive: true });
  await rm(join(folder, 'store', 'v1', 'results'), { recursive: true, force: true });
}

/**
 * Builds in a folder of its own.
 * @returns The folder of the tarballs.
 */
async function buildUnder(
  run: Run,
  { folder, umask, variables }: Circumstances,
  toolchain: string | undefined,
): Promise<string> {
  const root = join(run.temporary, folder);
  await withDiskErrors(root, () =>
    cp(join(run.temporary, 'fetched'), root, { recursive: true, verbatimSymlinks: true }),
  );
  const [project, home, rust] = [join(root, 'project'), join(root, 'home'), join(root, 'rust')];
  await copyFiles(run, project);
  const scratch = join(root, 'tmp');
  for (const made of [home, rust, scratch]) await mkdir(made);
  const out = join(root, 'out');
  const flags = ['--offline', '--out', out, ...run.form.targetFlags, ...run.form.buildFlags];
  const masked = underUmask(umask, [...cli(run), '--reporter', 'plain', '--cwd', project, 'build', ...flags]);
  const command = toolchain === undefined ? masked : asNobody(toolchain, rust, masked);
  if (toolchain !== undefined) await start(run, ['chown', '-R', `${NOBODY}:${NOBODY}`, root], {}, 'chown');
  const told = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  run.say(
    `building in ${root}, umask ${umask}, ${told.join(' ')}, ${toolchain === undefined ? 'as this user' : 'as nobody'}`,
  );
  await start(
    run,
    command,
    {
      HOME: home,
      CARGO_HOME: join(root, 'cargo'),
      // rustup's cargo looks for its toolchains in the home folder, which is another one here.
      RUSTUP_HOME: run.surroundings.variables['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
      A3S_CACHE_DIR: join(root, 'store'),
      TMPDIR: scratch,
      CI: 'true',
      ...variables,
      ...(toolchain === undefined ? {} : nobodyVariables(rust, home, run.surroundings.variables['PATH'] ?? '')),
    },
    'build',
  );
  return join(out, 'npm');
}

async function copyFiles({ session, files }: Run, to: string): Promise<void> {
  const { projectRoot } = session.config;
  for (const path of files) {
    const target = join(to, path);
    await withDiskErrors(target, async () => {
      await mkdir(dirname(target), { recursive: true });
      await cp(join(projectRoot, path), target, { verbatimSymlinks: true });
    });
  }
}

function cli({ session }: Run): readonly string[] {
  return [process.execPath, join(session.config.toolRoot, 'dist', 'cli.cjs')];
}

/** Runs a command, and shows its last lines when it fails. */
async function start(
  { surroundings, signal, temporary, say }: Run,
  [command = '', ...args]: readonly string[],
  variables: Readonly<Record<string, string>>,
  name: string,
): Promise<void> {
  const env = { ...wholeEnvironment(surroundings.variables), ...variables };
  const { code, tail } = await runProcess({ command, args, cwd: temporary, env, signal });
  if (code === 0) return;
  for (const line of tail) say(`  ${line}`);
  throw buildError('A3S1204', { message: `${name} ended with ${code ?? 'a signal'}` });
}
