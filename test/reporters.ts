import { join } from 'node:path';

/** Vitest's reporters: for people, and in CI a JSON file named after the suite, from which the total is counted. */
export function reporters(suite: string): (string | [string, { outputFile: string }])[] {
  const folder = process.env['A3S_TEST_REPORTS'];
  return folder === undefined ? ['default'] : ['default', ['json', { outputFile: join(folder, `${suite}.json`) }]];
}
