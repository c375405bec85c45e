import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDiskErrors } from '../effects/files.ts';
import { runProcess } from '../effects/process.ts';
import { rustLldFolder } from '../effects/toolchain.ts';
import { asksForLld, LLD_VERSION } from '../plan/cargo.ts';
import { childEnvironment } from '../plan/child-environment.ts';
import type { CommandLine } from '../plan/environment.ts';
import { buildError } from '../plan/errors.ts';
import { initCompilerOf } from '../plan/init-compiler.ts';
import { auditFile, privateFolders } from './audit-file.ts';
import { compileError } from './compile-error.ts';
import type { RunStep, StepContext } from './step.ts';
import { makeSysroot } from './sysroot.ts';

/** Makes the guest's first process: a static executable, compiled from the source tree or supplied by the user. */
export const runInit: RunStep = async (context) => {
  const { config } = context;
  const { initFile } = config.environment;
  const init = join(context.out, 'init');
  if (initFile !== undefined) await withDiskErrors(initFile, () => copyFile(initFile, init));
  else {
    const { command, args } = await compilerLine(context);
    const result = await runProcess({
      command,
      // The source's own folder is the working folder, so that no path of this machine gets into the file.
      args: [...args, '-O2', '-static', '-Wall', '-Wl,-s', '-o', init, 'init.c'],
      cwd: join(context.need('source').dir, 'init'),
      env: childEnvironment(context.variables),
      log: context.log,
      signal: context.signal,
      background: false,
      idleLimit: 300_000,
    });
    if (result.code !== 0) throw await compileError(command, result, context.log);
  }
  const { elf, bytes } = await auditFile(init, {
    machine: config.target.machine,
    static: true,
    forbiddenText: privateFolders(config),
  });
  return {
    facts: { form: elf.form, size: bytes.length, compiler: initFile === undefined ? compilerName(context) : null },
    summary: `static ${elf.machine} executable, ${Math.round(bytes.length / 1024)} KiB`,
  };
};

/** How the compiler is called, up to what every compiler is told. */
async function compilerLine(context: StepContext): Promise<CommandLine> {
  const compiler = initCompilerOf(context.config, context.tools);
  switch (compiler.kind) {
    case 'command': {
      const { command, args } = compiler.line;
      return { command, args: [...args, ...(await lldFolder(context, compiler.line))] };
    }
    case 'clang': {
      const { command, args } = compiler.line;
      const sysroot = await makeSysroot(context, compiler.sysroot);
      return { command, args: [...args, `--ld-path=${compiler.lld}`, '--sysroot', sysroot] };
    }
    case 'zig':
      return compiler.line;
    case 'none':
      throw buildError('A3S1212', { message: `nothing compiles the guest's init for ${context.config.target.id}` });
  }
}

function compilerName({ config, tools }: StepContext): string {
  const compiler = initCompilerOf(config, tools);
  return compiler.kind === 'command' ? compiler.line.command : compiler.kind;
}

/**
 * Where the compiler finds an lld that it was told to link with: the Rust toolchain has one, for systems that have
 * none on PATH.
 */
async function lldFolder({ config, toolchain }: StepContext, line: CommandLine): Promise<readonly string[]> {
  if (!asksForLld(line) || (await toolchain.ask(LLD_VERSION.command, LLD_VERSION.args)) !== undefined) return [];
  const folder = await rustLldFolder(config, toolchain);
  return folder === undefined ? [] : [`-B${folder}`];
}
