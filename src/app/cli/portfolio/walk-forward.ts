import { join } from 'node:path';
import { z } from 'zod';
import { invariant } from '../../../core/foundation/errors.ts';
import { formatDay, formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { requireFeasible } from '../../../core/portfolio/limits.ts';
import { SPOT_RULES } from '../../../core/trading/rules.ts';
import { requireWritable, writeFileAtomic } from '../../../data/files.ts';
import { loadLinearSolver } from '../../../lab/portfolio/highs.ts';
import { comparisonLines, EQUAL_WEIGHT, type PortfolioAssessment } from '../../../lab/portfolio/assess.ts';
import { blend } from '../../../lab/portfolio/blend.ts';
import type { PortfolioStrategy } from '../../../lab/portfolio/walk-forward.ts';
import { LEARNED_IDS } from '../../../learning/allocators/params.ts';
import type { LearnerState } from '../../../learning/allocators/state.ts';
import { portfolioMarkdown } from '../../report/portfolio-document.ts';
import { configuredInstruments } from '../../config/execution.ts';
import { backtestPortfolios, newestWindow } from '../../workflows/portfolio.ts';
import { type CommandContext, decimal, integer, list, refuseIgnored } from '../command.ts';
import {
  allocatorNamed,
  barsPerYearOf,
  HYBRID,
  isLearned,
  limitsOfOptions,
  marketOfOptions,
  PORTFOLIO_OPTIONS,
  rebalanceOf,
  settingsOf,
  strategyNames,
  windowOf,
} from '../portfolio-options.ts';
import { requireRange } from '../run-options.ts';
import { forecastsNamed } from './forecasts.ts';
import { slippageOf } from './shared.ts';
import { learnerParams } from './learners.ts';
import { assessmentRow } from '../../report/portfolio-document.ts';

export const BacktestOptions = z.object({
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
  forecasts: z.string().transform(list).optional(),
});

export async function backtest(
  context: CommandContext,
  options: z.output<typeof BacktestOptions>,
): Promise<void> {
  const { config, out, seed, signal, log } = context;
  requireRange(options);
  for (const file of [options.report, options.markdown]) if (file !== undefined) await requireWritable(file);
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
  const fits = new Map<string, LearnerState>();
  const learningOrNot = (name: string): PortfolioStrategy => {
    if (name === HYBRID)
      return blend(HYBRID, [...LEARNED_IDS.map(learningOrNot), allocatorNamed('min-variance')]);
    if (!isLearned(name)) return allocatorNamed(name);
    const params = learnerParams(name, options.steps, (feeBps + slippageBps) / 10_000);
    invariant(networks !== undefined, 'networks are loaded for strategies that learn');
    return networks.learningStrategy(name, source, { params, seed, refitBars, fits, signal });
  };
  const forecasts =
    options.forecasts === undefined ? undefined : await forecastsNamed(context, source, options.forecasts);
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
    rebalance: rebalanceOf(options, source.timeframe),
    fromMs: options.since ?? 0,
    untilMs: Infinity,
    limitsFor,
    settings: settingsOf(options, barsPerYear, (feeBps + slippageBps) / 10_000),
    solveLinear: await loadLinearSolver(),
    expectedAt: forecasts?.expectedAt,
    forecasts: options.forecasts,
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
  if (forecasts !== undefined)
    out.print(
      `Expected returns: of the window, from ${formatDay(forecasts.fromMs)} on moved by ${options.forecasts?.join(', ')} as far as what they had said by then, and what had come of it, deserves.\n`,
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
    comparison.assessments.map(assessmentRow),
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
    ...(forecasts !== undefined && {
      forecasts: { runs: options.forecasts, from: formatTime(forecasts.fromMs) },
    }),
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
  forecasts,
  markdown,
}: z.output<typeof BacktestOptions>): string =>
  `crypto-trader portfolio backtest --strategies ${strategies} --rebalance ${rebalance} --window ${window}${exchange === undefined ? '' : ` --exchange ${exchange}`}${forecasts === undefined ? '' : ` --forecasts ${forecasts.join(',')}`} --markdown ${markdown ?? ''}`;

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
