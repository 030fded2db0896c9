import { z } from 'zod';
import { createRandom } from '../../../core/foundation/random.ts';
import { formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { cluster, correlationDistance, optimalOrder } from '../../../core/portfolio/clusters.ts';
import {
  correlationOf,
  estimateCovariance,
  sampleCovariance,
  tailDependence,
} from '../../../core/portfolio/covariance.ts';
import { arithmeticMean, jamesStein } from '../../../core/portfolio/expected-returns.ts';
import { requireFeasible } from '../../../core/portfolio/limits.ts';
import {
  frontier,
  maximumSharpe,
  minimumVariance,
  resampledFrontier,
  riskContributions,
} from '../../../core/portfolio/mean-variance.ts';
import { worstResidual } from '../../../core/portfolio/quadratic.ts';
import { positiveDefinite } from '../../../core/portfolio/symmetric.ts';
import { inTurns } from '../../../data/turns.ts';
import { loadLinearSolver } from '../../../lab/portfolio/highs.ts';
import { allocateNow, newestWindow } from '../../workflows/portfolio.ts';
import { type CommandContext, decimal } from '../command.ts';
import {
  barsPerYearOf,
  limitsOfOptions,
  marketOfOptions,
  PORTFOLIO_OPTIONS,
  type PortfolioOptions,
  settingsOf,
  strategyNames,
  windowOf,
} from '../portfolio-options.ts';
import { slippageOf, volatilityPct, header, figure } from './shared.ts';
import { trainedStrategy } from './learners.ts';

export const FrontierOptions = z.object({ ...PORTFOLIO_OPTIONS, points: z.string().default('20') });

export const CompareOptions = z.object({ ...PORTFOLIO_OPTIONS, strategies: z.string().default('all') });

export const CorrelationOptions = z.object(PORTFOLIO_OPTIONS);

export async function showFrontier(
  context: CommandContext,
  options: z.output<typeof FrontierOptions>,
): Promise<void> {
  const { out, seed, signal } = context;
  const points = Math.round(decimal('--points', options.points, { least: 2, most: 1000 }));
  const source = await marketOfOptions(context, options);
  const barsPerYear = barsPerYearOf(source);
  const settings = settingsOf(options, barsPerYear, 0);
  const window = newestWindow(source, windowOf(options));
  const symbols = window.assets.map((i) => source.members[i].symbol);
  const { matrix: covariance, repair } = positiveDefinite(
    estimateCovariance(settings.covariance, window.returns),
  );
  const current = new Float64Array(symbols.length);
  const limits = limitsOfOptions({ ...options, maxTurnover: undefined }, source.members)(window.assets);
  requireFeasible(limits, symbols, current);
  const expected = jamesStein(arithmeticMean(window.returns), covariance, windowOf(options));
  const task = { symbols, expected, covariance, limits, current, costRate: 0 };
  const curve = await inTurns(frontier(task, points), signal);
  const band = await inTurns(
    resampledFrontier(task, { rows: windowOf(options), points, draws: 40, random: createRandom(seed) }),
    signal,
  );
  const best = maximumSharpe(task, settings.riskFree);
  const yearly = (own: {
    readonly expectedReturn: number;
    readonly volatility: number;
    readonly weights: Float64Array;
  }) => ({
    expectedReturnPct: 100 * barsPerYear * own.expectedReturn,
    volatilityPct: 100 * Math.sqrt(barsPerYear) * own.volatility,
    weightsPct: Object.fromEntries(symbols.map((symbol, i) => [symbol, 100 * own.weights[i]])),
  });
  const rows = curve.map((point, k) => ({
    ...yearly(point),
    kktResidual: worstResidual(point.kkt),
    resampledVolatilityPct: band[k].volatility.map((value) => 100 * Math.sqrt(barsPerYear) * value),
    resampledWeightsPct: Object.fromEntries(
      symbols.map((symbol, i) => [
        symbol,
        [100 * band[k].low[i], 100 * band[k].mean[i], 100 * band[k].high[i]],
      ]),
    ),
  }));
  const time = formatTime(source.market.time[window.row] + TIMEFRAME_MS[source.timeframe]);
  header(context, source, windowOf(options), time);
  for (const { symbol, reason } of window.excluded) out.print(`Left out: ${symbol}: ${reason}.`);
  if (repair !== undefined) out.print(`Note: ${repair}.`);
  out.table(
    ['return %', 'volatility %', 'resampled 80 %', 'largest weights'],
    rows.map((row) => [
      row.expectedReturnPct.toFixed(1),
      row.volatilityPct.toFixed(1),
      row.resampledVolatilityPct.map((value) => value.toFixed(1)).join(' .. '),
      Object.entries(row.weightsPct)
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, 4)
        .filter(([, weight]) => weight >= 0.5)
        .map(([symbol, weight]) => `${symbol.split('/')[0]} ${weight.toFixed(0)} %`)
        .join(', '),
    ]),
  );
  out.print(
    '\nExpected returns are those of the window, shrunk towards each other: history, no forecast. The band holds 80 % of frontiers of drawn returns.',
  );
  const tangency = best && yearly(best);
  const least = yearly(minimumVariance(task));
  if (tangency !== undefined)
    out.print(
      `Highest ratio: ${tangency.expectedReturnPct.toFixed(1)} % at ${tangency.volatilityPct.toFixed(1)} %.`,
    );
  out.document({
    time,
    exchange: source.exchange,
    timeframe: source.timeframe,
    windowBars: windowOf(options),
    frontier: rows,
    maxSharpe: tangency,
    minVariance: least,
    excluded: window.excluded,
    notes: [...source.notes, ...(repair === undefined ? [] : [repair])],
    synthetic: source.synthetic,
  });
}

