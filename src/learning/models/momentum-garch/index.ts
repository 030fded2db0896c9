import type { Steps } from '../../../core/foundation/steps.ts';
import { inTurns } from '../../../data/turns.ts';
import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { forwardReturns, labelledRows } from '../../../core/dataset/labels.ts';
import type { Panel, Series } from '../../../core/dataset/panel.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { ExactNumber } from '../../../core/foundation/exact-json.ts';
import { normalCdf } from '../../../core/foundation/special-functions.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { barsPerYear, type Timeframe, TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import type { FittedModel, FitTask, Forecast, Model } from '../../../core/forecast/model.ts';
import { cumulativeVariance, filterVariance, garchSteps, type Garch, persistence } from './garch.ts';
import { ewmaVariance, harVariance, qlike } from './volatility-rivals.ts';

const Params = z.strictObject({
  lookBackBars: z
    .int()
    .min(2)
    .default(168)
    .describe('Bars of the return whose sign is followed')
    .register(searchRanges, { low: 12, high: 1000, log: true }),
  entryScore: z
    .number()
    .min(0)
    .default(1)
    .describe('Enter when return / forecast deviation exceeds this')
    .register(searchRanges, { low: 0, high: 3 }),
  exitScore: z
    .number()
    .default(0)
    .describe('Leave when it falls below this')
    .register(searchRanges, { low: -2, high: 1 }),
  horizonBars: z.int().min(1).default(24).describe('Bars of the stated return quantiles'),
  variance: z
    .enum(['garch', 'gjr', 'ewma'])
    .default('garch')
    .describe('GARCH(1,1); GJR, where falls raise volatility more than rises; EWMA with its decay estimated')
    .register(searchRanges, { choices: ['garch', 'gjr', 'ewma'] }),
  student: z
    .boolean()
    .default(true)
    .describe("Student's t instead of normal shocks")
    .register(searchRanges, { choices: [true, false] }),
  targetVolatilityPct: z
    .number()
    .positive()
    .default(40)
    .describe('Annual volatility a position is scaled to')
    .register(searchRanges, { low: 10, high: 100 }),
  calmQuantile: z
    .number()
    .gt(0)
    .max(1)
    .default(0.95)
    .describe('Flat while forecast volatility is above this quantile of the training bars')
    .register(searchRanges, { low: 0.5, high: 1 }),
  sizeStep: z.number().min(0).max(1).default(0.2).describe('Smallest change of a position worth its costs'),
});
type Params = z.output<typeof Params>;

const Learned = z.strictObject({
  params: Params,
  symbols: z.array(
    z.strictObject({
      symbol: z.string(),
      garch: z.strictObject({
        mu: z.number(),
        omega: z.number().min(0),
        alpha: z.number().min(0),
        gamma: z.number(),
        beta: z.number().min(0),
        nu: z.number().optional(),
        presample: z.number().positive(),
      }),
      calmVariance: z.number().positive(),
      quantiles: z.array(z.number()),
      figures: z.record(z.string(), z.unknown()),
    }),
  ),
  /** Symbols that nothing could be learned of: the model has no opinion on them. */
  absent: z.array(z.strictObject({ name: z.string(), reason: z.string() })).optional(),
});
type Learned = z.output<typeof Learned>;
type LearnedSymbol = Learned['symbols'][number];

const LEVELS = [0.1, 0.5, 0.9];

/**
 * Time-series momentum sized by forecast volatility: the sign of the return over the look-back once it stands
 * out of the noise that a GARCH(1,1) model expects, scaled to a volatility target, flat in turbulence.
 */
export const momentumGarch: Model<Params> = {
  id: 'momentum-garch',
  summary: 'follows the trend, sized and filtered by GARCH volatility',
  kind: 'classical',
  usesValidation: true,
  source: 'Moskowitz, Ooi and Pedersen 2012 (momentum); Bollerslev 1986, Glosten et al. 1993 (volatility)',
  params: Params,
  features: () => [],
  fit: async (task) => fitted(await learn(task)),
  load: async ({ json }) => fitted(Learned.parse(json)),
};

