import { expect, it } from 'vitest';
import { ERROR_TABLE, isErrorCode } from '../../pipeline/plan/error-table.ts';
import { BuildError, buildError, toFailure } from '../../pipeline/plan/errors.ts';

it.each(Object.entries(ERROR_TABLE))('%s has a title, a cause and a fix', (code, entry) => {
  expect(code).toMatch(/^A3S[1-9]\d{3}$/);
  for (const text of [entry.title, entry.cause, entry.fix]) expect(text.length).toBeGreaterThan(8);
  expect(entry.title).not.toMatch(/\.$/);
  expect(entry.cause).toMatch(/\.$/);
});

it('knows its codes and no inherited names', () => {
  expect(isErrorCode('A3S1203')).toBe(true);
  expect(isErrorCode('toString')).toBe(false);
});

it('fills a failure from the table, and lets more be known', () => {
  expect(buildError('A3S2001', { message: 'm' }).failure).toMatchObject({
    code: 'A3S2001',
    exit: 65,
    fix: ERROR_TABLE.A3S2001.fix,
  });
  expect(buildError('A3S2001', { message: 'm', fix: 'better' }).failure.fix).toBe('better');
});

it('keeps the lower error', () => {
  const origin = new Error('below');
  expect(buildError('A3S9001', { message: 'm' }, origin).cause).toBe(origin);
});

it('takes everything else that is thrown for a bug', () => {
  expect(toFailure(new TypeError('x is undefined'))).toMatchObject({
    code: 'A3S9001',
    exit: 70,
    message: 'x is undefined',
  });
  expect(toFailure('text')).toMatchObject({ code: 'A3S9001', message: 'text' });
  expect(toFailure(buildError('A3S1203', { message: 'm' }))).toMatchObject({ code: 'A3S1203' });
  expect(new BuildError(buildError('A3S1203', { message: 'm' }).failure).code).toBe('A3S1203');
});
