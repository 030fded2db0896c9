import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import { adaptiveConformal } from '../../core/evaluation/adaptive-conformal.ts';
import { calibration, type Calibration } from '../../core/evaluation/calibration.ts';
import { REGIMES } from '../../core/evaluation/breakdown.ts';
import { directionInterval } from '../../core/evaluation/direction.ts';
import {
  benjaminiHochberg,
  dieboldMariano,
  pesaranTimmermann,
  type TestResult,
} from '../../core/evaluation/forecast-comparison.ts';
import { quantileScores, type QuantileScores } from '../../core/evaluation/quantile-scores.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import type { Steps } from '../../core/foundation/steps.ts';
import { createRandom } from '../../core/foundation/random.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { BarRange } from './strategies.ts';

/** How true a model's forecasts were on the bars of a backtest, whatever trading them earned. */
export interface ForecastQuality {
  readonly model: string;
  /** Why it does not vote in the ensemble. */
  readonly noSkill: string | undefined;
  readonly horizonBars: number;
  /** Bars of all symbols with a position and a return other than 0; and those left out because the price did not move. */
  readonly samples: number;
  readonly unmoved: number;
  readonly hitRatePct: number | undefined;
  readonly hitRatePct95: readonly [number, number] | undefined;
  /** Pesaran & Timmermann on bars that do not overlap; adjusted for the number of models (Benjamini & Hochberg). */
  readonly timing: AdjustedTest | undefined;
  /** Of stated probabilities of an up-move, on bars that moved. */
  readonly calibration: Calibration | undefined;
  /** Of stated quantiles of the return; as fractions. */
  readonly quantiles: QuantileScores | undefined;
  /** Of stated returns, as fractions; and of always stating 0. */
  readonly expectedReturn: ReturnErrors | undefined;
  readonly conformal: ConformalCoverage | undefined;
  /**
   * Diebold & Mariano with Harvey's correction, two-sided: squared errors of stated returns against those of always stating 0,
   * or of probabilities against always 1/2; positive: the model errs less. Adjusted as `timing` is.
   */
  readonly accuracy: (AdjustedTest & { readonly of: 'returns' | 'probabilities' }) | undefined;
}

interface AdjustedTest extends TestResult {
  readonly adjustedPValue: number;
}

interface ReturnErrors {
  readonly meanAbsolute: number;
  readonly rootMeanSquare: number;
  readonly rootMeanSquareOfZero: number;
}

/** Adaptive conformal intervals around the stated return, wanted to hold 90 % of the outcomes. */
interface ConformalCoverage {
  readonly intervals: number;
  readonly coverage: number;
  /** In the calmer and in the wilder half of the bars, by the last 24 returns. */
  readonly calm: number | undefined;
  readonly wild: number | undefined;
  /** By the regime of the bar, as `breakdowns.regimes` has it; empty where that is not known. */
  readonly regimes: readonly {
    readonly regime: Regime;
    readonly intervals: number;
    readonly coverage: number;
  }[];
}

type Regime = (typeof REGIMES)[number];

/** Of a bar by its open time; `undefined`: outside of the test. */
export type RegimeAt = (timeMs: number) => Regime | undefined;

interface Member {
  readonly id: string;
  readonly noSkill?: string | undefined;
  readonly forecasts: readonly Forecast[];
}

/** One member after the other, and one kind of figure after the other. */
export function* forecastQualitySteps(
  panel: Panel,
  range: BarRange,
  members: readonly Member[],
  regimeAt: RegimeAt = () => undefined,
): Steps<readonly ForecastQuality[]> {
  const all: { readonly member: Member; readonly rows: readonly Row[] }[] = [];
  for (const member of members) {
    all.push({ member, rows: rowsOf(panel, range, member.forecasts) });
    yield;
  }
  const timings = adjust(all.map(({ rows }) => timingTest(rows)));
  const accuracies = adjust(all.map(({ rows }) => accuracyTest(rows)));
  const judged: ForecastQuality[] = [];
  for (const [i, { member, rows }] of all.entries()) {
    const { id, noSkill, forecasts } = member;
    const tests = { timing: timings[i], accuracy: accuracies[i] };
    const figures = yield* judge(rows, forecasts[0].horizonBars, regimeAt);
    judged.push({ model: id, noSkill, ...figures, ...tests });
    yield;
  }
  return judged;
}

