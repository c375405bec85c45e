import { join } from 'node:path';
import { type StepDefinition, value } from './step-definition.ts';
import type { StepId } from './steps.ts';

/**
 * The steps of stub mode: the ones of a build that make something without libkrun. None of them reads anything of the
 * machine, so that the result is the same everywhere.
 */
export const STUB_DEFINITIONS: Readonly<Partial<Record<StepId, StepDefinition>>> = {
  bindings: {
    title: 'committed bindings',
    needs: [],
    scope: 'once',
    version: 1,
    inputs: (config, _pins, { generated = join(config.toolRoot, 'generated') }) => [
      value('generator', config.toolVersion),
      { kind: 'file', name: 'abi.json', path: join(generated, 'abi.json') },
      { kind: 'file', name: 'libkrun.d.ts', path: join(generated, 'libkrun.d.ts') },
    ],
  },
  addon: {
    title: 'stub of the Node addon',
    needs: ['bindings'],
    scope: 'once',
    version: 1,
    inputs: (config) => [
      value('generator', config.toolVersion),
      { kind: 'step', name: 'interface', step: 'bindings', only: ['abi.json'] },
    ],
  },
  package: {
    title: 'stub npm package',
    needs: ['bindings', 'addon'],
    scope: 'once',
    version: 1,
    inputs: (config) => [
      value('package', config.package),
      value('generator', config.toolVersion),
      value('date', String(config.environment.sourceDate)),
      { kind: 'tree', name: 'run-time code', path: join(config.toolRoot, 'dist', 'npm') },
      { kind: 'tree', name: 'licences', path: join(config.toolRoot, 'vendor', 'licenses') },
      { kind: 'step', name: 'types', step: 'bindings', only: ['libkrun.d.ts'] },
      { kind: 'step', name: 'addon', step: 'addon' },
    ],
  },
};
