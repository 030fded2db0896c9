import { computeFeatures } from '../features/catalogue.ts';
import { type Candles, sliceCandles } from '../market/candles.ts';
import type { Timeframe } from '../market/timeframe.ts';

/** What the market has been doing up to its newest bar. */
export type Regime = 'rising' | 'falling' | 'ranging';

/** Wilder 1978: a directional index of 25 or more is a trend. */
const TREND = 25;
/** Wilder's averages forget what lies further back. */
const BARS = 400;

/** By Wilder's directional movement over 14 bars; `undefined` for too few bars. */
export function regimeOf(candles: Candles, timeframe: Timeframe): Regime | undefined {
  const rows = candles.time.length;
  const recent = sliceCandles(candles, Math.max(0, rows - BARS), rows);
  const [adx, plus, minus] = computeFeatures(
    ['adx_14', 'plus_di_14', 'minus_di_14'],
    recent,
    timeframe,
    {},
  ).columns.map((column) => column.at(-1) ?? NaN);
  if (Number.isNaN(adx)) return undefined;
  if (adx < TREND) return 'ranging';
  return plus > minus ? 'rising' : 'falling';
}
