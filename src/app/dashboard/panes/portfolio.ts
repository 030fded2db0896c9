import { correlationOf, ledoitWolf } from '../../../core/portfolio/covariance.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { bar, price, target } from '../format.ts';
import { accent, bold, dim, type Line, plain, table } from '../lines.ts';
import { NO_SESSION, type Pane } from '../pane.ts';
import type { DashboardView } from '../view.ts';

export const weightsPane: Pane = {
  id: 'weights',
  title: 'Weights (share of equity; of risk, by the covariance below)',
  least: 3,
  anchor: 'top',
  head: 1,
  lines: (view, room) => {
    const { session, positions } = view;
    if (session === undefined) return [[dim(NO_SESSION)]];
    const weights = positions.map(
      ({ baseAmount, markPrice = 0 }) => (baseAmount * markPrice) / session.equity,
    );
    const risk = riskShares(view, weights);
    const rows = positions.map(({ symbol, pendingTarget }, s) => [
      bold(symbol),
      plain(price(weights[s] * session.equity)),
      plain(`${(100 * weights[s]).toFixed(1)} %`),
      plain(room.spoken ? '' : bar(Math.abs(weights[s]), 20)),
      plain(risk === undefined ? '-' : `${(100 * risk[s]).toFixed(0)} %`),
      pendingTarget === undefined ? plain('') : accent(target(pendingTarget)),
    ]);
    const free = session.cash / session.equity;
    const cash = [
      'cash',
      price(session.cash),
      `${(100 * free).toFixed(1)} %`,
      room.spoken ? '' : bar(free, 20),
      '',
      '',
    ];
    return table(['symbol', 'value', 'weight', '', 'risk', 'next open'], [...rows, cash.map(plain)], room);
  },
};

const LEAST_RETURNS = 30;

/** Log returns of the bars that all symbols have, and the shrunk covariance of them (Ledoit and Wolf 2004). */
function covarianceOf({ markets }: DashboardView) {
  if (markets === undefined || markets.length === 0) return undefined;
  const bySymbol = markets.map(({ candles }) => new Map(candles.map(({ timeMs, close }) => [timeMs, close])));
  const times = [...bySymbol[0].keys()].filter((time) => bySymbol.every((closes) => closes.has(time)));
  if (times.length <= LEAST_RETURNS) return undefined;
  const returns = bySymbol.map((closes) =>
    Float64Array.from(times.slice(1), (time, i) =>
      Math.log((closes.get(time) ?? NaN) / (closes.get(times[i]) ?? NaN)),
    ),
  );
  return { covariance: ledoitWolf(returns).covariance, bars: times.length - 1 };
}

/** w_i (Cw)_i / w'Cw: what each position adds to the variance of all. */
function riskShares(view: DashboardView, weights: readonly number[]): readonly number[] | undefined {
  const found = covarianceOf(view);
  if (found === undefined || found.covariance.length !== weights.length) return undefined;
  const marginal = found.covariance.map((row) => row.reduce((sum, value, s) => sum + value * weights[s], 0));
  const variance = marginal.reduce((sum, value, s) => sum + value * weights[s], 0);
  return variance > 0 ? weights.map((weight, s) => (weight * marginal[s]) / variance) : undefined;
}

const YEAR_MS = 365 * 86_400_000;

export const correlationPane: Pane = {
  id: 'correlation',
  title: (view) => `Correlation of returns${barsOf(view)}`,
  least: 3,
  anchor: 'top',
  head: 1,
  lines: (view, room): readonly Line[] => {
    const { markets } = view;
    if (markets === undefined) return [[dim('Reading the candles ...')]];
    const found = covarianceOf(view);
    if (found === undefined) return [[dim(`Fewer than ${LEAST_RETURNS} common bars: nothing to correlate.`)]];
    const perYear = YEAR_MS / TIMEFRAME_MS[markets[0].timeframe];
    const rows = correlationOf(found.covariance).map((row, s) => [
      bold(markets[s].symbol),
      ...Array.from(row, (value) => plain(value.toFixed(2))),
      plain(`${(100 * Math.sqrt(found.covariance[s][s] * perYear)).toFixed(0)} %`),
    ]);
    return table(['', ...markets.map(({ symbol }) => symbol), 'volatility a year'], rows, room);
  },
};

function barsOf(view: DashboardView): string {
  const found = covarianceOf(view);
  return found === undefined ? '' : `, ${found.bars} bars, shrunk (Ledoit and Wolf)`;
}
