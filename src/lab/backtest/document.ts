import { formatTime } from '../../core/foundation/time.ts';
import {
  CONVENTION_NAMES,
  CONVENTION_TEXTS,
  type ConventionFigures,
  type ConventionName,
  measureAs,
} from '../../core/evaluation/conventions.ts';
import { CONVENTIONS } from '../../core/evaluation/metrics.ts';
import type { Fill, Rejection, Trade } from '../../core/trading/events.ts';
import { type Assessment, type Confidence, confidence } from './assess.ts';
import type { Backtest } from './backtest.ts';
import type { TrialSummary } from './trial-summary.ts';
import { overSeeds } from './seeds.ts';

/** Where the numbers come from. */
export interface Provenance {
  readonly exchange: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly synthetic: boolean;
  /** SHA-256 of the candles. */
  readonly dataFingerprint: string;
  /** The training run, or how the models were refitted. */
  readonly trainedBy: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Missing bars of the range, all symbols. */
  readonly missingBars: number;
  readonly seed: number;
  readonly warnings: readonly string[];
  /** Of every rule tried on this market. */
  readonly trials: TrialSummary;
}

/** The JSON document of a backtest; `null` where a figure is not defined. */
export function backtestDocument(result: Backtest, about: Provenance, equityCurve: string): object {
  const { ensemble, benchmark, members, setting, costs } = result;
  const { rules, market } = setting;
  const summary = (one: Assessment): object => ({
    outcome: outcomeDocument(one),
    metrics: known(one.metrics),
    costs: costsOf(one),
    confidence: confidenceOf(confidence(one, setting.barsPerYear, about.trials)),
  });
  return {
    exchange: about.exchange,
    symbols: about.symbols,
    timeframe: about.timeframe,
    synthetic: about.synthetic,
    trainedBy: about.trainedBy,
    dataFingerprint: about.dataFingerprint,
    seed: about.seed,
    warnings: about.warnings,
    range: { from: formatTime(about.fromMs), to: formatTime(about.untilMs) },
    bars: market.time.length,
    missingBars: about.missingBars,
    rules,
    risk: setting.risk ?? null,
    latencyBars: setting.latencyBars ?? 0,
    outcome: outcomeDocument(ensemble),
    metrics: { ...known(ensemble.metrics), conventions: CONVENTIONS },
    benchmark: { name: benchmark.strategy.name, ...known(benchmark.metrics) },
    costs: {
      feeBps: rules.feeBps,
      // Null: it is modelled, by `rules.impact`.
      slippageBps: rules.impact === undefined ? rules.slippageBps : null,
      ...costsOf(ensemble),
      curve: costs?.points.map(known) ?? null,
      breakEvenBps: costs?.breakEvenBps ?? null,
    },
    confidence: confidenceOf(confidence(ensemble, setting.barsPerYear, about.trials)),
    timing: result.timing ?? null,
    overfitting: result.overfitting ?? null,
    superiority: result.superiority ?? null,
    breakdowns:
      result.breakdowns === undefined
        ? null
        : Object.fromEntries(
            Object.entries(result.breakdowns).map(([kind, parts]: [string, readonly object[]]) => [
              kind,
              parts.map(known),
            ]),
          ),
    forecasts: result.forecasts.map(known),
    metricsAs: Object.fromEntries(
      CONVENTION_NAMES.map((name) => [
        name,
        { ...known(asConvention(name, result)), convention: CONVENTION_TEXTS[name] },
      ]),
    ),
    intrabar: result.intrabar,
    ...(result.folds.length > 0 && {
      folds: result.folds.map(({ train, test, bars, strategies }) => ({
        trainedFrom: formatTime(train.fromMs),
        trainedUntil: formatTime(train.untilMs),
        testedFrom: formatTime(test.fromMs),
        testedUntil: formatTime(test.untilMs),
        bars,
        strategies: strategies.map(known),
      })),
    }),
    models: members.map((one) => ({
      model: one.strategy.name,
      kind: one.strategy.kind,
      noSkill: one.strategy.noSkill ?? null,
      ...summary(one),
    })),
    ...(result.seeds.length > 0 && {
      seeds: result.seeds.map((one) => ({
        strategy: one.name,
        ...known(overSeeds(one)),
        runs: one.runs.map(({ metrics }) => known(metrics)),
      })),
    }),
    trades: ensemble.run.trades.map(tradeOf),
    openPositions: openPositions(ensemble),
    fills: ensemble.run.fills.map(fillOf),
    rejections: countReasons(ensemble.run.rejections),
    equityCurve,
    barsPerSecond: Math.round(result.barsPerSecond),
  };
}

/** The ensemble's figures as another system computes them; none where there is nothing to judge. */
export function asConvention(
  name: ConventionName,
  { ensemble, market, setting }: Backtest,
): Partial<ConventionFigures> {
  if (ensemble.outcome.kind !== 'traded') return {};
  const { initialBalance } = setting.rules;
  const { equity, trades } = ensemble.run;
  return measureAs(name, {
    initialBalance,
    time: market.time,
    equity,
    trades,
    barsPerYear: setting.barsPerYear,
  });
}

function outcomeDocument({ outcome }: Assessment): object {
  return outcome.kind === 'ruined' ? { ...outcome, time: formatTime(outcome.time) } : outcome;
}

export function countReasons(rejections: readonly Rejection[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason } of rejections) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function openPositions({ run }: Assessment): readonly object[] {
  const { columns, instruments } = run.portfolio;
  return instruments.flatMap(({ symbol }, s) =>
    columns.amount[s] === 0
      ? []
      : [
          {
            symbol,
            baseAmount: columns.amount[s],
            entryPrice: columns.entryPrice[s],
            lastPrice: columns.mark[s],
            lastBarTime: formatTime(columns.barTime[s]),
            tradable: columns.barTime[s] === run.portfolio.time,
          },
        ],
  );
}

const costsOf = ({ run }: Assessment): object => ({
  feesQuote: run.portfolio.feesQuote,
  slippageQuote: run.portfolio.slippageQuote,
  turnoverQuote: run.portfolio.turnoverQuote,
  ...(run.portfolio.rules.account !== undefined && {
    fundingQuote: run.portfolio.fundingQuote,
    interestQuote: run.portfolio.interestQuote,
    liquidations: run.fills.filter(({ cause }) => cause === 'liquidation').length,
  }),
});

function confidenceOf({ sharpe95, totalReturnPct95, ...rest }: Confidence): object {
  return { ...known(rest), sharpe95: sharpe95 ?? null, totalReturnPct95: totalReturnPct95 ?? null };
}

const tradeOf = ({ kind: _, ...trade }: Trade): object => ({
  ...trade,
  entryTime: formatTime(trade.entryTime),
  exitTime: formatTime(trade.exitTime),
});

const fillOf = ({ kind: _, ...fill }: Fill): object => ({ ...fill, time: formatTime(fill.time) });

/** JSON drops `undefined`; a figure that is not defined keeps its key. */
function known(figures: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(figures).map(([key, value]: [string, unknown]) => [key, value ?? null]),
  );
}
