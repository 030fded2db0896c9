import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/** The page goes into dist/ beside the compiled program: what is published is one folder. */
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: resolve(import.meta.dirname, '../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // Inlined pictures would be data: addresses, and pieces loaded ahead would need an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 300,
  },
});
