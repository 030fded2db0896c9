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
    env: { TZ: 'UTC', NODE_ENV: 'production' },
  },
});
