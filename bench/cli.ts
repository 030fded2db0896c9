import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BenchRow, medianMs } from './bench.ts';

const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');
const CLASSICAL = 'buy-and-hold,persistence,one-bar-reversal,momentum-garch,mean-reversion,boosted-trees';

/** Whole-process times, as a user at a prompt feels them. */
export async function run(): Promise<readonly BenchRow[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'bench-cli-'));
  const cli = (...args: string[]): unknown =>
    execFileSync(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    writeFileSync(join(cwd, 'config.yaml'), 'exchange: { id: synthetic }\n');
    cli('fetch', '--source', 'synthetic', '--since', '2024-02-15', '--until', '2026-02-13');
    cli('train', '--models', CLASSICAL, '--allow-synthetic');
    const bare = await medianMs(() => execFileSync(process.execPath, ['-e', '0']));
    const help = await medianMs(() => cli('--help'));
    const signals = await medianMs(() => cli('signals'));
    const empty = { name: 'an empty Node process', value: bare / 1000 };
    return [
      { name: 'crypto-trader --help', value: help / 1000, unit: 's', target: '<= 0.2 s', peer: empty },
      {
        name: 'signals of six models, cold',
        value: signals / 1000,
        unit: 's',
        target: '<= 1.5 s',
        peer: empty,
        note: '3 x 17 520 stored bars, features computed from the first one on',
      },
    ];
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
