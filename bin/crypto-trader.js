#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// React and Ink read this when they load: without it they run their development build, which leaks.
process.env.NODE_ENV ??= 'production';

// A checkout has sources and compiles itself when they are newer; an installed package has only dist.
if (existsSync(new URL('../src', import.meta.url))) {
  const { buildIfStale, buildWebIfStale } = await import('./build.js');
  await buildIfStale();
  if (process.argv.includes('serve')) buildWebIfStale();
}
// From Node 22.8 on, what V8 made of the code is kept beside it, where nobody else writes. Without: a sixth slower to start.
module.enableCompileCache?.(fileURLToPath(new URL('../.cache/compiled', import.meta.url)));
const { main } = await import('../dist/start/main.mjs');
await main(process.argv);
