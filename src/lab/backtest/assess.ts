import { variance } from '../../core/foundation/moments.ts';
import type { BootstrapIntervals, Interval } from '../../core/evaluation/bootstrap.ts';
import { bootstrapIntervals } from '../../core/evaluation/bootstrap.ts';
import { measure, type Metrics } from '../../core/evaluation/metrics.ts';
import { barReturns } from '../../core/evaluation/returns.ts';
import {
  deflatedSharpe,
  minimumTrackRecord,
  noSkillVariance,
  probabilisticSharpe,
  sharpeError,
  type SharpeSample,
  sharpeSample,
} from '../../core/evaluation/sharpe-test.ts';
import type { Steps } from '../../core/foundation/steps.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { AlignedMarket } from '../../core/trading/align.ts';
import { type BacktestRun, runBacktest } from '../../core/trading/run.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { TrialSummary } from './trial-summary.ts';
import { shiftedInTime, type Strategy } from './strategies.ts';

/** What every strategy of a backtest shares. */
export interface Setting {
  readonly market: AlignedMarket;
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  /** Limits above the strategy; `undefined`: none. */
  readonly risk?: RiskRules | undefined;
  /** Bars by which a decision fills later than at the next open. */
  readonly latencyBars?: number | undefined;
  /** What cash earns in percent a year, as a benchmark beside the strategies; nothing of it enters an account. */
  readonly cashRatePct?: number | undefined;
  readonly barsPerYear: number;
  readonly seed: number;
}

/** A strategy's run and its figures. */
export interface Traded {
  readonly strategy: Strategy;
  readonly run: BacktestRun;
  readonly outcome: Outcome;
  readonly returns: Float64Array;
  readonly metrics: Metrics;
  /** `undefined` unless it traded, on bars that say something. */
  readonly sample: SharpeSample | undefined;
}

/** ... and what can be said of them, short of what other trials say about luck. */
export interface Assessment extends Traded {
  readonly intervals: BootstrapIntervals | undefined;
}

export function trade(strategy: Strategy, setting: Setting, benchmark: Float64Array | undefined): Traded {
  const { rules, barsPerYear } = setting;
  const run = runBacktest({ ...setting, targets: strategy.targets });
  const outcome = outcomeOf(run, strategy, setting);
  const returns = barReturns(run.equity, rules.initialBalance);
  const performance = {
    initialBalance: rules.initialBalance,
    equity: run.equity,
    exposure: run.exposure,
    trades: run.trades,
    turnoverQuote: run.portfolio.turnoverQuote,
    ruined: outcome.kind === 'ruined',
    hasEvidence: outcome.kind === 'traded',
  };
  const metrics = measure(performance, barsPerYear, benchmark);
  const sample = outcome.kind === 'traded' ? sharpeSample(returns) : undefined;
  return { strategy, run, outcome, returns, metrics, sample };
}

/** In steps: one run through the bars, and the draws of the intervals. */
export function* assess(
  strategy: Strategy,
  setting: Setting,
  benchmark: Float64Array | undefined,
): Steps<Assessment> {
  const traded = trade(strategy, setting, benchmark);
  yield;
  const random = createRandom(deriveSeed(setting.seed, 'bootstrap'));
  const intervals = traded.outcome.kind === 'traded' ? bootstrapIntervals(traded.returns, random) : undefined;
  return { ...traded, intervals };
}

/** How far a result can be trusted; ratios annualised. */
export interface Confidence {
  readonly bars: number;
  readonly trades: number;
  readonly sharpeStandardError: number | undefined;
  readonly sharpe95: Interval | undefined;
  readonly totalReturnPct95: Interval | undefined;
  readonly probabilisticSharpe: number | undefined;
  /** Against the best of `effectiveTrials` without skill, net of what costs take: the version to judge by. */
  readonly deflatedSharpe: number | undefined;
  /** As published: against the best of all `trials`, by the variance of their ratios as they came out, costs and all. */
  readonly deflatedSharpeAllTrials: number | undefined;
  /** Different decision rules tried on this market so far, this one included. */
  readonly trials: number;
  /** Different bets among them, by clustering their returns. */
  readonly effectiveTrials: number;
  readonly minimumTrackRecordDays: number | undefined;
}

/** `trials`: of every rule ever tried on this market. */
export function confidence(
  { sample, intervals, run, returns }: Assessment,
  barsPerYear: number,
  trials: TrialSummary,
): Confidence {
  const annual = Math.sqrt(barsPerYear);
  const scaled = (interval: Interval | undefined, factor: number): Interval | undefined =>
    interval && { low: interval.low * factor, high: interval.high * factor };
  const trackRecord = sample && minimumTrackRecord(sample);
  return {
    bars: returns.length,
    trades: run.trades.length,
    sharpeStandardError: sample && sharpeError(sample) * annual,
    sharpe95: scaled(intervals?.barSharpe, annual),
    totalReturnPct95: scaled(intervals?.totalReturn, 100),
    probabilisticSharpe: sample && probabilisticSharpe(sample),
    deflatedSharpe:
      sample && deflatedSharpe(sample, { count: trials.effective, variance: noSkillVariance(sample.bars) }),
    deflatedSharpeAllTrials:
      sample && deflatedSharpe(sample, { count: trials.count, variance: variance(trials.barSharpes) ?? 0 }),
    trials: trials.count,
    effectiveTrials: trials.effective,
    minimumTrackRecordDays: trackRecord && (trackRecord * 365) / barsPerYear,
  };
}

export interface TimingTest {
  readonly shifts: number;
  /** Share of the shifted runs that earned at least as much: small when the timing carries the result. */
  readonly asGoodShare: number;
  readonly medianReturnPct: number;
}

/**
 * The same decisions at random other times: how much of the result does their timing explain? `undefined` below 100
 * bars or 20 fills, where there is no timing to speak of, and after ruin.
 */
export function* testTiming(
  { strategy, run, outcome }: Assessment,
  setting: Setting,
  shifts = 200,
): Steps<TimingTest | undefined> {
  if (outcome.kind !== 'traded') return undefined;
  if (run.equity.length < 100 || run.fills.length < 20) return undefined;
  const random = createRandom(deriveSeed(setting.seed, 'timing'));
  const last = run.equity.length - 1;
  const finals = new Float64Array(shifts);
  for (let i = 0; i < shifts; i++) {
    const targets = shiftedInTime(strategy.targets, random);
    finals[i] = runBacktest({ ...setting, targets }).equity[last];
    yield;
  }
  finals.sort();
  return {
    shifts,
    asGoodShare: finals.filter((worth) => worth >= run.equity[last]).length / shifts,
    medianReturnPct: 100 * (finals[shifts >> 1] / setting.rules.initialBalance - 1),
  };
}
