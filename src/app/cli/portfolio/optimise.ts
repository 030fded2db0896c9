import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { discreteAllocation } from '../../../core/portfolio/discrete.ts';
import { shrunkForecast } from '../../../core/portfolio/expected-returns.ts';
import { riskContributions } from '../../../core/portfolio/mean-variance.ts';
import { worstResidual } from '../../../core/portfolio/quadratic.ts';
import { loadLinearSolver } from '../../../lab/portfolio/highs.ts';
import type { AssetForecast } from '../../workflows/portfolio-forecasts.ts';
import { configuredInstruments } from '../../config/execution.ts';
import { allocateNow } from '../../workflows/portfolio.ts';
import { type CommandContext, decimal, list, MOST_MONEY, refuseIgnored } from '../command.ts';
import { UsageError } from '../exit.ts';
import {
  barsPerYearOf,
  heldOf,
  limitsOfOptions,
  marketOfOptions,
  PORTFOLIO_OPTIONS,
  settingsOf,
  strategyNames,
  windowOf,
} from '../portfolio-options.ts';
import { slippageOf, volatilityPct, header } from './shared.ts';
import { forecastsNamed } from './forecasts.ts';
import { trainedStrategy } from './learners.ts';

export const OptimiseOptions = z.object({
  ...PORTFOLIO_OPTIONS,
  strategy: z.string().default('max-sharpe'),
  allocator: z.string().optional(),
  forecasts: z.string().transform(list).optional(),
  investment: z.string().default('10000'),
  held: z.string().optional(),
  cash: z.string().default('0'),
});

