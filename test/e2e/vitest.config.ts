import { defineConfig } from 'vitest/config';
import { reporters } from '../reporters.ts';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    // The launcher's own boot tests take the prefix that the full build made.
    include: ['test/e2e/**/*.test.ts', 'test/boot/**/*.test.ts', 'test/addon/derived.test.ts'],
    env: { A3S_TEST_CARGO: '1' },
    reporters: reporters('e2e'),
    globalSetup: ['test/e2e/full-build.ts'],
    testTimeout: 400_000,
    hookTimeout: 300_000,
    // Builds and emulated hosts take all processors: two at a time would only slow each other down.
    fileParallelism: false,
  },
});
