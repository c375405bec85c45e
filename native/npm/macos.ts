import { execFile } from 'node:child_process';

/** What macOS says of itself and of the launcher; null where it gave no answer. */
export interface MacFacts {
  /** Value of `kern.hv_support`. */
  readonly hvSupport: string | null;
  /** Whether the launcher's signature holds for its bytes. */
  readonly signed: boolean | null;
  /** The launcher's entitlements as a property list; empty where it has none. */
  readonly entitlements: string | null;
}

/** The end of a command: its exit code (null where it could not be started) and what it printed. */
export interface Answer {
  readonly code: number | null;
  readonly output: string;
}

export type Ask = (command: string, args: readonly string[]) => Promise<Answer>;

const ENTITLEMENT = 'com.apple.security.hypervisor';
const ENTITLED = new RegExp(`<key>${ENTITLEMENT.replaceAll('.', '\\.')}</key>\\s*<true\\s*/>`);

/** Why this Mac does not start VMs, a sentence for each cause; empty when nothing speaks against it. Pure. */
export function macCauses({ hvSupport, signed, entitlements }: MacFacts): string[] {
  return [
    ...(hvSupport === null || hvSupport === '1'
      ? []
      : [
          `this Mac does not offer Hypervisor.framework (kern.hv_support is ${hvSupport}), as inside a virtual machine`,
        ]),
    ...(signed === false
      ? ["the launcher's signature does not fit its bytes, and macOS ends such a program: install the package again"]
      : []),
    ...(entitlements === null || ENTITLED.test(entitlements)
      ? []
      : [`the launcher's signature lacks the entitlement ${ENTITLEMENT}: install the package again`]),
  ];
}

/** Asks the system's own programs, which every Mac has. */
export async function askMac(launcher: string, ask: Ask = runBriefly): Promise<MacFacts> {
  const [support, signature, entitlements] = await Promise.all([
    ask('/usr/sbin/sysctl', ['-n', 'kern.hv_support']),
    ask('/usr/bin/codesign', ['--verify', '--strict', launcher]),
    ask('/usr/bin/codesign', ['--display', '--entitlements', '-', '--xml', launcher]),
  ]);
  const text = ({ code, output }: Answer): string | null => (code === 0 ? output.trim() : null);
  return {
    hvSupport: text(support),
    signed: signature.code === null ? null : signature.code === 0,
    entitlements: text(entitlements),
  };
}

/** Milliseconds after which a program counts as silent. */
const PATIENCE = 5000;

function runBriefly(command: string, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: PATIENCE, env: {} }, (error, output) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, output });
    });
  });
}
