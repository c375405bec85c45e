import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/boot/**/*.test.ts'],
    testTimeout: 400_000,
    hookTimeout: 180_000,
    // One emulated host at a time: each takes all processors.
    fileParallelism: false,
  },
});