async function learn(task: FitTask<Params>): Promise<Learned> {
  const { panel, params, trainUntilMs, signal, onProgress } = task;
  const symbols: LearnedSymbol[] = [];
  const absent: NonNullable<Learned['absent']> = [];
  for (const [step, series] of panel.series.entries()) {
    signal.throwIfAborted();
    onProgress({ step, steps: panel.series.length });
    try {
      symbols.push(await inTurns(learnSymbol(series, panel.timeframe, params, trainUntilMs), signal));
    } catch (error) {
      // A coin that was halted or is pegged says nothing about the others.
      if (!(error instanceof UserError)) throw error;
      absent.push({ name: series.symbol, reason: error.message });
    }
  }
  onProgress({ step: panel.series.length, steps: panel.series.length });
  if (symbols.length > 0) return { params, symbols, ...(absent.length > 0 && { absent }) };
  throw new UserError(absent.map(({ name, reason }) => `${name}: ${reason}`).join(' '), {
    hint: 'Fetch more history, and check the candles with `crypto-trader data verify`.',
  });
}

function* learnSymbol(
  { symbol, candles }: Series,
  timeframe: Timeframe,
  params: Params,
  trainUntilMs: number,
): Steps<LearnedSymbol> {
  const { lookBackBars, horizonBars } = params;
  // A bar is known at its close.
  const rows = lowerBound(candles.time, trainUntilMs - TIMEFRAME_MS[timeframe] + 1);
  if (rows < lookBackBars + horizonBars + 100) {
    throw new UserError(
      `"momentum-garch" needs ${lookBackBars + horizonBars + 100} training bars of ${symbol}, got ${rows}.`,
      { hint: 'Fetch more history, or lower models.momentum-garch.lookBackBars.' },
    );
  }
  const returns = percentReturns(candles.close);
  const fit = yield* garchSteps(returns.subarray(1, rows), params);
  const { garch } = fit;
  yield;
  const variances = filterVariance(returns, garch);
  const train = variances.slice(0, rows).sort();
  const labels = forwardReturns(candles, timeframe, horizonBars);
  const range = { timeframe, horizonBars, fromMs: -Infinity, untilMs: trainUntilMs };
  const standardised = Float64Array.from(
    labelledRows(candles, labels, range),
    (row) => Math.log1p(labels[row]) / Math.sqrt(cumulativeVariance(garch, variances[row], horizonBars)),
  ).sort();
  return {
    symbol,
    garch,
    calmVariance: quantile(train, params.calmQuantile),
    quantiles: LEVELS.map((level) => quantile(standardised, level)),
    figures: {
      trainingBars: rows,
      logLikelihood: fit.logLikelihood,
      persistence: persistence(garch),
      standardErrors: fit.standardErrors,
      qlike: compareForecasts(returns.subarray(1), { garch, trainRows: rows - 1 }),
    },
  };
}

/** QLIKE of the next bar's variance on the bars after training, where there are any; the lowest is best. */
function compareForecasts(
  returns: Float64Array,
  { garch, trainRows }: { garch: Garch; trainRows: number },
): Readonly<Record<string, number | undefined>> {
  const squares = returns.map((value) => (value - garch.mu) ** 2);
  const har = harVariance(squares, trainRows);
  return {
    validationBars: squares.length - trainRows,
    garch: qlike(squares, filterVariance(returns, garch), trainRows),
    ewma94: qlike(squares, ewmaVariance(squares), trainRows),
    har: har && qlike(squares, har, trainRows),
  };
}

function fitted(learned: Learned): FittedModel {
  return {
    ...(learned.absent && { absent: learned.absent }),
    report: {
      symbols: learned.symbols.map(({ symbol, garch, figures }) => ({ symbol, ...garch, ...figures })),
    },
    forecast: async (panel, { sinceMs = -Infinity } = {}) => forecast(learned, panel, sinceMs),
    follow(from) {
      const standing = new Map<string, Standing>(from === undefined ? [] : Standings.parse(from));
      return {
        lookBackBars: learned.params.lookBackBars,
        forecast: async (panel, sinceMs) => forecast(learned, panel, sinceMs, standing),
        standing: () => [...standing],
      };
    },
    save: () => ({ json: learned, blobs: {} }),
  };
}

/** What the bars so far have come to: the variance forecast for the next one, and what is held. */
const Standing = z.strictObject({ variance: ExactNumber, held: ExactNumber });
type Standing = Readonly<z.output<typeof Standing>>;
const Standings = z.array(z.tuple([z.string(), Standing]));

