import type { VmProcess } from './api.ts';

/** The handle of a VM, which can be awaited for its exit code. */
export function vmHandle(parts: Omit<VmProcess, 'then'>): VmProcess {
  const { exit } = parts;
  // Whoever reads the output first and awaits the end later must not find the process ended by a rejection meanwhile.
  exit.catch(() => {});
  return {
    ...parts,
    // biome-ignore lint/suspicious/noThenProperty: awaiting the handle is part of the interface
    then: (fulfilled, rejected) => exit.then(({ code }) => code).then(fulfilled, rejected),
  };
}
