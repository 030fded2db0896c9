import type { Panel } from '../../core/dataset/panel.ts';
import type { Fold } from '../../core/dataset/splits.ts';
import type { Candles } from '../../core/market/candles.ts';
import { barsPerYear, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { withDetail } from '../../core/trading/detail.ts';
import { type Breakdowns, breakDown, regimesOf } from '../../core/evaluation/breakdown.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import { finish, type Steps } from '../../core/foundation/steps.ts';
import { liquiditySeries } from '../../core/trading/liquidity.ts';
import type { Market } from '../../core/trading/market.ts';
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
import { type ForecastQuality, forecastQualitySteps } from './forecast-quality.ts';
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
  /** Limits above the strategy; `undefined`: none. Buying and holding has none. */
  readonly risk?: RiskRules | undefined;
  readonly seed: number;
  /** Finer candles in which stops and targets are looked for. */
  readonly detail?: DetailCandles | undefined;
  /** Of a perpetual account, beside the bars of the range. */
  readonly account?: Pick<Market, 'funding' | 'mark'> | undefined;
  /** Bars by which a decision fills later than at the next open. */
  readonly latencyBars?: number | undefined;
  /** What cash earns in percent a year, to compare with. */
  readonly cashRatePct?: number | undefined;
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

/**
 * Forecasts over a range of bars, traded: the ensemble, each member and buy and hold beside it. In steps, none longer
 * than one run through the bars and the figures of it: years of minutes take minutes.
 */
export function* backtestSteps(input: BacktestInput): Steps<Backtest> {
  const { panel, rules, risk, instruments, seed } = input;
  const { market: coarse, targetsOf } = marketOf(panel, input.range);
  const { detail } = input;
  const known = { ...coarse, ...input.account, ...liquidityOf(coarse, rules) };
  const market = detail ? withDetail(known, detail.candles, TIMEFRAME_MS[detail.timeframe]) : known;
  const { latencyBars, cashRatePct } = input;
  const perYear = barsPerYear(panel.timeframe);
  const setting = { market, instruments, rules, risk, latencyBars, cashRatePct, barsPerYear: perYear, seed };
  const hold = buyAndHold(market);
  const holding = { ...setting, rules: holdingRules(rules, instruments.length), risk: undefined };
  const benchmark = yield* assess(hold, holding, undefined);
  yield;
  const judge = (strategy: Strategy): Steps<Assessment> => assess(strategy, setting, benchmark.returns);

  const ensemble = yield* judge({ name: 'ensemble', kind: 'ensemble', targets: targetsOf(input.ensemble) });
  const members: Assessment[] = [];
  for (const { id, kind, noSkill, forecasts } of input.members) {
    yield;
    if (id !== hold.name)
      members.push(yield* judge({ name: id, kind, noSkill, targets: targetsOf(forecasts) }));
  }
  const seeds = yield* seedRuns(input, [ensemble, ...members], (strategy) =>
    trade({ ...strategy, targets: targetsOf(strategy.forecasts) }, setting, benchmark.returns),
  );
  const timing = yield* testTiming(ensemble, setting);
  const overfitting = selectionTest([ensemble, ...members]);
  yield;
  const trades = ensemble.run.fills.length > 0;
  const costs = trades ? yield* costCurve(ensemble.strategy, setting) : undefined;
  const twoSided = hasStop(rules) && hasTarget(rules);
  const intrabar: Backtest['intrabar'][number][] = [];
  for (const order of twoSided && trades ? ORDERS : []) {
    yield;
    const under = { ...setting, rules: { ...rules, intrabarOrder: order } };
    const { metrics } = yield* assess(ensemble.strategy, under, undefined);
    intrabar.push({ order, totalReturnPct: metrics.totalReturnPct });
  }
  const learned = members.filter(({ strategy }) => strategy.kind === 'model');
  const several = different([...learned, ensemble]).includes(ensemble);
  yield;
  const superiority = testSuperiority([...(several ? [ensemble] : []), ...learned], benchmark, seed);
  yield;
  const stated = input.stated ?? input;
  const judged = stated.members.filter(({ kind }) => kind === 'model');
  const candidates = [
    ...(judged.length > 1 || !wantsTheSame(stated.ensemble, judged[0]?.forecasts)
      ? [{ id: ensemble.strategy.name, forecasts: stated.ensemble }]
      : []),
    ...judged,
  ];
  const regimes = regimesOf({ time: market.time, benchmark: benchmark.returns });
  const rowOf = new Map(Array.from(market.time, (time, row) => [time, row]));
  const forecasts = yield* forecastQualitySteps(
    panel,
    input.range,
    candidates,
    (timeMs) => regimes[rowOf.get(timeMs) ?? -1],
  );
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
          ruined: outcome.kind === 'ruined',
        });
  const folds = foldOutcomes(input.folds ?? [], [ensemble, ...members, benchmark], setting);
  const barsPerSecond = yield* speed(ensemble.strategy, setting);
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

