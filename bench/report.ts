import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeReport } from '../src/app/report/write-report.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { emptyCandles } from '../src/core/market/candles.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import { backtest } from '../src/lab/backtest/backtest.ts';
import { backtestDocument } from '../src/lab/backtest/document.ts';
import { type BenchRow, medianMs } from './bench.ts';

/** Six years of hours; one trade in ten bars. */
const BARS = 52_560;
const HOUR_MS = 3_600_000;
const MODELS = 12;

/** A report of 52 560 bars and 5 000 trades: how long it takes, how large it is, how soon a browser shows it. */
export async function run(): Promise<readonly BenchRow[]> {
  const result = longBacktest();
  const trades = result.ensemble.run.trades.length;
  const about = {
    exchange: 'made-up',
    symbols: ['BTC/USDT'],
    timeframe: '1h',
    synthetic: true,
    dataFingerprint: 'none',
    trainedBy: 'the benchmark',
    fromMs: result.market.time[0],
    untilMs: result.market.time[BARS - 1] + HOUR_MS,
    missingBars: 0,
    seed: 1,
    warnings: [],
    trials: { count: 1, effective: 1, barSharpes: [] },
  };
  const folder = mkdtempSync(join(tmpdir(), 'report-bench-'));
  try {
    const file = join(folder, 'report.html');
    const document = backtestDocument(result, about, 'equity.csv');
    const ms = await medianMs(() => writeReport(file, result, about, { document }));
    const note = `${BARS} bars, ${trades} trades, ${MODELS} models`;
    return [
      { name: 'written', value: ms / 1000, unit: 's', target: '<= 1.5', note },
      { name: 'size', value: statSync(file).size / 1e6, unit: 'MB', target: '<= 4', note },
      ...(await opened(file)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From the start of the navigation to the end of all scripts, in Chromium; nothing where there is none. */
async function opened(file: string): Promise<readonly BenchRow[]> {
  const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    existsSync,
  );
  if (executable === undefined) return [];
  return [
    { name: 'opened in Chromium', value: (await loadMs(executable, file)) / 1000, unit: 's', target: '<= 1' },
  ];
}

/**
 * Milliseconds from the start of the navigation to the end of the load event of a page of one file, the median of three
 * starts of a headless browser: the page writes its own time into its title, and the browser prints what became of it.
 */
async function loadMs(executable: string, file: string): Promise<number> {
  const timed = join(dirname(file), 'timed.html');
  const probe =
    '<script>addEventListener("load", () => { document.title = "ms " + performance.now(); });</script>';
  writeFileSync(timed, readFileSync(file, 'utf8').replace('</body>', `${probe}</body>`));
  const times: number[] = [];
  for (let run = 0; run < 3; run++) times.push(await once(executable, timed));
  return times.sort((a, b) => a - b)[1];
}

async function once(executable: string, file: string): Promise<number> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  try {
    const child = spawn(
      executable,
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${profile}`,
        '--dump-dom',
        `file://${file}`,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await new Promise((done, fail) => child.once('close', done).once('error', fail));
    const found = /<title>ms ([\d.]+)<\/title>/.exec(text)?.[1];
    if (found === undefined) throw new Error('The browser did not say when it had loaded the page.');
    return Number(found);
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

function longBacktest() {
  const random = createRandom(7);
  const candles = emptyCandles(BARS);
  let last = 30_000;
  for (let row = 0; row < BARS; row++) {
    const close = Number((last * Math.exp(0.006 * normal(random))).toFixed(2));
    candles.time[row] = Date.UTC(2020, 0, 1) + row * HOUR_MS;
    candles.open[row] = last;
    candles.close[row] = close;
    candles.high[row] = Number((Math.max(last, close) * (1 + 0.002 * random())).toFixed(2));
    candles.low[row] = Number((Math.min(last, close) * (1 - 0.002 * random())).toFixed(2));
    candles.volume[row] = 100;
    last = close;
  }
  const symbol = 'BTC/USDT' as const;
  const forecast = (k: number) => {
    const position = candles.close.map((_, row) => (Math.floor((row + k) / 5) % 2 === 0 ? 1 : 0));
    return [{ symbol, horizonBars: 1, position, confidence: position }];
  };
  return backtest({
    panel: { timeframe: '1h', series: [{ symbol, candles, features: { names: [], columns: [] } }] },
    range: { fromMs: candles.time[0], untilMs: candles.time[BARS - 1] + HOUR_MS },
    ensemble: forecast(0),
    members: Array.from({ length: MODELS }, (_, k) => ({
      id: `model-${k}`,
      kind: 'model' as const,
      forecasts: forecast(k),
    })),
    instruments: [{ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }],
    rules: { ...SPOT_RULES, feeBps: 0, slippageBps: 0 },
    seed: 1,
  });
}
