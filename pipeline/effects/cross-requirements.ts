import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../plan/config.ts';
import { type CrossTools, ZIG, ZIGBUILD } from '../plan/cross-tools.ts';
import { variableFor } from '../plan/environment.ts';
import { type BuildError, buildError } from '../plan/errors.ts';
import { initCompilerOf, ownCompiler } from '../plan/init-compiler.ts';
import type { Tool } from '../plan/install-hints.ts';
import { linkerOf } from '../plan/linker.ts';
import { foundAs, type MachOTool, machoTools } from '../plan/macho-tools.ts';
import { linkerVariable, type Target } from '../plan/targets.ts';
import { hasStaticLibc, installHint, type Toolchain } from './toolchain.ts';

/** What a run does for one target. */
export interface Planned {
  readonly config: Config;
  readonly compiles: boolean;
  readonly makesInit: boolean;
}

/**
 * Checks that what a target needs beyond the tools of this machine itself is there, before any work starts.
 * @throws BuildError A3S1210 for a linker, A3S1211 for Rust's standard library, A3S1212 for the compiler of the guest's
 *   init, A3S1221 for what finishes files for macOS, each with what to run on this system.
 */
export async function requireCrossTools(planned: Planned, tools: CrossTools, toolchain: Toolchain): Promise<void> {
  const { config, compiles, makesInit } = planned;
  if (compiles) {
    await requireLinker(config, tools, toolchain);
    await requireRustTarget(config, toolchain);
    requireMachOTools(config, tools);
  }
  if (makesInit) await requireInitCompiler(config, tools, toolchain);
}

async function requireLinker(config: Config, tools: CrossTools, toolchain: Toolchain): Promise<void> {
  const { target } = config;
  const linker = linkerOf(config, tools);
  switch (linker.kind) {
    case 'own':
      return;
    case 'command':
      if ((await toolchain.ask(linker.command, ['--version'])) !== undefined) return;
      throw noLinker(target, `the linker for ${target.id} cannot be started: ${linker.command}`);
    case 'zig': {
      const missing = [ZIG, ZIGBUILD].filter((name) => !(name in tools.programs));
      if (missing.length === 0) return;
      throw buildError('A3S1210', {
        message: `zig is to link for ${target.id}, and is not here: ${missing.join(', ')}`,
        fix: installHint(['zig']).join('\n'),
      });
    }
    case 'none':
      throw noLinker(target, `nothing on this machine links for ${target.id}`);
  }
}

/** Cross gcc where a system has one with a C library; zig, which has one for every target, is always named. */
function noLinker(target: Target, message: string) {
  const lines = [...crossGcc(target).flatMap((tool) => installHint([tool])), ...installHint(['zig'])];
  const named = `or name one: --linker <command>, or ${linkerVariable(target)}`;
  return buildError('A3S1210', { message, fix: [lines.join('\n  or '), named].join('\n') });
}

function crossGcc({ platform, machine }: Target): readonly Tool[] {
  if (platform !== 'linux') return [];
  return machine === 'aarch64' ? ['cross-gcc-arm64'] : ['cross-gcc-x64'];
}

async function requireRustTarget({ target, host, environment }: Config, toolchain: Toolchain): Promise<void> {
  if (target.id === host.id) return;
  const sysroot = await toolchain.ask(environment.rustc, ['--print', 'sysroot']);
  if (sysroot !== undefined && existsSync(join(sysroot, 'lib', 'rustlib', target.triple, 'lib'))) return;
  throw buildError('A3S1211', {
    message: `the Rust toolchain at ${sysroot ?? 'an unknown place'} has no standard library for ${target.triple}`,
    fix: `rustup target add ${target.triple}\nor, where Rust is not rustup's, its package for that target; CARGO and RUSTC choose another toolchain`,
  });
}

function requireMachOTools({ target, host }: Config, tools: CrossTools): void {
  if (target.platform !== 'darwin') return;
  const { rename, sign } = machoTools(host);
  const missing = [rename, sign].filter((tool) => foundAs(tool, tools) === undefined);
  if (missing.length > 0) throw missingMachOTools(missing);
}

/** The failure of programs that are not there, with what installs them. */
export function missingMachOTools(missing: readonly Pick<MachOTool<never>, 'names' | 'tool'>[]): BuildError {
  return buildError('A3S1221', {
    message: `missing: ${missing.map(({ names }) => names[0]).join(', ')}`,
    fix: installHint(missing.map(({ tool }) => tool)).join('\n'),
  });
}

async function requireInitCompiler(config: Config, tools: CrossTools, toolchain: Toolchain): Promise<void> {
  const { target } = config;
  const compiler = initCompilerOf(config, tools);
  const ready = `or name a ready one: ${variableFor('KRUN_INIT_BINARY_PATH', target.id)}`;
  const gcc: Tool = target.machine === 'aarch64' ? 'cross-gcc-arm64' : 'cross-gcc-x64';
  if (compiler.kind === 'none') {
    const lines = [installHint([gcc]), installHint(['clang', 'lld']), installHint(['zig'])].map((hint) =>
      hint.join('; '),
    );
    throw buildError('A3S1212', {
      message: `nothing on this machine compiles the guest's init for ${target.id}`,
      fix: [[...new Set(lines)].join('\n  or '), ready].join('\n'),
    });
  }
  // The compilers of this system, and those that users name, are looked at with the other tools.
  if (
    ownCompiler(config) !== undefined ||
    compiler.kind !== 'command' ||
    (await hasStaticLibc(compiler.line, toolchain))
  )
    return;
  throw buildError('A3S1212', {
    message: `${compiler.line.command} has no static C library`,
    fix: [installHint([gcc]).join('\n'), ready].join('\n'),
  });
}
