import { z } from 'zod';
import { forwardReturns, labelledRows } from '../../../core/dataset/labels.ts';
import type { Panel, Series } from '../../../core/dataset/panel.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { FittedModel, FitTask, Forecast, Model } from '../../../core/forecast/model.ts';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { emptyCandles } from '../../../core/market/candles.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { linearModel } from '../../learners/tabular/linear-model.ts';
import { TABULAR_PARAMS } from '../../learners/tabular/params.ts';
import { pastReturns } from './past-returns.ts';

const Params = z.strictObject({
  windows: z
    .array(z.int().min(1))
    .min(1)
    .default([1, 3, 6, 12, 24])
    .describe('Bars of the past returns that are looked at'),
  leaders: z
    .int()
    .min(0)
    .default(3)
    .describe(
      'Most other symbols whose returns are looked at: those whose last return went best with the next',
    )
    .register(searchRanges, { low: 0, high: 8 }),
  horizonBars: z
    .int()
    .min(1)
    .default(1)
    .describe('Bars of the return that is forecast')
    .register(searchRanges, { low: 1, high: 48, log: true }),
  entryQuantile: TABULAR_PARAMS.entryQuantile,
  penalty: z
    .number()
    .min(0)
    .default(0.01)
    .describe('L2 penalty on the weights of standardised returns')
    .register(searchRanges, { low: 1e-4, high: 10, log: true }),
});
type Params = z.output<typeof Params>;

const Learned = z.strictObject({
  params: Params,
  symbols: z.array(
    z.strictObject({ symbol: z.string(), seen: z.array(z.string()).min(1), linear: z.unknown() }),
  ),
  /** Symbols that nothing could be learned of: the model has no opinion on them. */
  absent: z.array(z.strictObject({ name: z.string(), reason: z.string() })).optional(),
});
type Learned = z.output<typeof Learned>;

const id = 'vector-autoregression';
const line = linearModel({ id, summary: '', source: '' }, 'least-squares');

/**
 * The next return of each symbol as a linear function of what it and the symbols that lead it did over the last bars: a trend or a
 * reversal of its own, and what another pair tells. Windows stand for lags, so that few weights reach far back.
 */
export const vectorAutoregression: Model<Params> = {
  id,
  summary: "the next return from a symbol's own last returns and those of the symbols that lead it",
  kind: 'classical',
  usesValidation: true,
  source: 'Sims 1980 (vector autoregression); Corsi 2009 (windows for lags); Lo and MacKinlay 1990 (leaders)',
  params: Params,
  features: () => [],
  fit: async (task) => fitted(await learn(task)),
  load: async ({ json }) => fitted(Learned.parse(json)),
};

async function learn(task: FitTask<Params>): Promise<Learned> {
  const { panel, params } = task;
  const symbols: Learned['symbols'] = [];
  const absent: NonNullable<Learned['absent']> = [];
  for (const [step, series] of panel.series.entries()) {
    task.onProgress({ step, steps: panel.series.length });
    const seen = [series.symbol, ...leadersOf(series, task)];
    const own = seeing(panel, series, seen, params);
    try {
      const { features } = own.series[0];
      const { horizonBars, entryQuantile, penalty } = params;
      const terms = line.params.parse({ features: features.names, horizonBars, entryQuantile, penalty });
      const fit = await line.fit({ ...task, panel: own, params: terms, onProgress: () => {} });
      symbols.push({ symbol: series.symbol, seen, linear: fit.save().json });
    } catch (error) {
      // A coin that is young says nothing about the others.
      if (!(error instanceof UserError)) throw error;
      absent.push({ name: series.symbol, reason: error.message });
      if (absent.length === panel.series.length) throw error;
    }
  }
  task.onProgress({ step: panel.series.length, steps: panel.series.length });
  return { params, symbols, ...(absent.length > 0 && { absent }) };
}

/** One symbol alone, with what it and the others did as its features. */
function seeing(panel: Panel, series: Series, seen: readonly string[], { windows }: Params): Panel {
  const options = { windows, barMs: TIMEFRAME_MS[panel.timeframe] };
  const others = seen.map((name) => panel.series.find(({ symbol }) => symbol === name) ?? nobody(name));
  return {
    timeframe: panel.timeframe,
    series: [{ ...series, features: pastReturns(series, others, options) }],
  };
}

