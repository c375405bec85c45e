import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/full-build.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Builds and emulated hosts take all processors: two at a time would only slow each other down.
    fileParallelism: false,
  },
});
