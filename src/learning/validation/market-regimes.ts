import type { Panel } from '../../core/dataset/panel.ts';
import { filteredStates, fitHmm } from '../../core/evaluation/hidden-markov.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';

/** A state of the market that returns alone tell, as a hidden Markov model sees it. */
export interface MarketState {
  readonly meanPctPerDay: number;
  readonly volatilityPctPerDay: number;
  /** Percent of the bars of training, and of those since validation. */
  readonly trainingPct: number;
  readonly sincePct: number | undefined;
  /** Probability now, from the bars so far. */
  readonly nowPct: number;
}

export interface MarketRegimes {
  readonly symbol: string;
  readonly states: readonly MarketState[];
}

const MOST_STATES = 4;
/** Fewer stretches of training than this say nothing of states. */
const LEAST = 60;

/**
 * Of each symbol the states of its market: a Gaussian hidden Markov model on returns of a day (of a bar, where bars are longer),
 * fitted on the bars of training, with as many states as the Bayesian information criterion asks for; then how often each
 * was the likeliest, told from the bars up to each moment. Symbols with too little history are left out.
 */
export function marketRegimes(
  { series, timeframe }: Panel,
  { trainUntilMs, validateUntilMs }: { readonly trainUntilMs: number; readonly validateUntilMs: number },
  seed: number,
): readonly MarketRegimes[] {
  const every = Math.max(1, Math.round(TIMEFRAME_MS['1d'] / TIMEFRAME_MS[timeframe]));
  const days = (every * TIMEFRAME_MS[timeframe]) / TIMEFRAME_MS['1d'];
  return series.flatMap(({ symbol, candles: { time, close } }) => {
    const rows: number[] = [];
    for (let row = close.length - 1; row >= 0; row -= every) rows.unshift(row);
    const returns = Float64Array.from(rows.slice(1), (row, i) => Math.log(close[row] / close[rows[i]]));
    const times = Float64Array.from(rows.slice(1), (row) => time[row]);
    const [trained, validated] = [trainUntilMs, validateUntilMs].map((ms) => lowerBound(times, ms));
    if (trained < LEAST) return [];
    const { model } = fitHmm(returns.subarray(0, trained), 1, { most: MOST_STATES, seed });
    const { states, means, variances } = model;
    const probabilities = filteredStates(returns, model);
    const share = (state: number, from: number, until: number): number => {
      let times = 0;
      for (let row = from; row < until; row++) {
        const own = probabilities.subarray(row * states, (row + 1) * states);
        if (own.indexOf(Math.max(...own)) === state) times++;
      }
      return (100 * times) / (until - from);
    };
    return [
      {
        symbol,
        states: means.map(([mean], s) => ({
          meanPctPerDay: (100 * mean) / days,
          volatilityPctPerDay: 100 * Math.sqrt(variances[s][0] / days),
          trainingPct: share(s, 0, trained),
          sincePct: validated < returns.length ? share(s, validated, returns.length) : undefined,
          nowPct: 100 * probabilities[(returns.length - 1) * states + s],
        })),
      },
    ];
  });
}
