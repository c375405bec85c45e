import { defineConfig } from 'vitest/config';
import { reporters } from './reporters.ts';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // These need a finished build: `npm run test:e2e` runs them.
    exclude: ['test/e2e/**', 'test/boot/**', 'test/addon/**'],
    // Most of the time goes into waiting for processes and servers that the tests start.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: reporters('unit'),
  },
});
