import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDiskErrors } from '../effects/files.ts';
import { runProcess } from '../effects/process.ts';
import { asksForLld, LLD_VERSION } from '../plan/cargo.ts';
import { childEnvironment } from '../plan/child-environment.ts';
import { auditFile, privateFolders } from './audit-file.ts';
import { compileError } from './compile-error.ts';
import type { RunStep, StepContext } from './step.ts';

/** Makes the guest's first process: a static executable, compiled from the source tree or supplied by the user. */
export const runInit: RunStep = async (context) => {
  const { config } = context;
  const { initFile, initCompiler } = config.environment;
  const init = join(context.out, 'init');
  if (initFile !== undefined) await withDiskErrors(initFile, () => copyFile(initFile, init));
  else {
    const result = await runProcess({
      command: initCompiler.command,
      // The source's own folder is the working folder, so that no path of this machine gets into the file.
      args: [
        ...initCompiler.args,
        ...(await lldFolder(context)),
        '-O2',
        '-static',
        '-Wall',
        '-Wl,-s',
        '-o',
        init,
        'init.c',
      ],
      cwd: join(context.need('source').dir, 'init'),
      env: childEnvironment(context.variables),
      log: context.log,
      signal: context.signal,
      background: false,
      idleLimit: 300_000,
    });
    if (result.code !== 0) throw await compileError(initCompiler.command, result, context.log);
  }
  const { elf, bytes } = await auditFile(init, {
    machine: config.target.machine,
    static: true,
    forbiddenText: privateFolders(config),
  });
  return {
    facts: { form: elf.form, size: bytes.length, compiler: initFile === undefined ? initCompiler.command : null },
    summary: `static ${elf.machine} executable, ${Math.round(bytes.length / 1024)} KiB`,
  };
};

/**
 * Where the compiler finds an lld that it was told to link with: the Rust toolchain has one, for systems that have
 * none on PATH.
 */
async function lldFolder({ config, toolchain }: StepContext): Promise<readonly string[]> {
  const { initCompiler, rustc } = config.environment;
  if (!asksForLld(initCompiler) || (await toolchain.ask(LLD_VERSION.command, LLD_VERSION.args)) !== undefined)
    return [];
  const sysroot = await toolchain.ask(rustc, ['--print', 'sysroot']);
  const folder = join(sysroot ?? '/nonexistent', 'lib', 'rustlib', config.host.triple, 'bin', 'gcc-ld');
  return existsSync(join(folder, 'ld.lld')) ? [`-B${folder}`] : [];
}
