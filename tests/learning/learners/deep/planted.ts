import type { Panel, Series } from '../../../../src/core/dataset/panel.ts';
import { forwardReturns, labelEndMs } from '../../../../src/core/dataset/labels.ts';
import { createRandom, normal, type Random } from '../../../../src/core/foundation/random.ts';
import type { Forecast } from '../../../../src/core/forecast/model.ts';
import { VOLATILITY } from '../../../../src/learning/learners/deep/params.ts';
import { HOUR, randomWalk } from '../../../core/dataset/series.ts';

/** Every step of `randomWalk` has this deviation. */
const STEP = 0.01;

/**
 * Two random walks with three inputs: their volatility, noise, and at every bar the return that the next one
 * will make, under noise of the same size. `shuffled`: the return of some other bar.
 */
export function plantedPanel(rows: number, { shuffled }: { readonly shuffled: boolean }): Panel {
  const symbols = ['BTC/USDT', 'ETH/USDT'] as const;
  const series = symbols.map((symbol, s): Series => {
    const random = createRandom(100 + s);
    const walk = randomWalk(symbol, rows, s + 1);
    const coming = forwardReturns(walk.candles, '1h', 1).map((value) => (Number.isNaN(value) ? 0 : value));
    const told = shuffled ? permuted(coming, random) : coming;
    const columns = [
      told.map(() => STEP),
      told.map(() => normal(random)),
      told.map((value) => value + STEP * normal(random)),
    ];
    return { ...walk, features: { names: [VOLATILITY, 'noise', 'hint'], columns } };
  });
  return { timeframe: '1h', series };
}

export const PLANTED_FEATURES = ['noise', 'hint'];

/** How often the forecast of the bars after row `from` had the sign of the return, of those that took a side. */
export function hitRate(panel: Panel, forecasts: readonly Forecast[], from: number) {
  let [hits, samples] = [0, 0];
  panel.series.forEach(({ candles }, s) => {
    const returns = forwardReturns(candles, panel.timeframe, 1);
    const { probabilityUp } = forecasts[s];
    for (let row = from; row < candles.time.length; row++) {
      const p = probabilityUp?.[row] ?? NaN;
      if (Number.isNaN(p) || Number.isNaN(returns[row])) continue;
      samples++;
      if (p > 0.5 === returns[row] > 0) hits++;
    }
  });
  return { share: hits / samples, samples };
}

/** When the label of `row` ends, one bar ahead. */
export const labelledUntil = (row: number): number => labelEndMs(row * HOUR, '1h', 1);

function permuted(values: Float64Array, random: Random): Float64Array {
  const copy = Float64Array.from(values);
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

const HORIZON: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  tft: { horizonsBars: [1], decisionBars: 1, hidden: 8 },
  'multi-timeframe': {
    horizonBars: 1,
    hidden: 16,
    multiples: [1, 4],
    longestLookBack: 2,
    longerFeatures: ['bar_return'],
  },
  'late-fusion': {
    horizonBars: 1,
    hidden: 16,
    coarse: ['1h', '4h'],
    longerFeatures: ['bar_return'],
  },
};

/** Parameters of a small network that forecasts one bar ahead, so that no two labels overlap. */
export const oneBarAhead = (id: string): Readonly<Record<string, unknown>> =>
  HORIZON[id] ?? { horizonBars: 1, hidden: 16 };
