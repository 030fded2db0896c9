/** Runs the built program's main job, offline and small, on whatever Node executes this file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-smoke-'));
const run = (...args) => {
  const output = execFileSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' });
  console.log(`ok crypto-trader ${args.join(' ')}`);
  return output;
};
try {
  run('--help');
  run('config', 'show');
} finally {
  rmSync(folder, { recursive: true });
}
