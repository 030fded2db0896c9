import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import type { Panel, Series } from '../../../core/dataset/panel.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import type { FittedModel, FitTask, Forecast, Model } from '../../../core/forecast/model.ts';
import { dickeyFuller, engleGranger, halfLife, holm } from '../../../core/evaluation/cointegration.ts';
import { followKalman, followLine } from './hedge.ts';
import { johansen } from './johansen.ts';
import { mackinnonP } from '../../../core/evaluation/mackinnon.ts';

const Params = z.strictObject({
  maxPValue: z
    .number()
    .gt(0)
    .max(1)
    .default(0.05)
    .describe('Trade a pair whose cointegration p-value, corrected for all tests (Holm), is at most this'),
  maxLags: z
    .int()
    .min(0)
    .default(24)
    .describe('Most lagged differences in the Dickey-Fuller test, chosen by AIC'),
  hedge: z
    .enum(['rolling', 'kalman'])
    .default('rolling')
    .describe('How the hedge ratio follows the market')
    .register(searchRanges, { choices: ['rolling', 'kalman'] }),
  windowBars: z
    .int()
    .min(20)
    .default(720)
    .describe('Bars of the rolling hedge ratio and of the score')
    .register(searchRanges, { low: 100, high: 2000, log: true }),
  kalmanDrift: z
    .number()
    .positive()
    .default(1e-7)
    .describe('Variance of a step of the Kalman hedge ratio over that of an observation'),
  entryScore: z
    .number()
    .positive()
    .default(2)
    .describe('Enter when the spread is this many deviations away')
    .register(searchRanges, { low: 1, high: 4 }),
  exitScore: z
    .number()
    .min(0)
    .default(0.5)
    .describe('Leave when it is back within this')
    .register(searchRanges, { low: 0, high: 1 }),
  stopScore: z.number().positive().default(4).describe('Give up when it is this far away'),
  maxHoldBars: z
    .int()
    .min(1)
    .default(336)
    .describe('Give up after this many bars')
    .register(searchRanges, { low: 24, high: 1000, log: true }),
});
type Params = z.output<typeof Params>;

const Pair = z.strictObject({
  /** The regressed symbol and the regressor: the order with the lower p-value. */
  y: z.string(),
  x: z.string(),
  hedgeRatio: z.number(),
  statistic: z.number(),
  lags: z.number(),
  pValue: z.number(),
  /** Of the regression the other way round. */
  pValueReversed: z.number(),
  pValueCorrected: z.number(),
  halfLifeBars: z.number().optional(),
  /** Of each alone (Dickey-Fuller): cointegration is a property of series that do not return to a mean by themselves. */
  unitRootPValues: z.strictObject({ y: z.number(), x: z.number() }),
  /** Johansen's tests of no relation between the two, which know no order: to compare, not to decide. */
  johansen: z.strictObject({
    rank: z.int(),
    trace: z.number(),
    traceCritical5Pct: z.number(),
    maxEigenvalue: z.number(),
    maxEigenvalueCritical5Pct: z.number(),
  }),
  bars: z.number(),
  traded: z.boolean(),
});
type Pair = z.output<typeof Pair>;

const Learned = z.strictObject({
  params: Params,
  pairs: z.array(Pair),
  /** Pairs that could not be tested. */
  absent: z.array(z.strictObject({ name: z.string(), reason: z.string() })).optional(),
});
type Learned = z.output<typeof Learned>;

/**
 * Pairs trading: of all pairs of the panel those are traded whose spread was found to return to its mean in the
 * training bars (Engle-Granger, both orders, corrected for the number of tests). A spread far from its mean is
 * sold or bought until it is back. Without such a pair the model has no opinion, and its report says why.
 */
export const meanReversion: Model<Params> = {
  id: 'mean-reversion',
  summary: 'trades the spread of cointegrated pairs back to its mean',
  kind: 'classical',
  source: 'Engle and Granger 1987; Gatev, Goetzmann and Rouwenhorst 2006; Chan 2013 (Kalman hedge)',
  params: Params,
  features: () => [],
  // Parsed, so that a fitted and a loaded model list their fields in the same order.
  fit: async (task) => fitted(Learned.parse(learn(task))),
  load: async ({ json }) => fitted(Learned.parse(json)),
};

