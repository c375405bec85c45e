import { Argument, Command, CommanderError, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { findTool } from '../effects/project.ts';
import { buildError } from '../plan/errors.ts';
import { unknownWord } from '../plan/nearest.ts';
import { STEP_IDS } from '../plan/steps.ts';
import { TARGET_IDS } from '../plan/targets.ts';
import { CHECK_FAILED, tellFailure } from './outcome.ts';
import type { Streams, Surroundings } from './session.ts';

/**
 * Runs the command line.
 * @returns The exit code. A run that was aborted returns 1; who aborted it knows the better code.
 */
export async function main(
  argv: readonly string[],
  surroundings: Surroundings,
  signal: AbortSignal,
  streams: Streams,
): Promise<number> {
  const state: State = { verbose: false, exitCode: 0 };
  const program = makeProgram(surroundings, signal, streams, state);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return state.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const message = excessWord(error, program) ?? error.message.replace(/^error: /, '');
      return tellFailure(buildError('A3S1001', { message }), streams, surroundings, signal, false);
    }
    return tellFailure(error, streams, surroundings, signal, state.verbose);
  }
}

/** With a default command, commander takes an unknown command for an argument too many of it. */
function excessWord(
  error: CommanderError,
  program: { commands: readonly { name(): string; args: string[] }[] },
): string | undefined {
  if (error.code !== 'commander.excessArguments') return undefined;
  const word = program.commands.flatMap((command) => command.args)[0];
  const names = program.commands.map((command) => command.name());
  return word === undefined ? undefined : unknownWord('command', word, names);
}

/** What a command leaves for the end. */
interface State {
  verbose: boolean;
  exitCode: number;
}

