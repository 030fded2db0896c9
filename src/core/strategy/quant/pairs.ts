import { z } from 'zod';
import { engleGranger, halfLife, holm } from '../../evaluation/cointegration.ts';
import type { Panel } from '../../dataset/panel.ts';
import { UserError } from '../../foundation/errors.ts';
import { type AlignedMarket, alignMarket } from '../../trading/align.ts';
import { defineRule } from './rule.ts';

const Params = z.strictObject({
  level: z.number().positive().max(1).default(0.05).describe('Largest p-value of a pair, corrected for all'),
  entry: z.number().positive().default(2).describe('Deviations of the spread that open a position'),
  exit: z.number().min(0).default(0).describe('... and within which it is closed'),
  stop: z
    .number()
    .positive()
    .default(4)
    .describe('... and at which it is given up until the spread is within `entry` again'),
  lags: z.int().min(0).default(12).describe('Most lags of the test; their number has the lowest AIC'),
});
type Params = z.output<typeof Params>;

const Pair = z.strictObject({
  /** Places among the symbols: ln y = intercept + hedgeRatio ln x + spread. */
  y: z.int().min(0),
  x: z.int().min(0),
  hedgeRatio: z.number(),
  intercept: z.number(),
  /** Of the spread, on the training bars. */
  deviation: z.number().positive(),
  pValue: z.number(),
  halfLifeBars: z.number().nullable(),
});
const Fitted = z.strictObject({ pairs: z.array(Pair), tested: z.int().min(0) });
type Fitted = z.output<typeof Fitted>;

/** Fewer bars do not tell a spread that returns from one that has not left yet. */
const LEAST_BARS = 250;

/** Sells the dear and buys the cheap of two symbols that belong together, and waits until the spread is back. */
export const pairs = defineRule<Params, Fitted>({
  id: 'pairs',
  summary: 'trades spreads of symbols that are cointegrated on the training bars',
  source: 'Engle & Granger 1987; Gatev, Goetzmann & Rouwenhorst 2006, Pairs Trading',
  params: Params,
  fitted: { schema: Fitted, fit },
  positions: (panel, params, { pairs: found }) => {
    const market = alignMarket(
      panel.series.map(({ candles }) => candles),
      panel.timeframe,
    );
    const wanted = market.candles.map(({ time }) => new Float64Array(time.length));
    const share = market.candles.map((_, s) => found.filter(({ y, x }) => y === s || x === s).length);
    for (const pair of found) {
      const { y, x, hedgeRatio } = pair;
      // A unit of y against `hedgeRatio` of x in money, neither more than what is allotted to its symbol.
      const unit = 1 / Math.max(1, Math.abs(hedgeRatio));
      let state: State = { side: 0, stopped: false };
      for (let row = 0; row < market.time.length; row++) {
        state = next(state, spreadOf(market, pair, row) / pair.deviation, params);
        wanted[y][row] += (state.side * unit) / share[y];
        wanted[x][row] -= (state.side * unit * hedgeRatio) / share[x];
      }
    }
    return panel.series.map((_, s) => Float64Array.from(market.rows[s], (row) => wanted[s][row] + 0));
  },
});

interface State {
  /** 1: long y and short x. */
  readonly side: -1 | 0 | 1;
  /** Given up; nothing is opened before the spread has been within `entry`. */
  readonly stopped: boolean;
}

function next(state: State, score: number, { entry, exit, stop }: Params): State {
  const { side, stopped } = state;
  if (Number.isNaN(score)) return state;
  if (Math.abs(score) >= stop) return { side: 0, stopped: true };
  if (side !== 0) return -side * score <= exit ? { side: 0, stopped: false } : state;
  if (stopped) return { side: 0, stopped: Math.abs(score) >= entry };
  return { side: score >= entry ? -1 : score <= -entry ? 1 : 0, stopped: false };
}

const spreadOf = (
  { candles }: AlignedMarket,
  { y, x, intercept, hedgeRatio }: Pick<z.output<typeof Pair>, 'y' | 'x' | 'intercept' | 'hedgeRatio'>,
  row: number,
): number => Math.log(candles[y].close[row]) - intercept - hedgeRatio * Math.log(candles[x].close[row]);

function fit(panel: Panel, { level, lags }: Params): Fitted {
  const market = alignMarket(
    panel.series.map(({ candles }) => candles),
    panel.timeframe,
  );
  const symbols = market.candles.length;
  if (symbols < 2) {
    throw new UserError('"pairs" needs two symbols, got one.', {
      hint: 'Add symbols to market.symbols, or leave this rule out.',
    });
  }
  const tested: z.output<typeof Pair>[] = [];
  for (let a = 0; a < symbols; a++)
    for (let b = a + 1; b < symbols; b++) {
      const rows = Array.from(market.time.keys()).filter(
        (row) => market.candles[a].close[row] > 0 && market.candles[b].close[row] > 0,
      );
      if (rows.length < LEAST_BARS) continue;
      const logs = [a, b].map((s) =>
        Float64Array.from(rows, (row) => Math.log(market.candles[s].close[row])),
      );
      // The answer depends on the order: the stronger one counts, and both were looked at.
      for (const [y, x] of [
        [a, b],
        [b, a],
      ]) {
        const found = engleGranger(logs[y === a ? 0 : 1], logs[x === a ? 0 : 1], {
          trend: 'c',
          lags,
          chooseLags: true,
        });
        if (found === undefined) continue;
        const { hedgeRatio, intercept, pValue, residuals } = found;
        const squares = residuals.reduce((sum, value) => sum + value * value, 0);
        const deviation = Math.sqrt(squares / (residuals.length - 2));
        if (!(deviation > 0)) continue;
        tested.push({
          y,
          x,
          hedgeRatio,
          intercept,
          deviation,
          pValue,
          halfLifeBars: halfLife(residuals) ?? null,
        });
      }
    }
  const corrected = holm(tested.map(({ pValue }) => pValue));
  const chosen = tested
    .map((pair, i) => ({ ...pair, pValue: corrected[i] }))
    .filter(({ pValue, hedgeRatio }) => pValue <= level && hedgeRatio > 0)
    .sort((p, q) => p.pValue - q.pValue || p.y - q.y || p.x - q.x);
  const once = chosen.filter(
    ({ y, x }, i) => !chosen.slice(0, i).some((earlier) => earlier.y === x && earlier.x === y),
  );
  return { pairs: once, tested: tested.length };
}