export async function correlation(context: CommandContext, options: PortfolioOptions): Promise<void> {
  const { out } = context;
  const source = await marketOfOptions(context, options);
  const window = newestWindow(source, windowOf(options));
  const symbols = window.assets.map((i) => source.members[i].symbol);
  const matrix = correlationOf(sampleCovariance(window.returns));
  const tails = tailDependence(window.returns);
  const distances = correlationDistance(matrix);
  const order = symbols.length === 1 ? [0] : optimalOrder(cluster(distances, 'ward'), distances);
  const time = formatTime(source.market.time[window.row] + TIMEFRAME_MS[source.timeframe]);
  header(context, source, windowOf(options), time);
  for (const { symbol, reason } of window.excluded) out.print(`Left out: ${symbol}: ${reason}.`);
  const base = (i: number): string => symbols[i].split('/')[0];
  out.print('\nCorrelation of returns, neighbours in the order of their clusters:\n');
  out.table(
    ['', ...order.map(base)],
    order.map((i) => [base(i), ...order.map((j) => matrix[i][j].toFixed(2))]),
  );
  out.print('\nOf the worst tenth of the days of one, the share that is among the worst of the other:\n');
  out.table(
    ['', ...order.map(base)],
    order.map((i) => [base(i), ...order.map((j) => tails[i][j].toFixed(2))]),
  );
  out.document({
    time,
    exchange: source.exchange,
    timeframe: source.timeframe,
    windowBars: windowOf(options),
    symbols: order.map((i) => symbols[i]),
    correlation: order.map((i) => order.map((j) => matrix[i][j])),
    tailDependence: order.map((i) => order.map((j) => tails[i][j])),
    excluded: window.excluded,
    notes: source.notes,
    synthetic: source.synthetic,
  });
}

export async function compare(
  context: CommandContext,
  options: z.output<typeof CompareOptions>,
): Promise<void> {
  const { config, out, seed, signal } = context;
  const chosen = strategyNames('--strategies', options.strategies);
  const source = await marketOfOptions(context, options);
  const barsPerYear = barsPerYearOf(source);
  const solveLinear = await loadLinearSolver();
  const costRate = (config.trading.feeBps + slippageOf(config)) / 10_000;
  const found = [];
  for (const name of chosen) {
    signal.throwIfAborted();
    const strategy = await trainedStrategy(context, source, name, undefined);
    const { task, allocation, instability } = await allocateNow(source, strategy, {
      windowBars: windowOf(options),
      limitsFor: limitsOfOptions(options, source.members),
      settings: settingsOf(options, barsPerYear, costRate),
      solveLinear,
      held: new Float64Array(source.members.length),
      seed,
      signal,
    });
    const contributions = riskContributions(allocation.covariance, allocation.weights);
    found.push({
      strategy: name,
      volatilityPct: volatilityPct(allocation, barsPerYear),
      // How many equally large positions hold as much.
      effectiveAssets: 1 / allocation.weights.reduce((sum, weight) => sum + weight * weight, 0),
      largestRiskPct: 100 * Math.max(...contributions),
      instabilityPct: instability === undefined ? undefined : 100 * instability,
      weightsPct: Object.fromEntries(task.symbols.map((symbol, i) => [symbol, 100 * allocation.weights[i]])),
      notes: allocation.notes,
    });
  }
  const { excluded, row } = newestWindow(source, windowOf(options));
  const time = formatTime(source.market.time[row] + TIMEFRAME_MS[source.timeframe]);
  header(context, source, windowOf(options), time);
  for (const { symbol, reason } of excluded) out.print(`Left out: ${symbol}: ${reason}.`);
  out.table(
    ['strategy', 'volatility %', 'effective assets', 'largest risk %', 'unstable %', 'largest weights'],
    found.map((one) => [
      one.strategy,
      one.volatilityPct.toFixed(1),
      one.effectiveAssets.toFixed(1),
      one.largestRiskPct.toFixed(0),
      figure(one.instabilityPct, 0),
      Object.entries(one.weightsPct)
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, 4)
        .filter(([, weight]) => weight >= 0.5)
        .map(([symbol, weight]) => `${symbol.split('/')[0]} ${weight.toFixed(0)}`)
        .join(', '),
    ]),
  );
  out.print(
    '\nUnstable: share of the capital that moves when the days of the window are drawn again. What any of it earned: `portfolio backtest`.',
  );
  for (const { strategy, notes } of found) for (const note of notes) out.print(`${strategy}: ${note}.`);
  out.document({
    time,
    exchange: source.exchange,
    timeframe: source.timeframe,
    windowBars: windowOf(options),
    strategies: found,
    excluded,
    notes: source.notes,
    synthetic: source.synthetic,
  });
}