function adjust<Test extends TestResult>(
  tests: readonly (Test | undefined)[],
): readonly ((Test & AdjustedTest) | undefined)[] {
  const adjusted = benjaminiHochberg(tests.flatMap((test) => test?.pValue ?? []));
  let next = 0;
  return tests.map((test) => test && { ...test, adjustedPValue: adjusted[next++] });
}

/** A bar with a known outcome. */
interface Row {
  readonly s: number;
  readonly row: number;
  readonly time: number;
  readonly outcome: number;
  readonly forecast: Forecast;
  /** Deviation of the 24 returns before. */
  readonly wildness: number;
}

function rowsOf(panel: Panel, { fromMs, untilMs }: BarRange, forecasts: readonly Forecast[]): readonly Row[] {
  return panel.series.flatMap(({ candles }, s) => {
    const forecast = forecasts[s];
    const { horizonBars } = forecast;
    const labels = forwardReturns(candles, panel.timeframe, horizonBars);
    const rows: Row[] = [];
    for (let row = lowerBound(candles.time, fromMs); row < candles.time.length; row++) {
      const time = candles.time[row];
      if (labelEndMs(time, panel.timeframe, horizonBars) > untilMs) break;
      const outcome = labels[row];
      if (Number.isNaN(outcome) || Number.isNaN(forecast.position[row])) continue;
      rows.push({ s, row, time, outcome, forecast, wildness: wildness(candles.close, row) });
    }
    return rows;
  });
}

function* judge(
  rows: readonly Row[],
  horizonBars: number,
  regimeAt: RegimeAt,
): Steps<Omit<ForecastQuality, 'model' | 'noSkill' | 'timing' | 'accuracy'>> {
  const held = rows.filter(({ forecast, row }) => forecast.position[row] !== 0);
  const moved = held.filter(({ outcome }) => outcome !== 0);
  const tally = new Map<number, { hits: number; samples: number }>();
  let hits = 0;
  for (const { time, forecast, row, outcome } of moved) {
    const hit = forecast.position[row] * outcome > 0 ? 1 : 0;
    const before = tally.get(time) ?? { hits: 0, samples: 0 };
    tally.set(time, { hits: before.hits + hit, samples: before.samples + 1 });
    hits += hit;
  }
  yield;
  const hitRatePct95 = directionInterval(tally, horizonBars, createRandom(1));
  yield;
  const calibrated = probabilities(rows);
  yield;
  const expectedReturn = returnErrors(rows);
  yield;
  return {
    horizonBars,
    samples: moved.length,
    unmoved: held.length - moved.length,
    hitRatePct: moved.length > 0 ? (100 * hits) / moved.length : undefined,
    hitRatePct95,
    calibration: calibrated,
    quantiles: quantiles(rows),
    expectedReturn,
    conformal: conformal(rows, horizonBars, regimeAt),
  };
}

/** Returns over several bars overlap: only every horizon-th time counts, of all symbols. */
function timingTest(rows: readonly Row[]): TestResult | undefined {
  const apart = rows.filter(
    ({ row, forecast, outcome }) =>
      row % forecast.horizonBars === 0 && outcome !== 0 && signalOf(forecast, row) !== 0,
  );
  if (apart.length < 20) return undefined;
  return pesaranTimmermann(
    apart.map(({ forecast, row }) => signalOf(forecast, row)),
    apart.map(({ outcome }) => outcome),
  );
}

/** Losses of all symbols of a time are one observation: their mean. */
function accuracyTest(
  rows: readonly Row[],
): (TestResult & { readonly of: 'returns' | 'probabilities' }) | undefined {
  const returns = statedReturns(rows).map(({ time, error, outcome }) => ({
    time,
    own: error ** 2,
    naive: outcome ** 2,
  }));
  const stated =
    returns.length > 0
      ? returns
      : statedProbabilities(rows).map(({ time, p, up }) => ({ time, own: (p - up) ** 2, naive: 0.25 }));
  if (stated.length === 0) return undefined;
  const byTime = new Map<number, { own: number; naive: number; count: number }>();
  for (const { time, own, naive } of stated) {
    const before = byTime.get(time) ?? { own: 0, naive: 0, count: 0 };
    byTime.set(time, { own: before.own + own, naive: before.naive + naive, count: before.count + 1 });
  }
  const means = [...byTime].sort(([a], [b]) => a - b).map(([, one]) => one);
  const test = dieboldMariano(
    Float64Array.from(means, ({ naive, count }) => naive / count),
    Float64Array.from(means, ({ own, count }) => own / count),
    rows[0].forecast.horizonBars,
  );
  return (
    test && {
      statistic: test.statistic,
      pValue: test.pValue,
      of: returns.length > 0 ? 'returns' : 'probabilities',
    }
  );
}

