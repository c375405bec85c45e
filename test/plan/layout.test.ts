import { expect, it } from 'vitest';
import { layoutOf, targetName } from '../../pipeline/plan/layout.ts';
import { testConfig } from '../helpers/session.ts';

it('puts what is for one target below its name, packages and logs beside', () => {
  const config = testConfig('/f', { out: 'out' });
  expect(targetName(config)).toBe('linux-x64');
  expect(layoutOf(config)).toEqual({
    root: '/f/out',
    target: '/f/out/linux-x64',
    npm: '/f/out/npm',
    logs: '/f/out/logs',
  });
});

it('gives a stub a folder of its own for everything', () => {
  const config = testConfig('/f', { out: 'out' }, { A3S_DEPS_STUB: '1' });
  expect(targetName(config)).toBe('stub');
  expect(layoutOf(config)).toEqual({
    root: '/f/out/stub',
    target: '/f/out/stub',
    npm: '/f/out/stub/npm',
    logs: '/f/out/stub/logs',
  });
});
