import type { Panel } from '../../core/dataset/panel.ts';
import type { Random } from '../../core/foundation/random.ts';
import { lowerBound, sliceCandles } from '../../core/market/candles.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { alignColumn, type AlignedMarket, alignMarket } from '../../core/trading/align.ts';

/** Something that says what to hold: wanted positions, one column a symbol beside the market's time. */
export interface Strategy {
  readonly name: string;
  readonly kind: 'ensemble' | 'model' | 'baseline';
  /** Why the model does not vote in the ensemble: learning/validation/no-skill.ts. */
  readonly noSkill?: string | undefined;
  readonly targets: readonly Float64Array[];
}

/** Bars that open at `fromMs` or later and before `untilMs`. */
export interface BarRange {
  readonly fromMs: number;
  readonly untilMs: number;
  /** When a symbol could be traded, where that is known, one entry a symbol; outside of it there is no bar of it. */
  readonly members?: readonly (Membership | undefined)[];
}

/** Open of the first bar on which a symbol could be traded, and of the first on which it could no longer. */
export interface Membership {
  readonly listedMs?: number | undefined;
  readonly delistedMs?: number | undefined;
}

/** The panel's bars of a range on one clock, and a function that cuts forecasts to the same rows. */
export function marketOf(
  panel: Panel,
  { fromMs, untilMs, members }: BarRange,
): {
  readonly market: AlignedMarket;
  readonly targetsOf: (forecasts: readonly Forecast[]) => Float64Array[];
} {
  const rows = panel.series.map(({ candles: { time } }, s) => {
    const { listedMs = fromMs, delistedMs = untilMs } = members?.[s] ?? {};
    const from = lowerBound(time, Math.max(fromMs, listedMs));
    return { from, until: Math.max(from, lowerBound(time, Math.min(untilMs, delistedMs))) };
  });
  const market = alignMarket(
    panel.series.map(({ candles }, s) => sliceCandles(candles, rows[s].from, rows[s].until)),
    panel.timeframe,
  );
  const targetsOf = (forecasts: readonly Forecast[]): Float64Array[] =>
    forecasts.map(({ position }, s) =>
      alignColumn(market, s, position.subarray(rows[s].from, rows[s].until)),
    );
  return { market, targetsOf };
}

/** Everything wanted at each symbol's first close, and nothing decided ever after. */
export function buyAndHold(market: AlignedMarket): Strategy {
  const targets = market.candles.map(({ close }) => {
    const column = new Float64Array(close.length).fill(NaN);
    const first = close.findIndex((price) => !Number.isNaN(price));
    if (first >= 0) column[first] = 1;
    return column;
  });
  return { name: 'buy-and-hold', kind: 'baseline', targets };
}

/**
 * The same decisions at another time: all columns shifted by one random number of bars, around the end. Exposure
 * and number of trades stay, timing goes: what is left of a result is luck and being invested.
 */
export function shiftedInTime(targets: readonly Float64Array[], random: Random): readonly Float64Array[] {
  const bars = targets[0].length;
  const shift = 1 + Math.floor(random() * (bars - 1));
  return targets.map((column) => {
    const shifted = new Float64Array(bars);
    shifted.set(column.subarray(bars - shift));
    shifted.set(column.subarray(0, bars - shift), shift);
    return shifted;
  });
}
