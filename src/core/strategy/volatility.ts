import type { Panel } from '../dataset/panel.ts';
import type { Candles } from '../market/candles.ts';

/** Weight of the past in the running variance: J.P. Morgan, RiskMetrics Technical Document, 1996. */
const DECAY = 0.94;
/** Returns before which the running variance says nothing. */
const WARM_UP = 20;

/**
 * Deviation of one bar's simple return as of each close, as a fraction: exponentially weighted squares of close-to-close
 * returns. `NaN` during the first 20 returns. Row t uses bars up to t only.
 */
export const runningVolatility = ({ close }: Pick<Candles, 'close'>): Float64Array =>
  close.map(followVolatility());

/** The same bar by bar: takes the next close, gives the deviation as of it. */
export function followVolatility(): (close: number) => number {
  let variance = 0;
  let weight = 0;
  let count = 0;
  let before = NaN;
  return (close) => {
    const change = close / before - 1;
    before = close;
    if (Number.isFinite(change)) {
      variance = DECAY * variance + (1 - DECAY) * change * change;
      weight = DECAY * weight + 1 - DECAY;
      count++;
    }
    // Early on the weights do not add up to 1 yet.
    return count >= WARM_UP ? Math.sqrt(variance / weight) : NaN;
  };
}

/** What is known of a market's restlessness, one column a symbol. */
export interface MarketVolatility {
  readonly volatility: readonly Float64Array[];
  /** Row by row the lowest among all symbols that have one at that time. */
  readonly calmest: readonly Float64Array[];
}

const worked = new WeakMap<Panel['series'], MarketVolatility>();

/** Worked out once for a panel, whose candles never change, however many models are decided on. Not to be written to. */
export function marketVolatility({ series }: Pick<Panel, 'series'>): MarketVolatility {
  const known = worked.get(series);
  if (known !== undefined) return known;
  const volatility = series.map(({ candles }) => runningVolatility(candles));
  const found = { volatility, calmest: calmestOf(series, volatility) };
  worked.set(series, found);
  return found;
}

/** Of a panel that begins inside a history: `volatility` was worked out from its first bar on. */
export const knowVolatility = (
  { series }: Pick<Panel, 'series'>,
  volatility: readonly Float64Array[],
): void => void worked.set(series, { volatility, calmest: calmestOf(series, volatility) });

function calmestOf(series: Panel['series'], volatilities: readonly Float64Array[]): readonly Float64Array[] {
  if (series.length === 1) return volatilities;
  const next = new Int32Array(series.length);
  const calmest = volatilities.map((column) => new Float64Array(column.length).fill(NaN));
  for (;;) {
    let nowMs = Infinity;
    for (let s = 0; s < series.length; s++) {
      const { time } = series[s].candles;
      if (next[s] < time.length && time[next[s]] < nowMs) nowMs = time[next[s]];
    }
    if (nowMs === Infinity) return calmest;
    let least = NaN;
    for (let s = 0; s < series.length; s++) {
      if (series[s].candles.time[next[s]] !== nowMs) continue;
      const value = volatilities[s][next[s]];
      if (value > 0 && !(value >= least)) least = value;
    }
    for (let s = 0; s < series.length; s++)
      if (series[s].candles.time[next[s]] === nowMs) calmest[s][next[s]++] = least;
  }
}
