import { z } from 'zod';
import type { Panel } from '../../dataset/panel.ts';
import { UserError } from '../../foundation/errors.ts';
import { invert } from '../../foundation/linear-algebra.ts';
import { eigenSymmetric } from '../../portfolio/symmetric.ts';
import { type AlignedMarket, alignMarket } from '../../trading/align.ts';
import { defineRule } from './rule.ts';

const Params = z.strictObject({
  window: z.int().min(20).default(60).describe('Bars on which betas and the residual process are estimated'),
  explained: z
    .number()
    .positive()
    .max(1)
    .default(0.55)
    .describe('Share of the variance that the factors explain together, one fewer than symbols at most'),
  open: z.number().positive().default(1.25).describe('s-score that opens a position'),
  closeLong: z.number().min(0).default(0.5).describe('s-score below zero at which a long one is closed'),
  closeShort: z.number().min(0).default(0.75).describe('s-score above zero at which a short one is closed'),
});
type Params = z.output<typeof Params>;

const numbers = z.array(z.number());
const Fitted = z.strictObject({
  /** Factors by symbol: eigenvectors of the correlation of returns, each entry over the symbol's deviation. */
  factors: z.array(numbers).min(1),
  explained: z.number(),
});
type Fitted = z.output<typeof Fitted>;

/** Below this number of complete returns a correlation says nothing. */
const LEAST_BARS = 100;

/**
 * What a symbol did beyond common factors, as a process that returns to its mean: buys what fell too far below, sells what
 * rose too far above, each against its factors. Factors come from the training bars; betas and the process from the last
 * bars before each decision. A residual that would take longer than half the window to return is not traded.
 */
export const pcaReversion = defineRule<Params, Fitted>({
  id: 'pca-reversion',
  summary: 'long symbols that fell too far against common factors, short those that rose too far',
  source: 'Avellaneda & Lee 2010, Statistical Arbitrage in the US Equities Market',
  params: Params,
  fitted: { schema: Fitted, fit },
  positions: (panel, params, { factors }) => {
    const { market, returns } = returnsOf(panel);
    const symbols = returns.length;
    const wanted = returns.map((column) => new Float64Array(column.length).fill(NaN));
    const side = new Int8Array(symbols);
    const factorReturns = factors.map((weights) =>
      returns[0].map((_, row) => weights.reduce((sum, weight, s) => sum + weight * returns[s][row], 0)),
    );
    for (let row = params.window; row < market.time.length; row++) {
      const held = new Float64Array(symbols);
      for (let s = 0; s < symbols; s++) {
        const seen = residualProcess(returns[s], factorReturns, row, params.window);
        // A gap, or no process that returns in time: nothing new is opened, and what is open is closed.
        side[s] = seen === undefined ? 0 : sideAfter(side[s], seen.score, params);
        if (side[s] === 0) continue;
        held[s] += side[s];
        seen?.betas.forEach((beta, j) => {
          for (let k = 0; k < symbols; k++) held[k] -= side[s] * beta * factors[j][k];
        });
      }
      const largest = Math.max(1, ...held.map(Math.abs));
      for (let s = 0; s < symbols; s++) wanted[s][row] = held[s] / largest + 0;
    }
    return panel.series.map((_, s) => Float64Array.from(market.rows[s], (row) => wanted[s][row]));
  },
});

function sideAfter(side: number, score: number, { open, closeLong, closeShort }: Params): number {
  if (side > 0 && score > -closeLong) return 0;
  if (side < 0 && score < closeShort) return 0;
  if (side !== 0) return side;
  return score < -open ? 1 : score > open ? -1 : 0;
}

/**
 * Regression of the last returns on the factors', the residuals summed, and an autoregression of that sum: its distance from
 * its mean in deviations (the s-score of the paper's appendix). `undefined`: a bar is missing, or it returns too slowly.
 */
