import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Compiles src/ into dist/ unless dist/ is at least as new. Says so on stderr, and only when it works. */
export async function buildIfStale() {
  // What is written last, and only when all before it worked.
  const built = modifiedMs(join(root, 'dist/start/main.mjs'));
  if (built >= newestMs(['src'])) return;

  process.stderr.write('Compiling crypto-trader (once after an install or a change) ...\n');
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(70);
  const { bundleProgram } = await import('./bundle.js');
  await bundleProgram(join(root, 'dist')).catch((error) => {
    process.stderr.write(`${error}\n`);
    process.exit(70);
  });
}

/** Builds the page of `serve` into dist/web unless it is at least as new as web/. */
export function buildWebIfStale() {
  const built = modifiedMs(join(root, 'dist/web/index.html'));
  if (built >= newestMs(['web/src', 'web/public', 'web/index.html', 'web/vite.config.js'])) return;

  process.stderr.write('Building the page of crypto-trader (once after an install or a change) ...\n');
  const vite = createRequire(import.meta.url).resolve('vite/package.json');
  const args = [join(vite, '../bin/vite.js'), 'build', join(root, 'web'), '--logLevel', 'error'];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(70);
}

/** When the youngest of these files, and of the files in these folders, was written. */
function newestMs(places) {
  const files = places.flatMap((place) =>
    statSync(join(root, place)).isDirectory()
      ? readdirSync(join(root, place), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [join(root, place)],
  );
  return Math.max(...files.map(modifiedMs));
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