/** All steps of `backtestSteps` at once. */
export const backtest = (input: BacktestInput): Backtest => finish(backtestSteps(input));

/** The first seed's assessments, each with the runs of the same model from other seeds. */
function* seedRuns(
  { otherSeeds = [] }: BacktestInput,
  assessed: readonly Assessment[],
  trade: (strategy: Omit<Strategy, 'targets'> & { readonly forecasts: readonly Forecast[] }) => Traded,
): Steps<readonly SeedRuns[]> {
  if (otherSeeds.length === 0) return [];
  const all: SeedRuns[] = [];
  for (const first of assessed) {
    const { name, kind } = first.strategy;
    const runs: Traded[] = [first];
    for (const { ensemble, members } of otherSeeds) {
      yield;
      const forecasts = kind === 'ensemble' ? ensemble : members.find(({ id }) => id === name)?.forecasts;
      if (forecasts !== undefined) runs.push(trade({ name, kind, forecasts }));
    }
    all.push({ name, runs });
  }
  return all;
}

const hasStop = ({ stopLossPct, trailingStop, exits }: ExecutionRules): boolean =>
  (stopLossPct ?? trailingStop ?? exits?.stopLossAtr ?? exits?.trailingStopAtr ?? exits?.breakEven) !==
  undefined;

const hasTarget = ({ takeProfitPct, exits }: ExecutionRules): boolean =>
  (takeProfitPct ?? exits?.takeProfitAtr ?? exits?.partialTargets[0] ?? exits?.timedTargets[0]) !== undefined;

/** All capital, spread evenly over the symbols at the market and left alone, at the same costs, on the same account without leverage. */
const holdingRules = (rules: ExecutionRules, symbols: number): ExecutionRules => ({
  ...rules,
  account: rules.account && { ...rules.account, leverage: 1 },
  maxPositionPct: 100 / symbols,
  maxExposurePct: 100,
  stopLossPct: undefined,
  takeProfitPct: undefined,
  trailingStop: undefined,
  exits: undefined,
  entry: undefined,
});

/** What hundreds of runs over the same bars would each find out. */
const liquidityOf = ({ candles }: AlignedMarket, { impact }: ExecutionRules): Pick<Market, 'liquidity'> =>
  impact === undefined ? {} : { liquidity: candles.map((one) => liquiditySeries(one, impact)) };

/** Median of five runs of the core, orders, costs and equity curve included. */
function* speed(strategy: Strategy, setting: Setting): Steps<number> {
  const seconds: number[] = [];
  for (let run = 0; run < 5; run++) {
    yield;
    const started = performance.now();
    runBacktest({ ...setting, targets: strategy.targets });
    seconds.push((performance.now() - started) / 1000);
  }
  seconds.sort((a, b) => a - b);
  return (setting.market.time.length * setting.market.candles.length) / seconds[2];
}

/** Whether both take the same positions: an ensemble of one says nothing that its member does not. */
const wantsTheSame = (some: readonly Forecast[], others: readonly Forecast[] | undefined): boolean =>
  some.every(({ position }, s) =>
    position.every((value, row) => Object.is(value, others?.[s].position[row])),
  );
