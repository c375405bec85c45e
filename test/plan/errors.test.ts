import { expect, it } from 'vitest';
import { buildError, orFailure } from '../../pipeline/plan/errors.ts';

it('gives a failure as a value, and lets a bug pass', () => {
  const failure = buildError('A3S5002', { message: 'no such file' });
  expect(orFailure(() => 7)).toBe(7);
  expect(
    orFailure(() => {
      throw failure;
    }),
  ).toBe(failure);
  const bug = (): number => {
    throw new TypeError('undefined is no function');
  };
  expect(() => orFailure(bug)).toThrow(TypeError);
});
