import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchRow } from './bench.ts';
import { runProgram, type Usage } from './program.ts';

/** How many minutes, those of all symbols together. Made-up candles begin in 2017, which leaves room for five million of each: `SLOPE_BARS=1e6,1e7 SLOPE_SYMBOLS=2`. */
const SIZES = (process.env['SLOPE_BARS'] ?? '1e4,1e5,1e6').split(',').map(Number);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'].slice(0, Number(process.env['SLOPE_SYMBOLS'] ?? 1));
const SINCE_MS = Date.UTC(2017, 0, 1);
const MARKET = ['--exchange', 'synthetic', '--symbols', SYMBOLS.join(','), '--timeframe', '1m'];

/** What is asked of each size, in this order: the later ones use the run of the first. */
const COMMANDS = {
  'train (boosted trees)': [
    ...['train', '--mode', 'quick', '--models', 'boosted-trees', '--allow-synthetic', ...MARKET],
    ...['--since', new Date(SINCE_MS).toISOString()],
  ],
  backtest: ['backtest'],
  signals: ['signals'],
  'features --check': ['features', '--check', ...MARKET],
};

/**
 * What commands cost on ever longer histories of minutes, as a user starts them. The slope of log processor time on log
 * bars, between the two longest: 1 where a bar costs the same however many there are.
 */
export async function run(): Promise<readonly BenchRow[]> {
  const taken: Record<string, Usage>[] = [];
  for (const bars of SIZES) taken.push(await measure(bars));
  const [before, last] = taken.slice(-2);
  const [fewer, more] = SIZES.slice(-2);
  return Object.keys(COMMANDS).map((name) => ({
    name: `${name}: slope of log time on log minutes, ${fewer} to ${more}`,
    value: Math.log(last[name].cpuSeconds / before[name].cpuSeconds) / Math.log(more / fewer),
    unit: '',
    target: '<= 1.05',
    note: taken
      .map(
        (each, i) => `${SIZES[i]}: ${each[name].cpuSeconds.toFixed(1)} s, ${each[name].peakMb.toFixed(0)} MB`,
      )
      .join('; '),
  }));
}

async function measure(bars: number): Promise<Record<string, Usage>> {
  const home = mkdtempSync(join(tmpdir(), 'crypto-trader-bench-'));
  const range = [SINCE_MS, SINCE_MS + (bars / SYMBOLS.length) * 60_000].map((ms) =>
    new Date(ms).toISOString(),
  );
  try {
    const [since, until] = range;
    const fetch = ['fetch', '--source', 'synthetic', ...MARKET, '--since', since, '--until', until];
    await runProgram(fetch, home);
    const usages: Record<string, Usage> = {};
    for (const [name, args] of Object.entries(COMMANDS)) {
      usages[name] = await runProgram(args, home);
      console.error(`${bars} minutes, ${name}: ${JSON.stringify(usages[name])}`);
    }
    return usages;
  } finally {
    rmSync(home, { recursive: true });
  }
}