function makeProgram(surroundings: Surroundings, signal: AbortSignal, streams: Streams, state: State) {
  const program = new Command('a3s-build')
    .description('Build toolkit for libkrun: from pins to a booting microVM and its npm packages')
    .version(findTool().version, '-V, --version')
    .option('--cwd <dir>', 'work as if started in this folder')
    .option('--config <file>', 'configuration file instead of the one found upwards')
    .option('-v, --verbose', 'show stack traces of failures')
    .addOption(
      new Option('--reporter <name>', 'how progress is shown').choices(['auto', 'pretty', 'plain']).default('auto'),
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => void streams.stdout.write(text), writeErr: () => {} })
    .hook('preAction', (command) => {
      state.verbose = command.opts().verbose ?? false;
    });
  const here = (): Surroundings => ({ ...surroundings, cwd: program.opts().cwd ?? surroundings.cwd });
  const common = () => ({ config: program.opts().config });

  program
    .command('build', { isDefault: true })
    .description('fetch, verify, build, bind and package')
    .addOption(targetOption())
    .option('--firmware <provider>', 'where the guest kernel comes from: npm or github')
    .option('--linker <command>', 'what links for another target than this machine: a compiler, or zig')
    .option('--glibc <release>', 'glibc to link for, such as 2.28; zig does it')
    .option('--libkrun-dir <dir>', "libkrun's source tree; it is never written to")
    .option('--out <dir>', 'output folder (default: build in the project)')
    .option('--only <step...>', `these steps and what they need: ${STEP_IDS.join(', ')}`)
    .option('-j, --jobs <n>', 'compiler jobs at a time', parseJobs)
    .option('-f, --force', 'run every step, whatever the store holds')
    .option('--offline', 'use only what was fetched before')
    .option('--dry-run [format]', 'say what would run and why, and do nothing; "json" for machines')
    .action(async ({ dryRun, ...options }) => {
      const all = { ...common(), ...options };
      if (dryRun === undefined) {
        const { runBuild } = await import('./build-view.ts');
        await runBuild(all, here(), signal, streams, program.opts().reporter);
        return;
      }
      const { printPreview } = await import('./plan.ts');
      await printPreview(all, here(), streams.stdout, dryRun === 'json');
    });

  program
    .command('plan')
    .description('say what a build would do, and why')
    .addOption(targetOption())
    .option('--linker <command>', 'what links for another target than this machine: a compiler, or zig')
    .option('--glibc <release>', 'glibc to link for')
    .option('--json', 'for machines')
    .action(async ({ json, ...options }) => {
      const { printPreview } = await import('./plan.ts');
      await printPreview({ ...common(), ...options }, here(), streams.stdout, json ?? false);
    });

  program
    .command('bindings')
    .description("write the bindings of libkrun's headers to generated/")
    .addOption(
      new Option(
        '--check [how]',
        'write nothing; exit 2 when generated/ is not what libkrun.h gives; "full" makes every file anew',
      ).choices(['fast', 'full']),
    )
    .addOption(
      new Option('--diff <headers...>', 'compare two headers instead: the older and the newer one').conflicts('check'),
    )
    .addOption(
      new Option('--watch', 'write generated/ again whenever a header or the configuration changes').conflicts([
        'check',
        'diff',
        'json',
      ]),
    )
    .addOption(
      new Option('--report <file>', 'print what --check --json found as Markdown').conflicts([
        'check',
        'diff',
        'watch',
        'json',
      ]),
    )
    .option('--json', 'the result for machines')
    .option('--library <file>', 'with --check: the built library to compare with the header, instead of the last build')
    .option('--header <file...>', "headers to bind besides libkrun's own")
    .option('--libkrun-dir <dir>', "libkrun's source tree")
    .option('--offline', 'use only what was fetched before')
    .action(async ({ check, diff, json, library, report, watch, ...options }) => {
      const form = { json: json ?? false };
      if (report !== undefined) {
        const { printReport } = await import('./bindings-markdown.ts');
        await printReport(report, here(), streams);
        return;
      }
      if (library !== undefined && check === undefined) {
        throw buildError('A3S1001', { message: '--library goes with --check' });
      }
      if (diff !== undefined) {
        const { runBindingsDiff } = await import('./bindings-diff.ts');
        await runBindingsDiff(diff, here(), signal, streams, form);
        return;
      }
      const all = { ...common(), ...options };
      if (watch === true) {
        const { runBindingsWatch } = await import('./bindings-watch.ts');
        await runBindingsWatch(all, here(), signal, streams);
        return;
      }
      if (check === undefined) {
        const { runBindingsCommand } = await import('./bindings.ts');
        await runBindingsCommand(all, here(), signal, streams, form);
        return;
      }
      const { runBindingsCheck } = await import('./bindings-check.ts');
      const fresh = await runBindingsCheck(all, here(), signal, streams, { ...form, full: check === 'full', library });
      if (!fresh) state.exitCode = CHECK_FAILED;
    });

  program
    .command('fetch')
    .description('fetch everything that a build needs, so that it then runs without network')
    .addOption(targetOption())
    .option('--firmware <provider>', 'where the guest kernel comes from: npm or github')
    .option('--libkrun-dir <dir>', "libkrun's source tree")
    .option('--offline', 'fetch nothing; say what is missing')
    .action(async (options) => {
      const { runFetch } = await import('./fetch.ts');
      await runFetch({ ...common(), ...options }, here(), signal, streams);
    });

  program
    .command('pin')
    .description('fetch another version, show what differs, and write the pins in vendor/')
    .addArgument(new Argument('<what>', 'what to pin').choices(['firmware', 'source'] as const))
    .argument('<version>', 'version of the npm packages, or of the crate')
    .option('--dry-run', 'show only')
    .option('--allow-downgrade', 'take a version that is older than the pinned one')
    .action(async (what, version, options) => {
      const { runPin } = await import('./pin.ts');
      await runPin({ ...common(), ...options, what, version }, here(), signal, streams);
    });

  program
    .command('link')
    .description('print what a program needs to link with libkrun; build it first where it is not up to date')
    .addOption(
      new Option('--format <name>', 'for whom')
        .choices(['cargo', 'pkg-config', 'json', 'env', 'config'])
        .makeOptionMandatory(),
    )
    .option('-t, --target <target>', "linux-x64, linux-arm64, darwin-arm64, host, or Rust's name of one", another)
    .option('--layout <dir>', "put libraries and headers there, in the folders that libkrun's own installation has")
    .option('--linker <command>', 'what links for another target than this machine: a compiler, or zig')
    .option('--glibc <release>', 'glibc to link for')
    .option('--no-build', 'fail where nothing is built yet')
    .option('--out <dir>', 'output folder (default: build in the project)')
    .option('-j, --jobs <n>', 'compiler jobs at a time', parseJobs)
    .option('--offline', 'use only what was fetched before')
    .action(async ({ format, layout, build, ...options }) => {
      const { runLink } = await import('./link.ts');
      await runLink({ ...common(), ...options }, here(), signal, streams, { format, layout, build });
    });

  program
    .command('ci')
    .description("write the project's GitHub workflows: packages, release and bindings")
    .option('--check', 'write nothing; exit 2 when they are not what would be written')
    .action(async ({ check }) => {
      const { runCi, runCiCheck } = await import('./ci.ts');
      await (check === true ? runCiCheck : runCi)(common(), here(), streams);
    });

  program
    .command('reproduce')
    .description('build the commit twice, in two folders and circumstances, and compare the packages byte for byte')
    .addOption(targetOption())
    .option('--against <folder>', 'build once, and compare with the .tgz files of a release')
    .option('--same-user', 'build as this user only; root builds once as nobody otherwise')
    .argument('[flags...]', 'after "--": more flags of the build')
    .action(async (buildFlags, { target, against, sameUser }) => {
      const { runReproduce } = await import('./reproduce.ts');
      const targetFlags = (target ?? []).flatMap((name) => ['--target', name]);
      const form = { against, sameUser: sameUser ?? false, targetFlags, buildFlags };
      await runReproduce({ ...common(), target }, here(), signal, streams, form);
    });

  program
    .command('compare')
    .description('compare two folders of package tarballs, and say which file in which of them differs')
    .argument('<folder>', 'with .tgz files')
    .argument('<other>', 'with .tgz files')
    .option('--layout', 'compare files, modes, names and exports only, as for packages that were built in two ways')
    .action(async (folder, other, { layout }) => {
      const { runCompare } = await import('./compare.ts');
      await runCompare([folder, other], layout === true ? 'layout' : 'bytes', here(), streams);
    });

  program
    .command('package')
    .description('pack the npm packages; build first what is not up to date')
    .addOption(targetOption())
    .option('--root', 'make the root package only, for the platform packages of a folder')
    .option('--from <folder>', 'with --root: the folder that holds their tarballs')
    .option('--libkrun-dir <dir>', "libkrun's source tree")
    .option('--out <dir>', 'output folder (default: build in the project); with --root, the folder for the tarball')
    .option('-j, --jobs <n>', 'compiler jobs at a time', parseJobs)
    .option('--offline', 'use only what was fetched before')
    .action(async ({ root, from, ...options }) => {
      if ((root === undefined) !== (from === undefined)) {
        throw buildError('A3S1001', { message: '--root and --from go together' });
      }
      const all = { ...common(), ...options };
      if (from !== undefined) {
        const { runPackageRoot } = await import('./package.ts');
        await runPackageRoot({ ...all, from }, here(), signal, streams);
        return;
      }
      const { runBuild } = await import('./build-view.ts');
      await runBuild({ ...all, only: ['package'] }, here(), signal, streams, program.opts().reporter);
    });

  program
    .command('verify')
    .description('hold packed packages against what users need and against each other; builds nothing')
    .argument('<folder>', 'folder that the tarballs lie in')
    .option('--expect <sri>', "SHA-512 of the root package's tarball, from a place that is trusted: sha512-…")
    .option('--release <version>', 'version that the packages must be, or its tag: v1.2.3')
    .option('--publish', 'also refuse what must not be published: a source that is not known, a kernel without a pin')
    .option('--json', 'for machines')
    .action(async (folder, { json, ...options }) => {
      const { runVerify } = await import('./verify.ts');
      await runVerify({ ...common(), ...options, folder }, here(), streams, json ?? false);
    });

  program
    .command('explain')
    .description('tell more about an error code')
    .argument('<code>', 'such as A3S1203')
    .action(async (code) => {
      const { explain } = await import('./explain.ts');
      streams.stdout.write(explain(code));
    });
  return program;
}

function targetOption() {
  const names = [...TARGET_IDS, 'host', 'all'].join(', ');
  return new Option('-t, --target <target>', `${names}; several with commas, or each with the option`).argParser(
    another,
  );
}

/** Collects what is given with an option that may stand several times. */
function another(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function parseJobs(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1');
}