function learn({ panel, params, trainUntilMs, signal, onProgress }: FitTask<Params>): Learned {
  if (panel.series.length < 2) {
    throw new UserError(`"mean-reversion" needs two symbols or more, got ${panel.series.length}.`, {
      hint: 'Add a second symbol to market.symbols, or leave this model out with --models.',
    });
  }
  const combinations = panel.series.flatMap((first, i) =>
    panel.series.slice(i + 1).map((second) => ({ first, second })),
  );
  const untilMs = trainUntilMs - TIMEFRAME_MS[panel.timeframe] + 1;
  const tested: ReturnType<typeof testPair>[] = [];
  const absent: NonNullable<Learned['absent']> = [];
  for (const [step, { first, second }] of combinations.entries()) {
    signal.throwIfAborted();
    onProgress({ step, steps: combinations.length });
    try {
      tested.push(testPair(first, second, { params, untilMs }));
    } catch (error) {
      // A coin that was halted or is young says nothing about the pairs of others.
      if (!(error instanceof UserError)) throw error;
      absent.push({ name: `${first.symbol} with ${second.symbol}`, reason: error.message });
      if (absent.length === combinations.length) throw error;
    }
  }
  onProgress({ step: combinations.length, steps: combinations.length });
  // Both orders of each pair are tests.
  const corrected = holm(tested.flatMap(({ pValue, pValueReversed }) => [pValue, pValueReversed]));
  const pairs = tested.map((pair, i) => ({
    ...pair,
    pValueCorrected: corrected[2 * i],
    traded: corrected[2 * i] <= params.maxPValue && pair.hedgeRatio > 0,
  }));
  return {
    params,
    pairs: pairs.sort((a, b) => a.pValue - b.pValue),
    ...(absent.length > 0 && { absent }),
  };
}

function testPair(
  first: Series,
  second: Series,
  { params, untilMs }: { params: Params; untilMs: number },
): Omit<Pair, 'pValueCorrected' | 'traded'> {
  const joined = join(first, second);
  const bars = lowerBound(joined.time, untilMs);
  const a = joined.first.subarray(0, bars);
  const b = joined.second.subarray(0, bars);
  const options = { trend: 'c', lags: params.maxLags, chooseLags: true } as const;
  const forward = engleGranger(a, b, options);
  const backward = engleGranger(b, a, options);
  const alone = [a, b].map((one) => dickeyFuller(one, options));
  const both = forward && johansen([a, b], Math.max(1, forward.test.lags));
  if (!forward || !backward || !both || bars < params.windowBars) {
    throw new UserError(
      `"mean-reversion" needs ${Math.max(params.windowBars, 2 * params.maxLags + 10)} training bars that ${first.symbol} and ${second.symbol} have in common and in which both move, got ${bars}.`,
      { hint: 'Fetch more history, or lower models.mean-reversion.windowBars and maxLags.' },
    );
  }
  const inOrder = forward.pValue <= backward.pValue;
  const [best, other] = inOrder ? [forward, backward] : [backward, forward];
  const [y, x] = inOrder ? [first.symbol, second.symbol] : [second.symbol, first.symbol];
  const unitRoots = alone.map((test) => (test ? mackinnonP(test.statistic, 'c', 1) : 1));
  const halfLifeBars = halfLife(best.residuals);
  return {
    y,
    x,
    hedgeRatio: best.hedgeRatio,
    statistic: best.test.statistic,
    lags: best.test.lags,
    pValue: best.pValue,
    pValueReversed: other.pValue,
    ...(halfLifeBars === undefined ? {} : { halfLifeBars }),
    unitRootPValues: { y: unitRoots[inOrder ? 0 : 1], x: unitRoots[inOrder ? 1 : 0] },
    johansen: {
      rank: both.rank,
      trace: both.steps[0].trace,
      traceCritical5Pct: both.steps[0].traceCritical[1],
      maxEigenvalue: both.steps[0].maxEigenvalue,
      maxEigenvalueCritical5Pct: both.steps[0].maxEigenvalueCritical[1],
    },
    bars,
  };
}

function fitted(learned: Learned): FittedModel {
  const traded = learned.pairs.filter(({ traded }) => traded);
  return {
    ...(learned.absent && { absent: learned.absent }),
    report: {
      tradedPairs: traded.map(({ y, x }) => `${y} on ${x}`),
      verdict:
        traded.length > 0
          ? 'cointegrated pairs found'
          : `no pair is cointegrated at ${learned.params.maxPValue} after correction: no opinion`,
      pairs: learned.pairs,
    },
    forecast: async (panel) => forecast(learned.params, traded, panel, startTrades(learned.params, traded)),
    follow() {
      const trades = startTrades(learned.params, traded);
      let newestMs = -Infinity;
      return {
        lookBackBars: 0,
        async forecast(panel) {
          const said = forecast(learned.params, traded, panel, trades, newestMs + 1);
          newestMs = Math.max(...panel.series.map(({ candles: { time } }) => time[time.length - 1]));
          return said;
        },
      };
    },
    save: () => ({ json: learned, blobs: {} }),
  };
}

