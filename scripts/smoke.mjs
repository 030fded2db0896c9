/** Runs the built program's main job, offline and small, on whatever Node executes this file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-smoke-'));
// Everything below reads what `fetch --source synthetic` stores.
writeFileSync(
  join(folder, 'config.yaml'),
  'exchange: { id: synthetic }\nmarket: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\n',
);
const run = (...args) => {
  const output = execFileSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' });
  console.log(`ok crypto-trader ${args.join(' ')}`);
  return output;
};
try {
  run('--help');
  run('doctor', '--offline');
  run('fetch', '--source', 'synthetic', '--until', '2025-04-01');
  run('data', 'verify', '--exchange', 'synthetic');
  run('train', '--mode', 'quick', '--allow-synthetic');
  run('backtest');
  run('signals');
  run('paper', '--no-exchange', '--max-cycles', '2');
  run('dashboard', '--once');
} finally {
  rmSync(folder, { recursive: true });
}
