import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Compiles src/ into dist/ unless dist/ is at least as new. Says so on stderr, and only when it works. */
export function buildIfStale() {
  const built = modifiedMs(join(root, 'dist/.tsbuildinfo'));
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }).filter((e) =>
    e.isFile(),
  );
  const newest = Math.max(...sources.map((entry) => modifiedMs(join(entry.parentPath, entry.name))));
  if (built >= newest) return;

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

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
