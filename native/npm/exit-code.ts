import { constants } from 'node:os';

const KNOWN: Readonly<Record<number, string>> = {
  126: 'the guest found the command and could not execute it, or the command ended with this code itself',
  127: 'the guest did not find the command, or the command ended with this code itself',
};

/** Added to a signal's number to make an exit code, in shells and in the launcher. */
const SIGNAL_BASE = 128;

/** What an exit code of a VM means beyond "the command's own": 126, 127 and 128 plus a signal; else undefined. */
export function explainExitCode(code: number): string | undefined {
  const signal = Object.entries(constants.signals).find(([, number]) => number + SIGNAL_BASE === code)?.[0];
  return KNOWN[code] ?? (signal === undefined ? undefined : `ended by ${signal}`);
}
