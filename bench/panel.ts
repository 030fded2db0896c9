import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../src/core/features/catalogue.ts';
import type { BenchRow } from './bench.ts';
import { runProgram } from './program.ts';

const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
const MINUTES = 731 * 1440;
const MARKET = ['--exchange', 'synthetic', '--symbols', SYMBOLS.join(','), '--timeframe', '1m'];
const RANGE = ['--since', '2017-01-01', '--until', '2019-01-01'];

/** What training holds of two years of minutes of three symbols: boosted trees on their default features and on all that need candles alone. */
export async function run(): Promise<readonly BenchRow[]> {
  const home = mkdtempSync(join(tmpdir(), 'crypto-trader-bench-'));
  const every = catalogue.filter(({ needs }) => needs.length === 0).map(({ name }) => name);
  try {
    await runProgram(['fetch', '--source', 'synthetic', ...MARKET, ...RANGE], home);
    const rows: BenchRow[] = [];
    for (const [what, config, features] of [
      ['default', '', 55],
      ['all', `models: { boosted-trees: { features: [${every.join(', ')}] } }\n`, every.length],
    ] as const) {
      writeFileSync(join(home, 'config.yaml'), config);
      const { peakMb, cpuSeconds } = await runProgram(
        ['train', '--mode', 'quick', '--models', 'boosted-trees', '--allow-synthetic', ...MARKET, ...RANGE],
        home,
      );
      const columnsGb = (4 * features * SYMBOLS.length * MINUTES) / 1e9;
      rows.push({
        name: `boosted trees on ${SYMBOLS.length} x ${MINUTES} minutes, ${what} features (${features}): peak memory`,
        value: peakMb / 1024,
        unit: 'GiB',
        target: '<= 2',
        peer: { name: 'the columns alone in single precision', value: columnsGb / 1.024 ** 3 },
        note: `${cpuSeconds.toFixed(0)} s of processor time`,
      });
    }
    return rows;
  } finally {
    rmSync(home, { recursive: true });
  }
}
