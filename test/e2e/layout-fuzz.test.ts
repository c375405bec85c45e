import { expect, it } from 'vitest';
import { fuzzLayouts } from '../helpers/layout-fuzz.ts';

/** Another seed every day, so that the cases do not stay the same; `A3S_FUZZ_SEED` repeats a run. */
const seed = Number(process.env['A3S_FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));

it(`lays 1,000 random declarations out as cc and rustc do (A3S_FUZZ_SEED=${seed})`, async () => {
  const { wrong, records, withoutMembers, constants } = await fuzzLayouts(seed, 10, 100);
  console.log(`layout fuzz: seed ${seed}, ${records} records, ${constants} constants`);
  expect(wrong, `A3S_FUZZ_SEED=${seed}`).toEqual([]);
  expect(records).toBeGreaterThan(500);
  expect(constants).toBeGreaterThan(150);
  // Attributes and pragmas, of which there are far more here than in any header, leave some known by size alone.
  expect(withoutMembers.length, withoutMembers.join(', ')).toBeLessThan(records / 10);
}, 300_000);