export async function optimise(
  context: CommandContext,
  options: z.output<typeof OptimiseOptions>,
): Promise<void> {
  const { config, out, seed, signal } = context;
  const [name, ...more] = strategyNames('--strategy', options.strategy);
  if (more.length > 0)
    throw new UsageError('--strategy takes one strategy; `portfolio compare` shows several.');
  if (options.held === undefined) refuseIgnored(context, ['--cash'], 'without --held');
  else refuseIgnored(context, ['--investment'], 'with --held: what is held and --cash are the capital');
  const investment = decimal('--investment', options.investment, { least: 1, most: MOST_MONEY });
  const cash = decimal('--cash', options.cash, { least: 0, most: MOST_MONEY });
  const source = await marketOfOptions(context, options);
  const { members, market } = source;
  const barsPerYear = barsPerYearOf(source);
  const row = market.time.length - 1;
  const prices = Float64Array.from(market.candles, ({ close }) => close[row]);
  const amounts = heldOf(options.held, members);
  for (const [i, amount] of amounts.entries())
    if (amount > 0 && Number.isNaN(prices[i]))
      throw new UserError(`${members[i].symbol} is held and has no candle on the last day.`, {
        hint: 'Fetch its candles, or leave it out of --held.',
      });
  const values = amounts.map((amount, i) => (amount === 0 ? 0 : amount * prices[i]));
  const capital = options.held === undefined ? investment : values.reduce((sum, value) => sum + value, cash);
  if (!(capital > 0))
    throw new UserError('What is held and the cash are worth nothing.', {
      hint: 'Give --investment, or --held and --cash.',
    });
  const costRate = (config.trading.feeBps + slippageOf(config)) / 10_000;
  const strategy = await trainedStrategy(context, source, name, options.allocator);
  const forecasts =
    options.forecasts === undefined ? undefined : await forecastsNamed(context, source, options.forecasts);
  if (forecasts !== undefined && forecasts.at(market.time[row]).length === 0)
    throw new UserError(
      `No model of ${options.forecasts?.join(', ')} states an expected return on the newest bar.`,
      {
        hint: 'Fetch the newest candles of the symbols they were trained on.',
      },
    );
  const { window, task, allocation, instability } = await allocateNow(source, strategy, {
    expectedFor:
      forecasts &&
      (({ returns, row: at }, symbols) => forecasts.expectedAt(market.time[at], returns, symbols)),
    windowBars: windowOf(options),
    limitsFor: limitsOfOptions(options, members),
    settings: settingsOf(options, barsPerYear, costRate),
    solveLinear: await loadLinearSolver(),
    held: values.map((value) => value / capital),
    seed,
    signal,
  });
  const { assets } = window;
  const instruments = configuredInstruments(
    config.trading,
    task.symbols.map((_, at) => members[assets[at]].symbol),
  );
  const own = Float64Array.from(assets, (i) => prices[i]);
  const longOnly = allocation.weights.every((weight) => weight >= 0);
  const discrete = longOnly ? discreteAllocation(allocation.weights, own, capital, instruments) : undefined;
  const contributions = riskContributions(allocation.covariance, allocation.weights);
  const rows = assets.map((i, at) => {
    const weight = allocation.weights[at];
    const baseAmount = discrete?.amounts[at] ?? (weight * capital) / own[at];
    return {
      symbol: members[i].symbol,
      weightPct: 100 * weight,
      quoteAmount: baseAmount * own[at],
      baseAmount,
      price: own[at],
      riskPct: 100 * contributions[at],
      heldPct: (100 * values[i]) / capital,
      order: orderOf(baseAmount - amounts[i], own[at], config.trading.minNotional),
    };
  });
  const leaving = members.flatMap(({ symbol }, i) =>
    amounts[i] > 0 && !assets.includes(i)
      ? [{ symbol, side: 'sell' as const, baseAmount: amounts[i], quoteAmount: values[i] }]
      : [],
  );
  const risk = volatilityPct(allocation, barsPerYear);
  const told = (forecasts?.at(market.time[row]) ?? []).map(forecastDocument);
  const expected =
    allocation.expected &&
    100 *
      barsPerYear *
      allocation.expected.reduce((sum, value, at) => sum + value * allocation.weights[at], 0);
  const time = formatTime(market.time[row] + TIMEFRAME_MS[source.timeframe]);
  header(context, source, windowOf(options), time);
  for (const { symbol, reason } of window.excluded) out.print(`Left out: ${symbol}: ${reason}.`);
  for (const note of allocation.notes) out.print(`Note: ${note}.`);
  out.table(
    ['asset', 'weight %', 'money', 'amount', 'risk %', 'held %', 'order'],
    rows
      .filter(({ weightPct, heldPct }) => Math.abs(weightPct) > 1e-6 || heldPct > 0)
      .toSorted((a, b) => b.weightPct - a.weightPct)
      .map((one) => [
        one.symbol,
        one.weightPct.toFixed(2),
        one.quoteAmount.toFixed(2),
        String(Number(one.baseAmount.toPrecision(8))),
        one.riskPct.toFixed(1),
        one.heldPct.toFixed(2),
        one.order === undefined ? '' : `${one.order.side} ${Number(one.order.baseAmount.toPrecision(8))}`,
      ]),
  );
  for (const { symbol, baseAmount } of leaving)
    out.print(`${symbol} is held and cannot be weighed: sell ${baseAmount}.`);
  out.print(
    `\nCapital ${capital.toFixed(2)}, of which ${(discrete?.left ?? 0).toFixed(2)} stays in cash. Volatility ${risk.toFixed(1)} % a year${expected === undefined ? '' : `, expected return ${expected.toFixed(1)} % a year (${forecasts === undefined ? 'of the window: no forecast' : 'of the window, moved by the forecasts'})`}.`,
  );
  if (instability !== undefined)
    out.print(
      `Drawn again from the same days, the weights move by ${(100 * instability).toFixed(0)} % of the capital on average.`,
    );
  if (told.length > 0) {
    out.print(
      '\nForecasts, and what their record out of sample leaves of them (against expecting nothing):\n',
    );
    out.table(
      ['asset', 'run', 'model', 'horizon', 'says %', 'samples', 'left %'],
      told.map((one) => [
        one.symbol,
        one.runId,
        one.model,
        String(one.horizonBars),
        one.forecastPct.toFixed(2),
        String(one.samples),
        one.shrunkPct.toFixed(2),
      ]),
    );
  }
  if (allocation.kkt !== undefined)
    out.print(`Largest KKT residual ${worstResidual(allocation.kkt).toExponential(1)}.`);
  out.document({
    strategy: name,
    time,
    exchange: source.exchange,
    timeframe: source.timeframe,
    windowBars: windowOf(options),
    capital,
    cashLeft: discrete?.left,
    volatilityPct: risk,
    expectedReturnPct: expected,
    instabilityPct: instability === undefined ? undefined : 100 * instability,
    kkt: allocation.kkt,
    weights: rows,
    ...(forecasts !== undefined && { forecasts: told }),
    orders: [
      ...rows.flatMap(({ symbol, order }) => (order === undefined ? [] : [{ symbol, ...order }])),
      ...leaving,
    ],
    excluded: window.excluded,
    notes: [...source.notes, ...allocation.notes],
    synthetic: source.synthetic,
  });
}

function orderOf(change: number, price: number, minNotional: number) {
  const quoteAmount = Math.abs(change) * price;
  if (change === 0 || quoteAmount < minNotional) return undefined;
  return {
    side: change > 0 ? ('buy' as const) : ('sell' as const),
    baseAmount: Math.abs(change),
    quoteAmount,
  };
}

/** Of the whole horizon, in percent. */
const forecastDocument = ({ symbol, runId, model, horizonBars, record }: AssetForecast) => ({
  symbol,
  runId,
  model,
  horizonBars,
  samples: record.forecast.length,
  forecastPct: 100 * record.latest,
  shrunkPct: 100 * horizonBars * shrunkForecast(record, 0),
});
