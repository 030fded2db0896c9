import type { FeatureInputs } from '../../../src/core/features/inputs.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import type { Candles } from '../../../src/core/market/candles.ts';
import {
  knownMsOf,
  seriesKind,
  SERIES_NAMES,
  type SeriesName,
} from '../../../src/core/market/series-kinds.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import { closedBars, type TimedSeries } from '../../../src/core/market/timed-series.ts';

const HOUR_MS = TIMEFRAME_MS['1h'];

/** How often a row comes, and around which value it moves. */
const SHAPE: Readonly<Record<SeriesName, { readonly everyMs: number; readonly level: number }>> = {
  funding: { everyMs: 8 * HOUR_MS, level: 0.0001 },
  'open-interest': { everyMs: HOUR_MS, level: 80_000 },
  'order-book': { everyMs: HOUR_MS / 4, level: 100 },
  'on-chain': { everyMs: 24 * HOUR_MS, level: 1000 },
  'fear-greed': { everyMs: 24 * HOUR_MS, level: 50 },
  stablecoins: { everyMs: 24 * HOUR_MS, level: 1e11 },
  'bitcoin-fees': { everyMs: 24 * HOUR_MS, level: 1e6 },
  'fee-rates': { everyMs: 24 * HOUR_MS, level: 5 },
  gas: { everyMs: 24 * HOUR_MS, level: 20 },
  whales: { everyMs: 24 * HOUR_MS, level: 500 },
  'long-term-holders': { everyMs: 24 * HOUR_MS, level: 1.4e7 },
  liquidations: { everyMs: 24 * HOUR_MS, level: 1e8 },
  news: { everyMs: HOUR_MS / 2, level: 0.5 },
  spx: { everyMs: 24 * HOUR_MS, level: 5000 },
  dxy: { everyMs: 24 * HOUR_MS, level: 100 },
  gold: { everyMs: 24 * HOUR_MS, level: 200 },
  vix: { everyMs: 24 * HOUR_MS, level: 20 },
};

/**
 * Seeded inputs of every kind for `candles`: other markets' bars that follow them with noise of their own, and series
 * that begin `historyDays` before them.
 */
export function randomInputs(
  candles: Candles,
  timeframe: Timeframe,
  seed: number,
  { historyDays = 0, flat = false }: { readonly historyDays?: number; readonly flat?: boolean } = {},
): Required<FeatureInputs> {
  const random = createRandom(seed);
  const market = (): TimedSeries => {
    const price = (column: Float64Array): Float64Array =>
      column.map((value) => value * (1 + (flat ? 0 : 0.001 * normal(random))));
    return closedBars(
      { ...candles, close: price(candles.close), volume: candles.volume.map((v) => v * 2) },
      timeframe,
    );
  };
  const series = (name: SeriesName): TimedSeries => {
    const { everyMs, level } = SHAPE[name];
    const kind = seriesKind(name);
    const rows: number[] = [];
    const startMs = Math.floor((candles.time[0] ?? 0) / everyMs) * everyMs - historyDays * 24 * HOUR_MS;
    for (let t = startMs; t <= (candles.time.at(-1) ?? 0) + TIMEFRAME_MS[timeframe]; t += everyMs)
      // Texts come when they come, one an hour at least.
      if (name !== 'news' || flat || t % (2 * everyMs) === 0 || random() < 0.5) rows.push(t);
    const values = (scale: number): Float64Array =>
      Float64Array.from(rows, () => (flat ? level : level * scale * (1 + 0.2 * random())));
    const columns = Object.fromEntries(
      kind.columns.map(({ name: column }, i) => [column, values(1 + i / 100)]),
    );
    if (name === 'order-book' && !flat)
      columns['ask'] = columns['bid'].map((bid) => bid * (1 + 0.001 * random()));
    const time = Float64Array.from(rows);
    return { time, known: time.map((t) => knownMsOf(kind, t)), columns };
  };
  return {
    benchmark: market(),
    'cross-pair': market(),
    'other-exchange': market(),
    perpetual: market(),
    'other-funding': series('funding'),
    ...(Object.fromEntries(SERIES_NAMES.map((name) => [name, series(name)])) as Record<
      SeriesName,
      TimedSeries
    >),
  };
}
