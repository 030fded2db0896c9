import { defineConfig } from 'vitest/config';

export default defineConfig({
  // React is loaded in its production build (see NODE_ENV below), which has no development JSX.
  oxc: { jsx: { runtime: 'automatic', development: false } },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    globalSetup: ['tests/support/build.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Of tests that say they may run side by side: they wait for answers, not for the processor.
    maxConcurrency: 16,
    // `npm run coverage -- tests/core --coverage.include='src/core/**'`: what tests run in this process, not in programs that they start.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.{ts,tsx}'],
      reporter: ['text-summary', 'json-summary'],
      reportsDirectory: 'node_modules/.cache/coverage',
    },
    env: { TZ: 'UTC', NODE_ENV: 'production' },
  },
});