/** Which way the model leans: its stated return or probability, else its position. */
function signalOf({ expectedReturn, probabilityUp, position }: Forecast, row: number): number {
  const stated =
    expectedReturn?.[row] ?? (probabilityUp === undefined ? undefined : probabilityUp[row] - 0.5);
  return stated === undefined || Number.isNaN(stated) ? position[row] : stated;
}

const statedProbabilities = (rows: readonly Row[]) =>
  rows.flatMap(({ forecast, row, time, outcome }) => {
    const p = forecast.probabilityUp?.[row];
    return p === undefined || Number.isNaN(p) || outcome === 0 ? [] : [{ time, p, up: outcome > 0 ? 1 : 0 }];
  });

function probabilities(rows: readonly Row[]): Calibration | undefined {
  const stated = statedProbabilities(rows);
  return calibration(
    Float64Array.from(stated, ({ p }) => p),
    Float64Array.from(stated, ({ up }) => up),
    { draws: 200 },
  );
}

function quantiles(rows: readonly Row[]): QuantileScores | undefined {
  const levels = rows[0]?.forecast.quantiles?.levels;
  if (levels === undefined) return undefined;
  const columns = levels.map((_, q) =>
    Float64Array.from(rows, ({ forecast, row }) => forecast.quantiles?.columns[q][row] ?? NaN),
  );
  return quantileScores(
    levels,
    columns,
    Float64Array.from(rows, ({ outcome }) => outcome),
  );
}

const statedReturns = (rows: readonly Row[]): readonly (Row & { readonly error: number })[] =>
  rows.flatMap((one) => {
    const stated = one.forecast.expectedReturn?.[one.row];
    return stated === undefined || Number.isNaN(stated) ? [] : [{ ...one, error: one.outcome - stated }];
  });

function returnErrors(rows: readonly Row[]): ReturnErrors | undefined {
  const stated = statedReturns(rows);
  if (stated.length === 0) return undefined;
  const mean = (of: (one: (typeof stated)[number]) => number): number =>
    stated.reduce((sum, one) => sum + of(one), 0) / stated.length;
  return {
    meanAbsolute: mean(({ error }) => Math.abs(error)),
    rootMeanSquare: Math.sqrt(mean(({ error }) => error ** 2)),
    rootMeanSquareOfZero: Math.sqrt(mean(({ outcome }) => outcome ** 2)),
  };
}

const WARM_UP = 50;

/** Per symbol, on bars so far apart that each error is known before the next interval is stated. */
function conformal(
  rows: readonly Row[],
  horizonBars: number,
  regimeAt: RegimeAt,
): ConformalCoverage | undefined {
  const stated = statedReturns(rows).filter(({ row }) => row % (horizonBars + 1) === 0);
  const wide = stated.map(({ wildness: w }) => w).sort((a, b) => a - b);
  const middle = wide[wide.length >> 1];
  const found: { readonly covered: number; readonly wild: boolean; readonly regime: Regime | undefined }[] =
    [];
  for (const s of new Set(stated.map((one) => one.s))) {
    const own = stated.filter((one) => one.s === s);
    if (own.length <= WARM_UP) continue;
    const scores = Float64Array.from(own, ({ error }) => Math.abs(error));
    const { covered } = adaptiveConformal(scores, { miscoverage: 0.1, rate: 0.01, warmUp: WARM_UP });
    covered.forEach((inside, i) => {
      const { wildness: w, time } = own[WARM_UP + i];
      found.push({ covered: inside, wild: w > middle, regime: regimeAt(time) });
    });
  }
  const share = (some: typeof found): number | undefined =>
    some.length === 0 ? undefined : some.reduce((sum, one) => sum + one.covered, 0) / some.length;
  const coverage = share(found);
  if (coverage === undefined) return undefined;
  return {
    intervals: found.length,
    coverage,
    calm: share(found.filter(({ wild }) => !wild)),
    wild: share(found.filter(({ wild }) => wild)),
    regimes: REGIMES.flatMap((regime) => {
      const within = found.filter((one) => one.regime === regime);
      const held = share(within);
      return held === undefined ? [] : [{ regime, intervals: within.length, coverage: held }];
    }),
  };
}

function wildness(close: Float64Array, row: number): number {
  let squares = 0;
  for (let i = Math.max(1, row - 23); i <= row; i++) squares += (close[i] / close[i - 1] - 1) ** 2;
  return squares;
}
