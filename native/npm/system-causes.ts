import { VmError, type VmExit } from './api.ts';
import { askMac, macCauses } from './macos.ts';

/** Says why a system does not start VMs, a sentence for each cause; empty when it does not know. */
export type SystemCauses = (launcher: string) => Promise<readonly string[]>;

/** Systems that end a launcher, or refuse it, without a word. */
const BY_PLATFORM: Readonly<Record<string, SystemCauses>> = {
  darwin: async (launcher) => macCauses(await askMac(launcher)),
};

/** What asks this system; undefined where the launcher itself tells all there is. */
export function systemCauses(platform: string): SystemCauses | undefined {
  return BY_PLATFORM[platform];
}

/**
 * A better error for an end that says nothing: the launcher was ended by SIGKILL, as for a bad signature, or libkrun was
 * refused the VM. Undefined when there is none.
 */
export async function explainEnd(
  launcher: string,
  { exit, failure }: { readonly exit: VmExit; readonly failure: VmError | undefined },
  causes: SystemCauses,
): Promise<VmError | undefined> {
  const killed = failure === undefined && exit.signal === 'SIGKILL';
  const refused = failure?.code === 'LAUNCHER_CALL' && failure.function === 'krun_start_enter';
  if (!killed && !refused) return undefined;
  const found = await causes(launcher);
  if (found.length === 0) return undefined;
  const what = killed ? `${launcher} was ended by SIGKILL` : failure?.message;
  return new VmError(failure?.code ?? 'LAUNCHER_NOT_STARTED', `${what}: ${found.join('; ')}`, {
    function: failure?.function,
    errno: failure?.errno,
    exitCode: exit.code,
    cause: failure,
  });
}
