import { catalogue, computeFeatures, streamFeatures } from '../src/core/features/catalogue.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../src/core/market/candles.ts';
import type { Timeframe } from '../src/core/market/timeframe.ts';
import { computeColumns } from '../src/data/panel/feature-threads.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { runPeer } from './peers/run.ts';

const YEARS_BARS = 17_520;
/** Those that need the symbol's own candles only. */
const features = catalogue.filter(({ needs }) => needs.length === 0);
const names = features.map(({ name }) => name);
/** Outputs that TA-Lib computes as well. */
const COMMON = [
  'rsi_14',
  'atr_14',
  'adx_14',
  'cci_14',
  'macd_histogram',
  'stochastic_d_14',
  'mfi_14',
  'bollinger_position',
];

export async function run(): Promise<readonly BenchRow[]> {
  const series = [1, 2, 3].map((seed) => walk(YEARS_BARS, seed));
  const million = walk(1_000_000, 4);
  const three = await medianMs(() => {
    for (const candles of series) computeFeatures(names, candles, '1h');
  }, 3);
  const common = await medianMs(() => computeFeatures(COMMON, million, '1m'), 3);
  const talib = runPeer('talib-indicators.py');
  return [
    {
      name: `all ${names.length} features, 3 x ${YEARS_BARS} bars`,
      value: three,
      unit: 'ms',
      target: '<= 90 ms',
    },
    millionBars(million, '1m'),
    await millionBarsOnTwo(million, '1m'),
    newBar(series[0]),
    costPerBar(),
    {
      name: `${COMMON.length} indicators, 1 M bars`,
      value: common,
      unit: 'ms',
      target: '<= 1.1 x TA-Lib',
      ...(talib === undefined
        ? { note: 'no Python with TA-Lib here' }
        : { peer: { name: 'TA-Lib', value: talib['ms'] } }),
    },
  ];
}

/** Group by group, as a caller would who cannot hold hundreds of columns of a million rows. */
function millionBars(candles: Candles, timeframe: Timeframe): BenchRow {
  const start = performance.now();
  let peakBytes = 0;
  for (const group of new Set(features.map((feature) => feature.group))) {
    computeFeatures(
      features.filter((feature) => feature.group === group).map(({ name }) => name),
      candles,
      timeframe,
    );
    peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
  }
  return {
    name: `all ${names.length} features, 1 M bars, group by group`,
    value: performance.now() - start,
    unit: 'ms',
    target: '<= 1500 ms, <= 2 GB',
    note: `${(peakBytes / 2 ** 30).toFixed(2)} GB resident`,
  };
}

/** All held at once, as whoever trains on them does. */
async function millionBarsOnTwo(candles: Candles, timeframe: Timeframe): Promise<BenchRow> {
  const ms = await medianMs(
    () => computeColumns(names, [{ candles, inputs: {} }], { timeframe, known: catalogue, threads: 2 }),
    3,
  );
  return {
    name: `all ${names.length} features, 1 M bars, two threads`,
    value: ms,
    unit: 'ms',
    target: '<= 850 ms',
    note: `${(process.memoryUsage().rss / 2 ** 30).toFixed(2)} GB resident, all columns held`,
  };
}

function newBar(candles: Candles): BenchRow {
  const stream = streamFeatures(names, '1h');
  const times: number[] = [];
  for (let row = 0; row < candles.time.length; row++) {
    const bar = {
      time: candles.time[row],
      open: candles.open[row],
      high: candles.high[row],
      low: candles.low[row],
      close: candles.close[row],
      volume: candles.volume[row],
    };
    const start = performance.now();
    stream.push(bar);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { name: 'one new bar', value: times[times.length >> 1], unit: 'ms', target: '<= 0.02 ms' };
}

/**
 * All features of ever longer histories that are never held whole: a thousand bars in, a thousand rows out. The slope of
 * log time on log bars is 1 where a bar costs the same however many came before.
 */
function costPerBar(): BenchRow {
  const page = walk(1000, 5);
  streamFeatures(names, '1m').append(page); // compiles the formulas
  const points = [1e4, 1e5, 1e6].map((bars) => {
    const stream = streamFeatures(names, '1m');
    const start = performance.now();
    for (let from = 0; from < bars; from += 1000) stream.append(page);
    return { bars: Math.log(bars), ms: Math.log(performance.now() - start) };
  });
  const [first, , last] = points;
  return {
    name: 'slope of log time on log bars, 10^4 to 10^6, all features streamed',
    value: (last.ms - first.ms) / (last.bars - first.bars),
    unit: '',
    target: '<= 1.05',
    note: `${(process.memoryUsage().rss / 2 ** 30).toFixed(2)} GB resident; ${(Math.exp(last.ms - last.bars) * 1000).toFixed(1)} us a bar`,
  };
}

function walk(rows: number, seed: number): Candles {
  const random = createRandom(seed);
  const candles = emptyCandles(rows);
  let close = 100;
  for (let row = 0; row < rows; row++) {
    const open = close;
    close = open * Math.exp(0.005 * normal(random));
    candles.time[row] = Date.UTC(2024, 0, 1) + row * 60_000;
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = Math.max(open, close) * (1 + 0.002 * random());
    candles.low[row] = Math.min(open, close) * (1 - 0.002 * random());
    candles.volume[row] = 1000 * random();
  }
  return candles;
}