const startTrades = (params: Params, traded: readonly Pair[]): readonly SpreadTrade[] =>
  traded.map(() => followSpread(params));

/** Of the bars from `sinceMs` on; `trades` have seen all before, and see these. */
function forecast(
  params: Params,
  traded: readonly Pair[],
  panel: Panel,
  trades: readonly SpreadTrade[],
  sinceMs = -Infinity,
): readonly Forecast[] {
  const forecasts = panel.series.map(({ symbol, candles }) => ({
    symbol,
    horizonBars: params.maxHoldBars,
    position: new Float64Array(candles.time.length).fill(NaN),
    confidence: new Float64Array(candles.time.length).fill(NaN),
  }));
  for (const [p, pair] of traded.entries()) {
    const y = panel.series.findIndex(({ symbol }) => symbol === pair.y);
    const x = panel.series.findIndex(({ symbol }) => symbol === pair.x);
    if (y < 0 || x < 0) continue;
    const joined = join(panel.series[y], panel.series[x], sinceMs);
    const share = 1 / traded.length;
    for (let i = 0; i < joined.time.length; i++) {
      const legs = trades[p](joined.first[i], joined.second[i]);
      if (legs === undefined) continue;
      add(forecasts[y], joined.firstRow[i], share * legs.first, share * legs.confidence);
      add(forecasts[x], joined.secondRow[i], share * legs.second, share * legs.confidence);
    }
  }
  return forecasts;
}

function add(forecast: Forecast, row: number, position: number, confidence: number): void {
  const known = !Number.isNaN(forecast.position[row]);
  forecast.position[row] = (known ? forecast.position[row] : 0) + position;
  forecast.confidence[row] = (known ? forecast.confidence[row] : 0) + confidence;
}

/** Takes the log closes of the next bar that both legs have; positions in both, `undefined` while the spread is not known. */
type SpreadTrade = (
  y: number,
  x: number,
) => { readonly first: number; readonly second: number; readonly confidence: number } | undefined;

/**
 * Positions in both legs at each common bar, their sizes adding up to 1 while a trade is on. After a stop or a
 * time-out the spread has to come back before the next trade.
 */
function followSpread(params: Params): SpreadTrade {
  const { entryScore, exitScore, stopScore, maxHoldBars, windowBars } = params;
  const hedge =
    params.hedge === 'rolling'
      ? followLine(windowBars)
      : followKalman({ drift: params.kalmanDrift, window: windowBars });
  let side = 0;
  let ratio = 0;
  let since = 0;
  let waiting = false;
  return (y, x) => {
    hedge.push(y, x);
    const z = hedge.score;
    if (Number.isNaN(z)) return undefined;
    if (Math.abs(z) <= exitScore) waiting = false;
    if (side !== 0) {
      since++;
      const back = -side * z <= exitScore;
      const lost = -side * z >= stopScore || since >= maxHoldBars;
      if (back || lost) side = 0;
      if (lost && !back) waiting = true;
    } else if (!waiting && Math.abs(z) >= entryScore && Math.abs(z) < stopScore && hedge.hedgeRatio > 0) {
      side = -Math.sign(z);
      ratio = hedge.hedgeRatio;
      since = 0;
    }
    // Shares of equity: ln y moves against `ratio` times ln x. The ratio of the entry is kept.
    return {
      first: side === 0 ? 0 : side / (1 + ratio),
      second: side === 0 ? 0 : (-side * ratio) / (1 + ratio),
      confidence: side === 0 ? 0 : Math.min(1, Math.abs(z) / stopScore),
    };
  };
}

/** Log closes of two series on the bars from `sinceMs` on that both have. */
function join(a: Series, b: Series, sinceMs = -Infinity) {
  const pairs: [number, number][] = [];
  const [timeA, timeB] = [a.candles.time, b.candles.time];
  const [fromA, fromB] = [lowerBound(timeA, sinceMs), lowerBound(timeB, sinceMs)];
  for (let i = fromA, j = fromB; i < timeA.length && j < timeB.length;) {
    if (timeA[i] === timeB[j]) pairs.push([i++, j++]);
    else if (timeA[i] < timeB[j]) i++;
    else j++;
  }
  return {
    time: Float64Array.from(pairs, ([i]) => timeA[i]),
    first: Float64Array.from(pairs, ([i]) => Math.log(a.candles.close[i])),
    second: Float64Array.from(pairs, ([, j]) => Math.log(b.candles.close[j])),
    firstRow: Int32Array.from(pairs, ([i]) => i),
    secondRow: Int32Array.from(pairs, ([, j]) => j),
  };
}
