import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/boot/**', 'test/faults/**', 'test/addon/**'],
    testTimeout: 20_000,
  },
});