/** A leader that is not there any more. */
const nobody = (symbol: string) => ({ symbol: symbol as PairSymbol, candles: emptyCandles(0) });

async function fitted(learned: Learned): Promise<FittedModel> {
  const { params, symbols, absent } = learned;
  const parts = new Map<string, { readonly seen: readonly string[]; readonly fit: FittedModel }>();
  for (const { symbol, seen, linear } of symbols)
    parts.set(symbol, { seen, fit: await line.load({ json: linear, blobs: {} }) });

  /** What `ask` has each symbol's own line say. */
  const each = (
    panel: Panel,
    ask: (symbol: string, fit: FittedModel, own: Panel) => Promise<readonly Forecast[]>,
  ): Promise<readonly Forecast[]> =>
    Promise.all(
      panel.series.map(async (series) => {
        const { symbol } = series;
        if (absent?.some(({ name }) => name === symbol)) return noOpinion(series, params);
        const part = parts.get(symbol);
        if (part === undefined)
          throw new UserError(`"vector-autoregression" was not trained on ${symbol}.`, {
            hint: `Train again with this symbol; it knows ${[...parts.keys()].join(', ')}.`,
          });
        const [said] = await ask(symbol, part.fit, seeing(panel, series, part.seen, params));
        return said;
      }),
    );

  return {
    ...(absent && { absent }),
    report: {
      symbols: [...parts].map(([symbol, { seen, fit }]) => ({ symbol, seen, ...fit.report })),
    },
    forecast: (panel, wanted) => each(panel, (_, fit, own) => fit.forecast(own, wanted)),
    follow(from) {
      const standing = new Map<string, unknown>(from === undefined ? [] : Standings.parse(from));
      const followers = new Map(
        [...parts].map(([symbol, { fit }]) => [symbol, fit.follow?.(standing.get(symbol))] as const),
      );
      return {
        lookBackBars: Math.max(...params.windows),
        forecast: (panel, sinceMs) =>
          each(
            panel,
            (symbol, fit, own) =>
              followers.get(symbol)?.forecast(own, sinceMs) ?? fit.forecast(own, { sinceMs }),
          ),
        standing: () => [...followers].map(([symbol, follower]) => [symbol, follower?.standing?.()]),
      };
    },
    save: () => ({ json: learned, blobs: {} }),
  };
}

const Standings = z.array(z.tuple([z.string(), z.unknown()]));

function noOpinion({ symbol, candles }: Series, { horizonBars }: Params): Forecast {
  const unknown = (): Float64Array => new Float64Array(candles.time.length).fill(NaN);
  return { symbol, horizonBars, position: unknown(), confidence: unknown() };
}

/** The others whose last return went best with the next one of `series` in the training bars, the best first. */
function leadersOf(series: Series, { panel, params, trainUntilMs }: FitTask<Params>): readonly string[] {
  const { timeframe } = panel;
  const { horizonBars } = params;
  const others = panel.series.filter(({ symbol }) => symbol !== series.symbol);
  const next = forwardReturns(series.candles, timeframe, horizonBars);
  const range = { timeframe, horizonBars, fromMs: -Infinity, untilMs: trainUntilMs };
  const rows = labelledRows(series.candles, next, range);
  const { columns } = pastReturns(series, others, { windows: [1], barMs: TIMEFRAME_MS[timeframe] });
  return others
    .map(({ symbol }, k) => ({ symbol, tells: Math.abs(correlation(columns[k], next, rows)) }))
    .toSorted((a, b) => b.tells - a.tells)
    .slice(0, params.leaders)
    .map(({ symbol }) => symbol);
}

/** About zero, on the rows where both are known; 0 where one never moves. */
function correlation(x: Float64Array, y: Float64Array, rows: Int32Array): number {
  let [xx, xy, yy] = [0, 0, 0];
  for (const row of rows) {
    if (Number.isNaN(x[row])) continue;
    xx += x[row] * x[row];
    xy += x[row] * y[row];
    yy += y[row] * y[row];
  }
  return xx * yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}
