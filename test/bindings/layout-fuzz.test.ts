import { expect, it } from 'vitest';
import { fuzzLayouts } from '../helpers/layout-fuzz.ts';

it('lays 30 random declarations out as cc and rustc do', async () => {
  const { wrong, records } = await fuzzLayouts(20_251, 1, 30);
  expect(wrong).toEqual([]);
  expect(records).toBeGreaterThan(10);
}, 60_000);
