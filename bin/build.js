import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Compiles src/ into dist/ unless dist/ is at least as new. Says so on stderr, and only when it works. */
export function buildIfStale() {
  const built = modifiedMs(join(root, 'dist/.tsbuildinfo'));
  if (built >= newestMs(['src'])) return;

  process.stderr.write('Compiling crypto-trader (once after an install or a change) ...\n');
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    // It says what dist/ was made from; without it the next start compiles, and complains, again.
    rmSync(join(root, 'dist/.tsbuildinfo'), { force: true });
    process.exit(70);
  }
  // tsc leaves the file alone when nothing changed in substance; its time is what says that it looked.
  const now = new Date();
  utimesSync(join(root, 'dist/.tsbuildinfo'), now, now);
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