/** `standing`: of symbols whose bars before `sinceMs` were seen, which is then updated. */
function forecast(
  learned: Learned,
  panel: Panel,
  sinceMs: number,
  standing?: Map<string, Standing>,
): readonly Forecast[] {
  return panel.series.map((series) => {
    const known = learned.symbols.find(({ symbol }) => symbol === series.symbol);
    if (learned.absent?.some(({ name }) => name === series.symbol)) return noOpinion(series, learned.params);
    if (known === undefined) {
      throw new UserError(`"momentum-garch" was not trained on ${series.symbol}.`, {
        hint: `Train again with this symbol; it knows ${learned.symbols.map(({ symbol }) => symbol).join(', ')}.`,
      });
    }
    const { timeframe } = panel;
    const before = standing?.get(series.symbol);
    const found = forecastSymbol(known, learned.params, series, { timeframe, sinceMs, before });
    if (found.after !== undefined) standing?.set(series.symbol, found.after);
    return found.forecast;
  });
}

function noOpinion({ symbol, candles }: Series, { horizonBars }: Params): Forecast {
  const unknown = (): Float64Array => new Float64Array(candles.time.length).fill(NaN);
  const quantiles = { levels: LEVELS, columns: LEVELS.map(unknown) };
  return { symbol, horizonBars, position: unknown(), confidence: unknown(), quantiles };
}

function forecastSymbol(
  { garch, calmVariance, quantiles }: LearnedSymbol,
  params: Params,
  { symbol, candles: { time, close } }: Series,
  {
    timeframe,
    sinceMs,
    before,
  }: {
    readonly timeframe: Timeframe;
    readonly sinceMs: number;
    readonly before?: Standing | undefined;
  },
): { readonly forecast: Forecast; readonly after: Standing | undefined } {
  const { lookBackBars, entryScore, exitScore, horizonBars, sizeStep } = params;
  const rows = close.length;
  const from = before === undefined ? 0 : lowerBound(time, sinceMs);
  const variances = filterVariance(percentReturns(close, from), garch, before?.variance);
  const targetPct = params.targetVolatilityPct / Math.sqrt(barsPerYear(timeframe));
  const position = new Float64Array(rows).fill(NaN);
  const confidence = new Float64Array(rows).fill(NaN);
  const columns = LEVELS.map(() => new Float64Array(rows).fill(NaN));
  let held = before?.held ?? 0;
  for (let row = Math.max(lookBackBars, from); row < rows; row++) {
    const variance = variances[row - from];
    const deviationPct = Math.sqrt(variance);
    const trendPct = 100 * Math.log(close[row] / close[row - lookBackBars]);
    const score = trendPct / (deviationPct * Math.sqrt(lookBackBars));
    const size = Math.min(1, targetPct / deviationPct);
    const calm = variance <= calmVariance;
    held = calm ? decide(held, { score, size, entryScore, exitScore, sizeStep }) : 0;
    // What is held hangs on all bars before, the rest on this one.
    if (time[row] < sinceMs) continue;
    position[row] = held;
    confidence[row] = calm ? 2 * normalCdf(Math.abs(score)) - 1 : 0;
    const spread = Math.sqrt(cumulativeVariance(garch, variance, horizonBars));
    for (let i = 0; i < columns.length; i++) columns[i][row] = Math.expm1(quantiles[i] * spread);
  }
  const quantilesOf = { levels: LEVELS, columns };
  return {
    forecast: { symbol, horizonBars, position, confidence, quantiles: quantilesOf },
    after: rows > from ? { variance: variances[rows - from - 1], held } : before,
  };
}

/** The position to hold: entered at the entry score, kept until the exit score, resized only when it matters. */
function decide(
  held: number,
  terms: { score: number; size: number; entryScore: number; exitScore: number; sizeStep: number },
): number {
  const { score, size, entryScore, exitScore, sizeStep } = terms;
  const side = Math.sign(held);
  const stays = side !== 0 && side * score > exitScore;
  const direction = Math.abs(score) > entryScore ? Math.sign(score) : stays ? side : 0;
  const wanted = direction * size;
  return direction === side && Math.abs(wanted - held) < sizeStep ? held : wanted;
}

/** Close-to-close log returns x 100 of the rows from `from` on; `NaN` for the first row of all. */
function percentReturns(close: Float64Array, from = 0): Float64Array {
  const returns = new Float64Array(close.length - from).fill(NaN);
  for (let row = Math.max(1, from); row < close.length; row++)
    returns[row - from] = 100 * Math.log(close[row] / close[row - 1]);
  return returns;
}

/** Of sorted values, the smallest that at least `level` of them do not exceed. */
const quantile = (sorted: Float64Array, level: number): number =>
  sorted[Math.max(0, Math.ceil(level * sorted.length) - 1)];
