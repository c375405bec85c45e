import { systemCode } from './files.ts';

/** Process groups that are alive; ended together when the program must go. */
const groups = new Set<number>();

/** Remembers the group of a child that was started, until it is forgotten. */
export function rememberGroup(group: number): void {
  groups.add(group);
}

export function forgetGroup(group: number): void {
  groups.delete(group);
}

/** Sends `signal` to every child process group that is still alive. */
export function signalAllGroups(signal: NodeJS.Signals): void {
  for (const group of groups) signalGroup(group, signal);
}

export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // No such group: it has ended already, which is what was wanted.
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}
