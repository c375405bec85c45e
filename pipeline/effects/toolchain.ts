import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../plan/child-environment.ts';
import type { Config } from '../plan/config.ts';
import type { CommandLine } from '../plan/environment.ts';
import { buildError } from '../plan/errors.ts';
import { installLines, systemIds, type Tool } from '../plan/install-hints.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Asks programs what they are; each question is put once a run, however many steps ask it. */
export interface Toolchain {
  /** What the program prints on standard output, or undefined when it cannot be started or fails. */
  ask(command: string, args: readonly string[]): Promise<string | undefined>;
}

/** @param cwd The project folder: rustup's choice of toolchain depends on where it is asked. */
export function openToolchain(cwd: string, variables: Variables): Toolchain {
  const answers = new Map<string, Promise<string | undefined>>();
  const env = childEnvironment(variables);
  const put = async (command: string, args: readonly string[]): Promise<string | undefined> => {
    try {
      // Many runs ask nothing, and what starts processes takes a while to load.
      const { runProcess } = await import('./process.ts');
      const result = await runProcess({ command, args, cwd, env, idleLimit: 60_000 });
      return result.code === 0 ? result.stdout.trim() : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    ask(command, args) {
      const question = JSON.stringify([command, args]);
      const answer = answers.get(question) ?? put(command, args);
      answers.set(question, answer);
      return answer;
    },
  };
}

/** The folder in which cargo keeps settings and crates. */
export function cargoHome(variables: Variables): string {
  return variables['CARGO_HOME'] || join(homedir(), '.cargo');
}

/** Folder of the `ld.lld` that rustup's toolchains bring along; undefined where there is none. */
export async function rustLldFolder(
  { environment, host }: Pick<Config, 'environment' | 'host'>,
  toolchain: Toolchain,
): Promise<string | undefined> {
  const sysroot = await toolchain.ask(environment.rustc, ['--print', 'sysroot']);
  const folder = join(sysroot ?? '/nonexistent', 'lib', 'rustlib', host.triple, 'bin', 'gcc-ld');
  return existsSync(join(folder, 'ld.lld')) ? folder : undefined;
}

/** Programs to look for, by what they are needed for. */
export interface ToolCommands {
  readonly cargo?: string;
  readonly rustc?: string;
  /** Linker driver of rustc. */
  readonly cc?: string;
  /** Compiler that must be able to link statically. */
  readonly initCompiler?: CommandLine;
}

/**
 * Checks that all tools are there, before any work starts.
 * @throws BuildError A3S1201 naming every missing one, with this system's install lines; A3S1202 for a Rust too old.
 */
export async function requireTools(commands: ToolCommands, toolchain: Toolchain): Promise<void> {
  const compiler = commands.initCompiler;
  const checks: readonly [Tool, string | undefined, readonly string[]][] = [
    ['cargo', commands.cargo, ['-V']],
    ['rustc', commands.rustc, ['-vV']],
    ['cc', commands.cc, ['--version']],
    ['cc', compiler?.command, [...(compiler?.args ?? []), '--version']],
  ];
  const missing = new Map<string, Tool>();
  await Promise.all(
    checks.map(async ([tool, command, args]) => {
      if (command !== undefined && (await toolchain.ask(command, args)) === undefined) missing.set(command, tool);
    }),
  );
  if (compiler !== undefined && !missing.has(compiler.command) && !(await hasStaticLibc(compiler, toolchain))) {
    missing.set('libc.a (the static C library)', 'static-libc');
  }
  if (missing.size === 0) return requireRecentRust(commands, toolchain);
  // Without the compiler nobody can say whether there is a static libc: its package is named with the compiler's.
  const unknown: Tool[] = compiler !== undefined && missing.has(compiler.command) ? ['static-libc'] : [];
  const fix = installHint([...missing.values(), ...unknown]).join('\n');
  throw buildError('A3S1201', { message: `missing: ${[...missing.keys()].join(', ')}`, fix });
}

/** Oldest Rust that compiles the crates of `native/` (their `rust-version`). */
const OLDEST_RUST = '1.88.0';

/** @throws BuildError A3S1202 with the version found and the one needed. */
async function requireRecentRust({ rustc }: ToolCommands, toolchain: Toolchain): Promise<void> {
  if (rustc === undefined) return;
  const { default: semver } = await import('semver');
  const text = (await toolchain.ask(rustc, ['-vV'])) ?? '';
  const found = semver.coerce(/^release: (\S+)$/m.exec(text)?.[1]);
  if (found !== null && semver.gte(found, OLDEST_RUST)) return;
  throw buildError('A3S1202', {
    message: `${rustc} is ${found?.version ?? 'of an unknown version'}; ${OLDEST_RUST} or newer is needed`,
  });
}

/** Whether a compiler finds a static C library. One that has none prints the bare name back (gcc and clang alike). */
export async function hasStaticLibc({ command, args }: CommandLine, toolchain: Toolchain): Promise<boolean> {
  const path = await toolchain.ask(command, [...args, '-print-file-name=libc.a']);
  return path !== undefined && path !== 'libc.a' && existsSync(path);
}

/** The command lines that install `tools` on this system. */
export function installHint(tools: readonly Tool[]): readonly string[] {
  return installLines(tools, thisSystemIds());
}

function thisSystemIds(): readonly string[] {
  if (process.platform === 'darwin') return ['macos'];
  try {
    return systemIds(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return [];
  }
}
