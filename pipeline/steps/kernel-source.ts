import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDiskErrors } from '../effects/files.ts';
import { runProcess } from '../effects/process.ts';
import { childEnvironment } from '../plan/child-environment.ts';
import { buildError } from '../plan/errors.ts';
import { kernelCompilerOf } from '../plan/kernel-compiler.ts';
import type { Target } from '../plan/targets.ts';
import { compileError } from './compile-error.ts';
import { finishMachO } from './finish-macho.ts';
import { systemVariables } from './linking.ts';
import type { StepContext } from './step.ts';

/** The version of libkrunfw's interface that libkrun 1.x asks for; it stands in the library's name, too. */
const FIRMWARE_INTERFACE = 5;

/** Milliseconds without output: a compiler says nothing over the 100 MB of source that a kernel makes. */
const IDLE_LIMIT = 600_000;

const LINK: Readonly<Record<Target['platform'], (target: Target) => readonly string[]>> = {
  linux: ({ firmwareFile }) => [`-Wl,-soname,${firmwareFile}`, '-Wl,-z,noexecstack'],
  // Room for the name that is written afterwards.
  darwin: () => ['-Wl,-headerpad_max_install_names'],
};

/**
 * Compiles a guest kernel that came as C source to the library that libkrun opens.
 * @throws BuildError A3S1210 where nothing compiles for the target, A3S1203 or A3S1204 as the compiler fails, A3S1221
 *   and A3S1222 as {@link finishMachO}.
 */
export async function compileKernel(context: StepContext, source: string, library: string): Promise<void> {
  const { target } = context.config;
  const compiler = kernelCompilerOf(context.config, context.tools);
  if (compiler === undefined) {
    throw buildError('A3S1210', { message: `nothing on this machine compiles the guest kernel for ${target.id}` });
  }
  // Compiled by a bare name, so that no path of this machine gets into the library.
  const copy = 'kernel.c';
  await withDiskErrors(source, () => copyFile(source, join(context.temporary, copy)));
  // Optimised, since zig adds checks to what is not.
  const options = ['-O2', '-fPIC', '-shared', `-DABI_VERSION=${FIRMWARE_INTERFACE}`, ...LINK[target.platform](target)];
  const result = await runProcess({
    command: compiler.command,
    args: [...compiler.args, ...options, '-o', library, copy],
    cwd: context.temporary,
    env: { ...childEnvironment(context.variables), ...systemVariables(target) },
    log: context.log,
    signal: context.signal,
    idleLimit: IDLE_LIMIT,
  });
  if (result.code !== 0) throw await compileError(compiler.command, result, context.log);
  if (target.platform === 'darwin') {
    await finishMachO(context, { file: library, installName: target.firmwareFile, entitlements: null });
  }
}
