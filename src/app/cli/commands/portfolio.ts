import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { invariant, UserError } from '../../../core/foundation/errors.ts';
import { createRandom } from '../../../core/foundation/random.ts';
import { formatDay, formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { allocators } from '../../../core/portfolio/allocator.ts';
import { cluster, correlationDistance, optimalOrder } from '../../../core/portfolio/clusters.ts';
import {
  correlationOf,
  estimateCovariance,
  sampleCovariance,
  tailDependence,
} from '../../../core/portfolio/covariance.ts';
import { discreteAllocation } from '../../../core/portfolio/discrete.ts';
import {
  arithmeticMean,
  jamesStein,
  quadraticForm,
  shrunkForecast,
} from '../../../core/portfolio/expected-returns.ts';
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
import type { ReturnWindow } from '../../../core/portfolio/universe.ts';
import { SPOT_RULES } from '../../../core/trading/rules.ts';
import { openStore } from '../../../data/store/store.ts';
import { requireReplaceable, writeFileAtomic } from '../../../data/files.ts';
import { loadLinearSolver } from '../../../lab/portfolio/highs.ts';
import { comparisonLines, EQUAL_WEIGHT, type PortfolioAssessment } from '../../../lab/portfolio/assess.ts';
import { blend } from '../../../lab/portfolio/blend.ts';
import type { PortfolioStrategy, Rebalance } from '../../../lab/portfolio/walk-forward.ts';
import {
  LEARNED_IDS,
  type LearnedId,
  LEARNER_DEFAULTS,
  type LearnerParams,
} from '../../../learning/allocators/params.ts';
import type { AssetForecast, withForecasts } from '../../workflows/portfolio-forecasts.ts';
import { projectRegistry } from '../project-plugins.ts';
import { portfolioMarkdown } from '../../report/portfolio-document.ts';
import { configuredInstruments } from '../../config/execution.ts';
import {
  allocateNow,
  backtestPortfolios,
  newestWindow,
  type PortfolioMarket,
} from '../../workflows/portfolio.ts';
import { command, type CommandContext, decimal, integer, list, oneOf, refuseIgnored } from '../command.ts';
import { UsageError } from '../exit.ts';
import {
  addPortfolioOptions,
  allocatorNamed,
  barsPerYearOf,
  heldOf,
  HYBRID,
  isLearned,
  limitsOfOptions,
  marketOfOptions,
  PORTFOLIO_OPTIONS,
  type PortfolioOptions,
  settingsOf,
  strategyNames,
  windowOf,
} from '../portfolio-options.ts';
import { addMarketOptions, MARKET_OPTIONS, requireRange } from '../run-options.ts';

const EXAMPLES = `
Examples:
  $ crypto-trader portfolio optimise --strategy min-variance --investment 10000
  $ crypto-trader portfolio optimise --max 25 --group majors=BTC/USDT+ETH/USDT:30..60 --held BTC/USDT=0.05
  $ crypto-trader portfolio frontier --symbols BTC/USDT,ETH/USDT,SOL/USDT
  $ crypto-trader portfolio correlation
  $ crypto-trader portfolio compare                          every strategy's weights today
  $ crypto-trader portfolio backtest --strategies all --rebalance 1w --report portfolio.html`;

const OptimiseOptions = z.object({
  ...PORTFOLIO_OPTIONS,
  strategy: z.string().default('max-sharpe'),
  allocator: z.string().optional(),
  forecasts: z.string().transform(list).optional(),
  investment: z.string().default('10000'),
  held: z.string().optional(),
  cash: z.string().default('0'),
});
const FrontierOptions = z.object({ ...PORTFOLIO_OPTIONS, points: z.string().default('20') });
const CompareOptions = z.object({ ...PORTFOLIO_OPTIONS, strategies: z.string().default('all') });
const CorrelationOptions = z.object(PORTFOLIO_OPTIONS);
const BacktestOptions = z.object({
  ...PORTFOLIO_OPTIONS,
  strategies: z.string().default('all'),
  rebalance: z.string().default('1w'),
  drift: z.string().default('10'),
  feeBps: z.string().optional(),
  slippageBps: z.string().optional(),
  report: z.string().optional(),
  markdown: z.string().optional(),
  refit: z.string().default('91'),
  steps: z.string().optional(),
});
const TrainOptions = z.object({
  ...MARKET_OPTIONS,
  universe: z.string().optional(),
  allocator: z.string(),
  name: z.string().optional(),
  steps: z.string().optional(),
  resume: z.boolean().default(false),
});

export function register(program: Command): void {
  const group = program.command('portfolio').addHelpText('after', EXAMPLES);

  addPortfolioOptions(
    group.command('optimise').description('weights now, money for each, and the orders that lead there'),
  )
    .option('--strategy <id>', `one of ${allocators.map(({ id }) => id).join(', ')}`, 'max-sharpe')
    .option(
      '--allocator <name>',
      'the trained one that --strategy deep or rl means, by the name it was trained under',
    )
    .option(
      '--forecasts <runs>',
      'expected returns from these training runs, such as one for 1, one for 7 and one for 30 days, shrunk by their record',
    )
    .option('--investment <amount>', 'capital in quote currency', '10000')
    .option(
      '--held <amounts>',
      'base amounts that are held, such as BTC/USDT=0.1,ETH/USDT=2; with --cash they are the capital',
    )
    .option('--cash <amount>', 'quote currency beside --held', '0')
    .action(
      command((context, options) => optimise(context, OptimiseOptions.parse(options)), { logs: false }),
    );

  addPortfolioOptions(
    group
      .command('frontier')
      .description('least risk for each expected return, and how much of it is chance'),
  )
    .option('--points <count>', 'portfolios along the frontier', '20')
    .action(
      command((context, options) => showFrontier(context, FrontierOptions.parse(options)), { logs: false }),
    );

  addPortfolioOptions(
    group.command('correlation').description('which assets move, and crash, together'),
  ).action(
    command((context, options) => correlation(context, CorrelationOptions.parse(options)), { logs: false }),
  );

  addPortfolioOptions(group.command('compare').description("every strategy's weights now, side by side"))
    .option('--strategies <list>', 'strategies, or all', 'all')
    .action(command((context, options) => compare(context, CompareOptions.parse(options)), { logs: false }));

  addPortfolioOptions(
    group
      .command('backtest')
      .description('strategies walked forward with costs, against equal weights, bitcoin and cash'),
  )
    .option('--strategies <list>', 'strategies, or all', 'all')
    .option('--since <date>', 'first decision (UTC; default: as soon as there is a whole window)')
    .option('--rebalance <when>', '1d, 1w, 2w, 1M, or threshold: when weights have drifted', '1w')
    .option(
      '--drift <percent>',
      'share of the capital out of place at which --rebalance threshold acts',
      '10',
    )
    .option('--fee-bps <number>', 'fee per side, in basis points')
    .option('--slippage-bps <number>', 'slippage per side, in basis points')
    .option('--refit <bars>', 'how often deep, rl and hybrid learn anew', '91')
    .option('--steps <count>', 'training steps of deep, rl and hybrid')
    .option('--report <file>', 'write a report as one HTML file')
    .option('--markdown <file>', 'write the comparison as a page of Markdown')
    .action(command((context, options) => backtest(context, BacktestOptions.parse(options))));

  addMarketOptions(
    group.command('train').description('teach an allocator on the stored candles'),
    ['exchange', 'symbols', 'timeframe', 'until'],
    {
      symbols: 'pairs instead of the default twenty',
      timeframe: 'bar length (default: 1d)',
      until: 'learn from bars up to the end of this date (UTC; default: all)',
    },
  )
    .requiredOption('--allocator <id>', 'deep (LSTM with attention on the Sharpe ratio) or rl (EIIE)')
    .option('--universe <file>', 'YAML list of members')
    .option('--name <name>', 'what the checkpoint is called (default: the allocator)')
    .option('--steps <count>', 'training steps in all')
    .option('--resume', 'go on with the checkpoint of that name')
    .action(command((context, options) => train(context, TrainOptions.parse(options))));
}

async function optimise(context: CommandContext, options: z.output<typeof OptimiseOptions>): Promise<void> {
  const { config, out, seed } = context;
  const [name, ...more] = strategyNames('--strategy', options.strategy);
  if (more.length > 0)
    throw new UsageError('--strategy takes one strategy; `portfolio compare` shows several.');
  if (options.held === undefined) refuseIgnored(context, ['--cash'], 'without --held');
  else refuseIgnored(context, ['--investment'], 'with --held: what is held and --cash are the capital');
  const investment = decimal('--investment', options.investment, { least: 1 });
  const cash = decimal('--cash', options.cash, { least: 0 });
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
  const expectedFor = forecasts && expectedBy(forecasts.found, forecasts.withForecasts);
  const { window, task, allocation, instability } = await allocateNow(source, strategy, {
    expectedFor,
    windowBars: windowOf(options),
    limitsFor: limitsOfOptions(options, members),
    settings: settingsOf(options, barsPerYear, costRate),
    solveLinear: await loadLinearSolver(),
    held: values.map((value) => value / capital),
    seed,
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
  const told = (forecasts?.found ?? []).map(forecastDocument);
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

/** Without a setting that of `SPOT_RULES`: one figure for all assets. */
const slippageOf = ({ trading }: CommandContext['config']): number =>
  trading.slippageBps ?? SPOT_RULES.slippageBps;

function orderOf(change: number, price: number, minNotional: number) {
  const quoteAmount = Math.abs(change) * price;
  if (change === 0 || quoteAmount < minNotional) return undefined;
  return {
    side: change > 0 ? ('buy' as const) : ('sell' as const),
    baseAmount: Math.abs(change),
    quoteAmount,
  };
}

const volatilityPct = (
  { covariance, weights }: { readonly covariance: readonly Float64Array[]; readonly weights: Float64Array },
  barsPerYear: number,
): number => 100 * Math.sqrt(quadraticForm(covariance, weights) * barsPerYear);

function header({ out }: CommandContext, source: PortfolioMarket, windowBars: number, time: string): void {
  if (source.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  out.print(
    `${source.exchange} ${source.timeframe}, ${windowBars} returns up to ${time.slice(0, 16).replace('T', ' ')} UTC.`,
  );
}

async function forecastsNamed(context: CommandContext, source: PortfolioMarket, runs: readonly string[]) {
  const { config } = context;
  // Models bring the engine, which takes half a second to load.
  const { forecastsOfRuns, withForecasts } = await import('../../workflows/portfolio-forecasts.ts');
  const found = await forecastsOfRuns(source, runs, {
    store: openStore(config.dataDir),
    checkpointDir: config.checkpointDir,
    registry: await projectRegistry(context),
  });
  if (found.length === 0)
    throw new UserError(`No model of ${runs.join(', ')} states an expected return on the newest bar.`, {
      hint: 'Train one that does, such as ridge or boosted-trees, on these symbols.',
    });
  return { found, withForecasts };
}

const expectedBy =
  (found: readonly AssetForecast[], move: typeof withForecasts) =>
  ({ returns }: ReturnWindow, symbols: readonly string[]): Float64Array =>
    move(jamesStein(arithmeticMean(returns), sampleCovariance(returns), returns[0].length), symbols, found);

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

/** Of an allocator itself, or of a checkpoint that `portfolio train` left. */
async function trainedStrategy(
  context: CommandContext,
  source: PortfolioMarket,
  name: string,
  trained: string | undefined,
): Promise<PortfolioStrategy> {
  if (name === HYBRID)
    return blend(HYBRID, [
      await trainedStrategy(context, source, 'deep', undefined),
      await trainedStrategy(context, source, 'rl', undefined),
      allocatorNamed('min-variance'),
    ]);
  if (!isLearned(name)) return allocatorNamed(name);
  // Networks take half a second to load.
  const { loadAllocator, openTrained } = await import('../../workflows/portfolio-training.ts');
  const saved = await loadAllocator(context.config.checkpointDir, trained ?? name);
  if (saved === undefined)
    throw new UserError(`There is no trained allocator "${trained ?? name}".`, {
      hint: `Train it: crypto-trader portfolio train --allocator ${name}`,
    });
  if (saved.id !== name)
    throw new UserError(`The allocator "${trained ?? name}" is "${saved.id}", not "${name}".`, {
      hint: 'Name another with --allocator.',
    });
  const newest = source.market.time[source.market.time.length - 1];
  if (saved.trainedUntilMs > newest)
    throw new UserError(
      `The allocator "${trained ?? name}" has learned from days up to ${formatDay(saved.trainedUntilMs)}, and is asked about ${formatDay(newest)}.`,
      { hint: 'Train one with the same --until, or ask about a later day.' },
    );
  const symbols = source.members.map(({ symbol }) => symbol);
  if (saved.symbols.join() !== symbols.join())
    throw new UserError(`The allocator "${trained ?? name}" was trained on ${saved.symbols.join(', ')}.`, {
      hint: 'Ask for the same symbols in the same order, or train it on these.',
    });
  return openTrained(saved, source);
}

const learnerParams = (id: LearnedId, steps: string | undefined, costRate: number): LearnerParams => ({
  ...LEARNER_DEFAULTS[id],
  ...(steps !== undefined && { steps: integer('--steps', steps, { least: 1 }) }),
  costRate,
});

async function train(context: CommandContext, options: z.output<typeof TrainOptions>): Promise<void> {
  const { config, out, seed, signal, log } = context;
  const id = oneOf('--allocator', options.allocator, LEARNED_IDS);
  const name = options.name ?? id;
  const { requireAllocatorName, trainAllocator } = await import('../../workflows/portfolio-training.ts');
  requireAllocatorName(name);
  const source = await marketOfOptions(context, options);
  const costRate = (config.trading.feeBps + slippageOf(config)) / 10_000;
  const progress = out.progress();
  let bar: ReturnType<typeof progress.task> | undefined;
  const saved = await trainAllocator({
    checkpointDir: config.checkpointDir,
    name,
    id,
    source,
    params: learnerParams(id, options.steps, costRate),
    seed,
    resume: options.resume,
    signal,
    onStep: (done, total, loss) => {
      bar ??= progress.task(name, total);
      bar.update(done, `loss ${loss.toFixed(4)}`);
    },
  }).finally(() => progress.stop());
  const { step } = saved.state.train;
  log.info({ name, id, step }, 'portfolio train');
  out.print(
    `${name}: ${id}, ${step} steps on ${saved.symbols.length} assets up to ${formatDay(saved.trainedUntilMs)}. Its weights: portfolio optimise --strategy ${id}${name === id ? '' : ` --allocator ${name}`}`,
  );
  out.print(
    'What it is worth is not said by training: portfolio backtest --strategies deep,rl teaches it again and again on the past alone.',
  );
  out.document({
    name,
    allocator: id,
    steps: step,
    seed,
    symbols: saved.symbols,
    trainedUntil: formatTime(saved.trainedUntilMs),
    params: saved.params,
    weightHash: saved.weightHash,
    checkpoint: saved.folder,
    synthetic: source.synthetic,
  });
}

async function showFrontier(
  context: CommandContext,
  options: z.output<typeof FrontierOptions>,
): Promise<void> {
  const { out, seed } = context;
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
  const curve = frontier(task, points);
  const band = resampledFrontier(task, {
    rows: windowOf(options),
    points,
    draws: 40,
    random: createRandom(seed),
  });
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

async function correlation(context: CommandContext, options: PortfolioOptions): Promise<void> {
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

async function compare(context: CommandContext, options: z.output<typeof CompareOptions>): Promise<void> {
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

async function backtest(context: CommandContext, options: z.output<typeof BacktestOptions>): Promise<void> {
  const { config, out, seed, signal, log } = context;
  requireRange(options);
  for (const file of [options.report, options.markdown])
    if (file !== undefined) await requireReplaceable(file);
  const chosen = strategyNames('--strategies', options.strategies);
  const names = chosen.includes(EQUAL_WEIGHT) ? chosen : [EQUAL_WEIGHT, ...chosen];
  if (!chosen.some((name) => isLearned(name) || name === HYBRID))
    refuseIgnored(context, ['--refit', '--steps'], 'without a strategy that learns');
  const source = await marketOfOptions(context, options);
  const barsPerYear = barsPerYearOf(source);
  const costs = { least: 0, most: 1000 };
  const feeBps =
    options.feeBps === undefined ? config.trading.feeBps : decimal('--fee-bps', options.feeBps, costs);
  const slippageBps =
    options.slippageBps === undefined
      ? slippageOf(config)
      : decimal('--slippage-bps', options.slippageBps, costs);
  const limitsFor = limitsOfOptions(options, source.members);
  const { assets } = newestWindow(source, windowOf(options));
  requireFeasible(
    limitsFor(assets),
    assets.map((i) => source.members[i].symbol),
    new Float64Array(assets.length).fill(1 / assets.length),
  );
  const refitBars = integer('--refit', options.refit, { least: 1 });
  const learns = names.some((name) => isLearned(name) || name === HYBRID);
  const networks = learns ? await import('../../../lab/portfolio/learned.ts') : undefined;
  const learningOrNot = (name: string): PortfolioStrategy => {
    if (name === HYBRID)
      return blend(HYBRID, [learningOrNot('deep'), learningOrNot('rl'), allocatorNamed('min-variance')]);
    if (!isLearned(name)) return allocatorNamed(name);
    const params = learnerParams(name, options.steps, (feeBps + slippageBps) / 10_000);
    invariant(networks !== undefined, 'networks are loaded for strategies that learn');
    return networks.learningStrategy(name, source, { params, seed, refitBars, signal });
  };
  const progress = out.progress();
  let bar: ReturnType<typeof progress.task> | undefined;
  const result = await backtestPortfolios({
    source,
    strategies: names.map((name) => learningOrNot(name)),
    instruments: configuredInstruments(
      config.trading,
      source.members.map(({ symbol }) => symbol),
    ),
    rules: {
      ...SPOT_RULES,
      initialBalance: config.trading.initialBalance,
      feeBps,
      slippageBps,
      rebalanceBandPct: 0,
      allowShort: options.min !== undefined && Number(options.min) < 0,
      maxExposurePct: 100,
    },
    windowBars: windowOf(options),
    rebalance: rebalanceOf(options, source),
    fromMs: options.since ?? 0,
    untilMs: Infinity,
    limitsFor,
    settings: settingsOf(options, barsPerYear, (feeBps + slippageBps) / 10_000),
    solveLinear: await loadLinearSolver(),
    barsPerYear,
    seed,
    signal,
    trialsFile: join(config.dataDir, 'trials.jsonl'),
    onStrategy: (done, total, id) => {
      bar ??= progress.task('walk-forward', total);
      bar.update(done, id);
    },
  }).finally(() => progress.stop());
  const { comparison } = result;
  const [first] = comparison.assessments;
  const range = {
    from: formatTime(first.run.time[0]),
    until: formatTime(first.run.time[first.run.time.length - 1] + TIMEFRAME_MS[source.timeframe]),
  };
  if (options.report !== undefined) {
    const { renderPortfolioReport } = await import('../../report/portfolio-report.ts');
    await writeFileAtomic(options.report, renderPortfolioReport(result));
  }
  if (options.markdown !== undefined)
    await writeFileAtomic(options.markdown, portfolioMarkdown(result, commandLineOf(options)));
  log.info({ ...range, strategies: comparison.assessments.length }, 'portfolio backtest');
  if (source.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  out.print(
    `${source.members.length} assets ${source.timeframe} on ${source.exchange}, ${range.from.slice(0, 10)} .. ${range.until.slice(0, 10)}, weights on ${windowOf(options)} returns, ${options.rebalance === 'threshold' ? `chosen again when ${options.drift} % are out of place` : `chosen again every ${options.rebalance}`}; fee ${feeBps} bp, slippage ${slippageBps} bp, fills at the next open.\n`,
  );
  out.table(
    [
      'strategy',
      'return %',
      'CAGR %',
      'vol %',
      'Sharpe',
      '95 %',
      'over 1/N',
      '95 %',
      'drawdown %',
      'turnover/y',
      'costs',
      'deflated',
    ],
    comparison.assessments.map(tableRow),
  );
  out.print('');
  for (const line of comparisonLines(comparison)) out.print(line);
  out.print(
    'Cash earns 0 here. Market capitalisations are not known, so there are no weights by them. Sharpe: annualised, risk-free rate 0, 365 days; intervals: studentised block bootstrap.',
  );
  for (const { symbol, time, price } of first.run.delisted)
    out.print(`${symbol} was sold at its delisting, ${formatDay(time)}, at ${price}.`);
  if (options.report !== undefined) out.print(`Report: ${options.report}`);
  out.document({
    ...range,
    exchange: source.exchange,
    timeframe: source.timeframe,
    symbols: source.members.map(({ symbol }) => symbol),
    windowBars: windowOf(options),
    rebalance: options.rebalance,
    feeBps,
    slippageBps,
    bars: comparison.bars,
    strategies: comparison.assessments.map(assessmentDocument),
    better: comparison.better,
    superiorityPValue: comparison.superiority,
    trials: comparison.trials,
    dataFingerprint: source.fingerprint,
    seed,
    notes: source.notes,
    synthetic: source.synthetic,
    report: options.report,
  });
}

/** As somebody would type it again. */
const commandLineOf = ({
  strategies,
  rebalance,
  window,
  exchange,
  markdown,
}: z.output<typeof BacktestOptions>): string =>
  `crypto-trader portfolio backtest --strategies ${strategies} --rebalance ${rebalance} --window ${window}${exchange === undefined ? '' : ` --exchange ${exchange}`} --markdown ${markdown ?? ''}`;

function rebalanceOf(options: z.output<typeof BacktestOptions>, source: PortfolioMarket): Rebalance {
  if (options.rebalance === 'threshold')
    return { kind: 'drift', share: decimal('--drift', options.drift, { least: 0, most: 100 }) / 100 };
  const match = /^(\d+)([dwM])$/.exec(options.rebalance);
  const days = match === null ? NaN : Number(match[1]) * { d: 1, w: 7, M: 30 }[match[2] as 'd' | 'w' | 'M'];
  const bars = Math.round((days * 86_400_000) / TIMEFRAME_MS[source.timeframe]);
  if (!(bars >= 1))
    throw new UsageError(
      `--rebalance cannot be "${options.rebalance}": expected 1d, 1w, 2w, 1M or threshold.`,
    );
  return { kind: 'every', bars };
}

const figure = (value: number | undefined, digits = 1): string =>
  value === undefined ? '-' : value.toFixed(digits);
const band = (interval: { readonly low: number; readonly high: number } | undefined): string =>
  interval === undefined ? '-' : `${interval.low.toFixed(2)} .. ${interval.high.toFixed(2)}`;

const tableRow = (one: PortfolioAssessment): readonly string[] => [
  one.run.id,
  figure(one.totalReturnPct),
  figure(one.cagrPct),
  figure(one.volatilityPct),
  figure(one.sharpe, 2),
  band(one.sharpe95),
  figure(one.overEqualWeight?.difference, 2),
  band(one.overEqualWeight?.interval),
  figure(one.maxDrawdownPct),
  figure(one.turnoverPerYear),
  figure(one.costsQuote, 0),
  figure(one.deflatedSharpe, 2),
];

const assessmentDocument = (one: PortfolioAssessment) => ({
  strategy: one.run.id,
  totalReturnPct: one.totalReturnPct,
  cagrPct: one.cagrPct,
  volatilityPct: one.volatilityPct,
  sharpe: one.sharpe,
  sharpeStandardError: one.sharpeStandardError,
  sharpe95: one.sharpe95,
  sortino: one.sortino,
  maxDrawdownPct: one.maxDrawdownPct,
  turnoverPerYear: one.turnoverPerYear,
  costsQuote: one.costsQuote,
  overEqualWeight: one.overEqualWeight,
  deflatedSharpe: one.deflatedSharpe,
  rebalances: one.run.rebalances.length,
  delisted: one.run.delisted.map(({ symbol, time, price }) => ({ symbol, time: formatTime(time), price })),
  notes: [...new Set(one.run.rebalances.flatMap(({ notes }) => notes))],
});
