import type { Panel } from '../../core/dataset/panel.ts';
import type { Fold } from '../../core/dataset/splits.ts';
import type { Candles } from '../../core/market/candles.ts';
import { barsPerYear, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { withDetail } from '../../core/trading/detail.ts';
import { type Breakdowns, breakDown } from '../../core/evaluation/breakdown.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { AlignedMarket } from '../../core/trading/align.ts';
import {
  assess,
  type Assessment,
  type Setting,
  testTiming,
  type TimingTest,
  trade,
  type Traded,
} from './assess.ts';
import { different, type Selection, selectionTest } from './candidates.ts';
import { type CostCurve, costCurve } from './costs.ts';
import { type FoldOutcome, foldOutcomes } from './folds.ts';
import { forecastQuality, type ForecastQuality } from './forecast-quality.ts';
import { type SuperiorityVerdict, testSuperiority } from './superiority-test.ts';
import { runBacktest } from '../../core/trading/run.ts';
import type { SeedRuns } from './seeds.ts';
import { type BarRange, buyAndHold, marketOf, type Strategy } from './strategies.ts';

export interface BacktestInput {
  readonly panel: Panel;
  readonly range: BarRange;
  /** Of a walk-forward. */
  readonly folds?: readonly Fold[];
  readonly ensemble: readonly Forecast[];
  readonly members: readonly {
    readonly id: string;
    readonly kind: 'model' | 'baseline';
    /** Why it does not vote in the ensemble. */
    readonly noSkill?: string | undefined;
    readonly forecasts: readonly Forecast[];
  }[];
  /** What was forecast, before a strategy decided on it: forecasts are judged by that. Default: what is traded. */
  readonly stated?: Pick<BacktestInput, 'ensemble' | 'members'>;
  /** What the same models forecast when they are trained from other seeds. */
  readonly otherSeeds?: readonly {
    readonly ensemble: readonly Forecast[];
    readonly members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[];
  }[];
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  readonly seed: number;
  /** Finer candles in which stops and targets are looked for. */
  readonly detail?: DetailCandles | undefined;
}

export interface DetailCandles {
  readonly timeframe: Timeframe;
  /** In the order of the panel's series. */
  readonly candles: readonly Candles[];
}

export interface Backtest {
  readonly market: AlignedMarket;
  readonly setting: Setting;
  readonly ensemble: Assessment;
  /** Every model and baseline on its own, with all of the capital. */
  readonly members: readonly Assessment[];
  readonly benchmark: Assessment;
  /** Of the ensemble and every member, over the seeds; empty without other seeds. */
  readonly seeds: readonly SeedRuns[];
  /** `undefined` when the ensemble never traded: then no cost is too high. */
  readonly costs: CostCurve | undefined;
  readonly timing: TimingTest | undefined;
  /** Over the ensemble and all members. */
  readonly overfitting: Selection | undefined;
  /** Over the ensemble and all learned members, against buy and hold. */
  readonly superiority: SuperiorityVerdict | undefined;
  /** Of the ensemble, unless one member decides it alone, and all learned members. */
  readonly forecasts: readonly ForecastQuality[];
  /** What each fold of a walk-forward came to; empty without one. */
  readonly folds: readonly FoldOutcome[];
  /** The ensemble's result part by part; `undefined` where it never traded, or on bars that say nothing. */
  readonly breakdowns: Breakdowns | undefined;
  /** The ensemble under each assumption about the order inside a bar, when the rules have stop and target. */
  readonly intrabar: readonly {
    readonly order: ExecutionRules['intrabarOrder'];
    readonly totalReturnPct: number;
  }[];
  /** Bars of all symbols through the execution core, a second. */
  readonly barsPerSecond: number;
}

const ORDERS = ['stop-first', 'nearest-first', 'target-first'] as const;

/** Forecasts over a range of bars, traded: the ensemble, each member and buy and hold beside it. */
export function backtest(input: BacktestInput): Backtest {
  const { panel, rules, instruments, seed } = input;
  const { market: coarse, targetsOf } = marketOf(panel, input.range);
  const { detail } = input;
  const market = detail ? withDetail(coarse, detail.candles, TIMEFRAME_MS[detail.timeframe]) : coarse;
  const setting = { market, instruments, rules, barsPerYear: barsPerYear(panel.timeframe), seed };
  const hold = buyAndHold(market);
  const benchmark = assess(hold, { ...setting, rules: holdingRules(rules, instruments.length) }, undefined);
  const judge = (strategy: Strategy): Assessment => assess(strategy, setting, benchmark.returns);

  const ensemble = judge({ name: 'ensemble', kind: 'ensemble', targets: targetsOf(input.ensemble) });
  const members = input.members
    .filter(({ id }) => id !== hold.name)
    .map(({ id, kind, noSkill, forecasts }) =>
      judge({ name: id, kind, noSkill, targets: targetsOf(forecasts) }),
    );
  const seeds = seedRuns(input, [ensemble, ...members], (strategy) =>
    trade({ ...strategy, targets: targetsOf(strategy.forecasts) }, setting, benchmark.returns),
  );
  const timing = testTiming(ensemble, setting);
  const overfitting = selectionTest([ensemble, ...members]);
  const trades = ensemble.run.fills.length > 0;
  const costs = trades ? costCurve(ensemble.strategy, setting) : undefined;
  const twoSided = hasStop(rules) && hasTarget(rules);
  const intrabar = (twoSided && trades ? ORDERS : []).map((order) => {
    const under = assess(
      ensemble.strategy,
      { ...setting, rules: { ...rules, intrabarOrder: order } },
      undefined,
    );
    return { order, totalReturnPct: under.metrics.totalReturnPct };
  });
  const learned = members.filter(({ strategy }) => strategy.kind === 'model');
  const several = different([...learned, ensemble]).includes(ensemble);
  const superiority = testSuperiority([...(several ? [ensemble] : []), ...learned], benchmark, seed);
  const stated = input.stated ?? input;
  const judged = stated.members.filter(({ kind }) => kind === 'model');
  const forecasts = forecastQuality(panel, input.range, [
    ...(judged.length > 1 ? [{ id: ensemble.strategy.name, forecasts: stated.ensemble }] : []),
    ...judged,
  ]);
  const { outcome, run, returns } = ensemble;
  const breakdowns =
    outcome.kind === 'never-traded' || outcome.kind === 'no-evidence'
      ? undefined
      : breakDown({
          time: market.time,
          returns,
          benchmark: benchmark.returns,
          trades: run.trades,
          barsPerYear: setting.barsPerYear,
        });
  const folds = foldOutcomes(input.folds ?? [], [ensemble, ...members, benchmark], setting);
  const barsPerSecond = speed(ensemble.strategy, setting);
  return {
    market,
    setting,
    ensemble,
    members,
    benchmark,
    seeds,
    costs,
    timing,
    overfitting,
    superiority,
    forecasts,
    folds,
    breakdowns,
    intrabar,
    barsPerSecond,
  };
}

/** The first seed's assessments, each with the runs of the same model from other seeds. */
function seedRuns(
  { otherSeeds = [] }: BacktestInput,
  assessed: readonly Assessment[],
  trade: (strategy: Omit<Strategy, 'targets'> & { readonly forecasts: readonly Forecast[] }) => Traded,
): readonly SeedRuns[] {
  if (otherSeeds.length === 0) return [];
  return assessed.map((first) => {
    const { name, kind } = first.strategy;
    const others = otherSeeds.flatMap(({ ensemble, members }) => {
      const forecasts = kind === 'ensemble' ? ensemble : members.find(({ id }) => id === name)?.forecasts;
      return forecasts === undefined ? [] : [trade({ name, kind, forecasts })];
    });
    return { name, runs: [first, ...others] };
  });
}

const hasStop = ({ stopLossPct, trailingStop, exits }: ExecutionRules): boolean =>
  (stopLossPct ?? trailingStop ?? exits?.stopLossAtr ?? exits?.trailingStopAtr ?? exits?.breakEven) !==
  undefined;

const hasTarget = ({ takeProfitPct, exits }: ExecutionRules): boolean =>
  (takeProfitPct ?? exits?.takeProfitAtr ?? exits?.partialTargets[0] ?? exits?.timedTargets[0]) !== undefined;

/** All capital, spread evenly over the symbols and left alone, at the same costs. */
const holdingRules = (rules: ExecutionRules, symbols: number): ExecutionRules => ({
  ...rules,
  maxPositionPct: 100 / symbols,
  maxExposurePct: 100,
  stopLossPct: undefined,
  takeProfitPct: undefined,
  trailingStop: undefined,
  exits: undefined,
});

/** Median of five runs of the core, orders, costs and equity curve included. */
function speed(strategy: Strategy, setting: Setting): number {
  const seconds = Array.from({ length: 5 }, () => {
    const started = performance.now();
    runBacktest({ ...setting, targets: strategy.targets });
    return (performance.now() - started) / 1000;
  }).sort((a, b) => a - b);
  return (setting.market.time.length * setting.market.candles.length) / seconds[2];
}
