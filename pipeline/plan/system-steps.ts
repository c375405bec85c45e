import { type Definitions, value } from './step-definition.ts';
import type { InputSpec, LeftOut } from './steps.ts';
import { SYSTEM_FIRMWARE } from './system-libkrun.ts';

/** What the steps are where a libkrun of the system is taken: nothing is built, and the kernel comes with the library. */
export const SYSTEM_DEFINITIONS = {
  libkrun: {
    title: 'libkrun of this system',
    needs: ['bindings'],
    version: 1,
    inputs: (config, pins, { system }) => [
      value('target', config.target.triple),
      value('candidates', system),
      value('exports', pins.libkrun.exports),
      value('own firmware', String(config.environment.firmwareFile !== undefined)),
      // Refused ones too: one that is repaired is then looked at again.
      ...system
        .flatMap(({ library, firmware }) => [library, firmware])
        .filter((path) => path !== null)
        .map((path): InputSpec => ({ kind: 'file', name: path, path })),
      { kind: 'step', name: 'functions', step: 'bindings', only: ['committed/abi.json'] },
    ],
  },
  firmware: {
    title: 'guest kernel of this system',
    needs: ['libkrun'],
    version: 1,
    inputs: () => [{ kind: 'step', name: 'firmware', step: 'libkrun', only: [SYSTEM_FIRMWARE] }],
  },
} satisfies Definitions;

/** Steps that a libkrun of the system leaves without a purpose, and why. */
export const SYSTEM_LEAVES_OUT: readonly LeftOut[] = [
  { step: 'addon', why: 'it is made for packages, and a libkrun of this system is never packed' },
  {
    step: 'package',
    why: 'a libkrun of this system is never packed: its licence, its build and its glibc are not ours',
  },
];
