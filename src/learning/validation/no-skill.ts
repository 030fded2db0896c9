import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast, Model } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';

/** Of fewer bars or opinions, one direction says nothing: the market may have had one. */
const LEAST_SAMPLES = 20;
/** Networks compute in single precision: what differs by less was the same number before rounding. */
const SAME = 1e-6;

/**
 * Why a learned model has no skill to vote with, judged on bars that it was not fitted on; `undefined` where it may
 * have some. It learned one class when it states one and the same probability (or expected return) on all bars, or
 * when it holds one direction only and is right exactly as often as the market went that way: choosing its bars added
 * nothing. A model that states positions only and never takes one has learned nothing either. Baselines and rules are
 * not learned and are never judged. One forecast per symbol, row by row beside the panel's candles.
 */
export function noSkill(
  { kind }: Pick<Model, 'kind'>,
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
): string | undefined {
  if (kind === 'baseline' || kind === 'rule') return undefined;
  return oneBelief(panel, forecasts, span) ?? oneDirection(panel, forecasts, span);
}

function oneBelief(panel: Panel, forecasts: readonly Forecast[], span: Span): string | undefined {
  const beliefs = forecasts.map(({ probabilityUp, expectedReturn }) => probabilityUp ?? expectedReturn);
  let bars = 0;
  for (const [s, column] of beliefs.entries()) {
    if (column === undefined) continue;
    let [low, high] = [Infinity, -Infinity];
    for (const row of rowsWithin(panel, s, span)) {
      if (Number.isNaN(column[row])) continue;
      low = Math.min(low, column[row]);
      high = Math.max(high, column[row]);
      bars++;
    }
    if (high - low > SAME) return undefined;
  }
  if (bars < LEAST_SAMPLES) return undefined;
  const what = forecasts.some(({ probabilityUp }) => probabilityUp) ? 'probability' : 'expected return';
  return `it states one and the same ${what} on all ${bars} validation bars`;
}

function oneDirection(panel: Panel, forecasts: readonly Forecast[], span: Span): string | undefined {
  const { horizonBars } = forecasts[0];
  /** Bars held long, short and flat, and what the market did after them. */
  const held = { long: 0, short: 0, flat: 0, hits: 0 };
  const market = { up: 0, down: 0 };
  panel.series.forEach(({ candles }, s) => {
    const { position } = forecasts[s];
    const labels = forwardReturns(candles, panel.timeframe, horizonBars);
    for (const row of rowsWithin(panel, s, span)) {
      if (labelEndMs(candles.time[row], panel.timeframe, horizonBars) > span.untilMs) break;
      if (Number.isNaN(labels[row]) || Number.isNaN(position[row]) || labels[row] === 0) continue;
      market[labels[row] > 0 ? 'up' : 'down']++;
      held[position[row] === 0 ? 'flat' : position[row] > 0 ? 'long' : 'short']++;
      if (position[row] * labels[row] > 0) held.hits++;
    }
  });
  const statesBelief = forecasts.some(({ probabilityUp, expectedReturn }) => probabilityUp ?? expectedReturn);
  const opinions = held.long + held.short;
  if (opinions === 0 && held.flat >= LEAST_SAMPLES && !statesBelief)
    return `it never takes a position on ${held.flat} validation bars`;
  if (opinions < LEAST_SAMPLES || (held.long > 0 && held.short > 0)) return undefined;
  const went = held.long > 0 ? market.up : market.down;
  // Two shares as whole numbers: equal to the last digit.
  if (held.hits * (market.up + market.down) !== went * opinions) return undefined;
  return `it holds ${held.long > 0 ? 'long' : 'short'} only, and is right as often as the market ${held.long > 0 ? 'rose' : 'fell'}: ${((100 * held.hits) / opinions).toFixed(1)} %`;
}

function* rowsWithin({ series }: Panel, s: number, { fromMs, untilMs }: Span): Generator<number> {
  const { time } = series[s].candles;
  for (let row = lowerBound(time, fromMs); row < time.length && time[row] < untilMs; row++) yield row;
}