export function residualProcess(
  returns: Float64Array,
  factorReturns: readonly Float64Array[],
  row: number,
  window: number,
): { readonly score: number; readonly betas: readonly number[] } | undefined {
  const y = returns.subarray(row - window + 1, row + 1);
  const columns = [
    new Float64Array(window).fill(1),
    ...factorReturns.map((column) => column.subarray(row - window + 1, row + 1)),
  ];
  const product = (a: Float64Array, b: Float64Array): number =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);
  const inverse = invert(columns.map((a) => Float64Array.from(columns, (b) => product(a, b))));
  if (inverse === undefined) return undefined;
  const moments = columns.map((column) => product(column, y));
  const [alpha, ...betas] = inverse.map((line) =>
    line.reduce((sum, value, k) => sum + value * moments[k], 0),
  );
  if (!Number.isFinite(alpha)) return undefined;
  let [level, n, x, z1, xx, xz] = [0, 0, 0, 0, 0, 0];
  const sums = y.map((value, i) => {
    const fitted = betas.reduce((sum, beta, j) => sum + beta * columns[j + 1][i], alpha);
    return (level += value - fitted);
  });
  for (let i = 1; i < window; i++) {
    n++;
    x += sums[i - 1];
    z1 += sums[i];
    xx += sums[i - 1] ** 2;
    xz += sums[i - 1] * sums[i];
  }
  const b = (n * xz - x * z1) / (n * xx - x * x);
  const a = (z1 - b * x) / n;
  // Half the window or less to return: kappa > 2 / window a bar (the paper's 252 / 30 a year for 60 days).
  if (!(b > 0 && b < 1) || !(-Math.log(b) > 2 / window)) return undefined;
  let squares = 0;
  for (let i = 1; i < window; i++) squares += (sums[i] - a - b * sums[i - 1]) ** 2;
  const deviation = Math.sqrt(squares / n / (1 - b * b));
  return deviation > 0 ? { score: (sums[window - 1] - a / (1 - b)) / deviation, betas } : undefined;
}

/** Close-to-close returns on the common clock, one column a symbol; `NaN` where a bar or the one before is missing. */
function returnsOf(panel: Panel): { readonly market: AlignedMarket; readonly returns: Float64Array[] } {
  if (panel.series.length < 2) {
    throw new UserError('"pca-reversion" needs two symbols, got one.', {
      hint: 'Add symbols to market.symbols, or leave this rule out.',
    });
  }
  const market = alignMarket(
    panel.series.map(({ candles }) => candles),
    panel.timeframe,
  );
  const returns = market.candles.map(({ close }) =>
    close.map((price, row) => (row === 0 ? NaN : price / close[row - 1] - 1)),
  );
  return { market, returns };
}

function fit(panel: Panel, { explained }: Params): Fitted {
  const { returns } = returnsOf(panel);
  const rows = Array.from(returns[0].keys()).filter((row) =>
    returns.every((one) => Number.isFinite(one[row])),
  );
  if (rows.length < LEAST_BARS) {
    throw new UserError(`"pca-reversion" needs ${LEAST_BARS} bars of all symbols, got ${rows.length}.`, {
      hint: 'Fetch more history with `fetch --since`.',
    });
  }
  const centred = returns.map((column) => {
    const mean = rows.reduce((sum, row) => sum + column[row], 0) / rows.length;
    return Float64Array.from(rows, (row) => column[row] - mean);
  });
  const deviations = centred.map((column) =>
    Math.sqrt(column.reduce((sum, value) => sum + value * value, 0) / (rows.length - 1)),
  );
  const correlation = centred.map((a, i) =>
    Float64Array.from(
      centred,
      (b, j) =>
        a.reduce((sum, value, k) => sum + value * b[k], 0) /
        (rows.length - 1) /
        deviations[i] /
        deviations[j],
    ),
  );
  const { values, vectors } = eigenSymmetric(correlation);
  const order = Array.from(values.keys()).reverse();
  const total = returns.length;
  let [share, count] = [0, 0];
  while (count < total - 1 && (count === 0 || share < explained)) share += values[order[count++]] / total;
  const factors = order.slice(0, count).map((k) => {
    // An eigenvector has no side of its own: the factor is the one that rises with most of its symbols.
    const sign = vectors[k].reduce((sum, value) => sum + value, 0) < 0 ? -1 : 1;
    return Array.from(vectors[k], (value, s) => (sign * value) / deviations[s]);
  });
  return { factors, explained: share };
}
