import { basename } from 'node:path';
import { missingMachOTools } from '../effects/cross-requirements.ts';
import { runProcess } from '../effects/process.ts';
import { childEnvironment } from '../plan/child-environment.ts';
import { buildError } from '../plan/errors.ts';
import { foundAs, type MachOTool, machoTools } from '../plan/macho-tools.ts';
import type { StepContext } from './step.ts';

/** What a file built for macOS goes through after the linker. */
export interface MachOFinish {
  readonly file: string;
  /** Name by which others load it; null for what is no library. */
  readonly installName: string | null;
  /** Property list with the entitlements; null for none. */
  readonly entitlements: string | null;
}

/** Milliseconds without output: both programs are done in less than a second. */
const IDLE_LIMIT = 120_000;

/**
 * Gives a file built for macOS its install name and then, always last, its ad-hoc signature: any later change would
 * make the signature wrong, and macOS ends such a program when it starts.
 * @throws BuildError A3S1221 when a program is missing, A3S1222 when one fails: a file without a good signature is of
 *   no use, so this is never passed over.
 */
export async function finishMachO(context: FinishContext, { file, installName, entitlements }: MachOFinish) {
  const tools = machoTools(context.config.host);
  if (installName !== null) await change(context, tools.rename, { file, installName });
  await change(context, tools.sign, { file, identifier: basename(file), entitlements });
}

export type FinishContext = Pick<StepContext, 'config' | 'tools' | 'variables' | 'log' | 'signal' | 'temporary'>;

async function change<Task extends { readonly file: string }>(
  context: FinishContext,
  tool: MachOTool<Task>,
  task: Task,
) {
  const command = foundAs(tool, context.tools);
  if (command === undefined) throw missingMachOTools([tool]);
  const result = await runProcess({
    command,
    args: tool.arguments(task),
    cwd: context.temporary,
    env: childEnvironment(context.variables),
    log: context.log,
    signal: context.signal,
    idleLimit: IDLE_LIMIT,
  });
  if (result.code === 0) return;
  const how = result.signal === null ? `failed with exit code ${result.code}` : `was killed by ${result.signal}`;
  const said = result.tail.findLast((line) => line.trim() !== '') ?? 'it printed nothing';
  throw buildError('A3S1222', {
    message: `${command} ${how} for ${basename(task.file)}: ${said}`,
    where: { file: context.log },
    log: context.log,
  });
}
