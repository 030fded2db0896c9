import { z } from 'zod';
import { type Panel, panelUntil, selectFeatures } from '../../../core/dataset/panel.ts';
import { chronologicalSplit, type Span, walkForwardFolds } from '../../../core/dataset/splits.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { deriveSeed } from '../../../core/foundation/random.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { classicalModels } from '../../models/classical.ts';
import type { Artifact, FittedModel, FitTask, Model } from '../../../core/forecast/model.ts';
import type { AgentParams } from './params.ts';

/** A model as it was fitted on bars before `fromMs`, for the bars from then until its next refit. */
interface Refit {
  readonly id: string;
  readonly fromMs: number;
  readonly fitted: FittedModel;
}

/** The other models whose forecasts an agent sees, refitted as time went on. */
export interface Refits {
  readonly all: readonly Refit[];
  /** Models that the agent was to see and that cannot learn from its bars. */
  readonly absent: readonly { readonly id: string; readonly reason: string }[];
}

const findClassical = (id: string): Model => {
  const found = classicalModels.find((model) => model.id === id);
  if (found !== undefined) return found;
  throw new UserError(`"${id}" is no classical model.`, {
    hint: 'Restore the checkpoint from a backup, or train again.',
  });
};

const defaultsOf = (model: Model): unknown => model.params.parse({});

const featuresOf = (model: Model): readonly string[] => model.features(defaultsOf(model));

/** What the agent and the models whose forecasts it sees read, each feature once, the agent's own first. */
export const agentFeatures = ({ features, forecasts }: AgentParams): readonly string[] => [
  ...new Set([...features, ...forecasts.map(findClassical).flatMap(featuresOf)]),
];

/** Share of the bars of a refit that are kept for early stopping and entry levels. */
const VALIDATION_PCT = 15;

/**
 * Fits every model of `params.forecasts` again and again on all bars before a part of the training bars, at last on all
 * of them for what comes after: an agent must practise on forecasts as good as those it will get, and a model knows the
 * bars it was fitted on too well. No bar from a refit's `fromMs` on is given to it.
 */
export async function fitRefits(
  task: Pick<FitTask<AgentParams>, 'panel' | 'params' | 'trainUntilMs' | 'seed' | 'signal'>,
): Promise<Refits> {
  const { panel, params } = task;
  if (params.forecasts.length === 0) return { all: [], absent: [] };
  const fromMs = Math.min(...panel.series.map(({ candles }) => candles.time[0]));
  const parts = params.forecastRefits + 1;
  const span: Span = { fromMs, untilMs: task.trainUntilMs };
  const folds = walkForwardFolds(span, panel.timeframe, {
    folds: params.forecastRefits,
    firstTestMs: fromMs + (task.trainUntilMs - fromMs) / parts,
    embargoMs: 0,
  });
  const trains = [...folds.map(({ train }) => train), span];
  const all: Refit[] = [];
  const absent: { id: string; reason: string }[] = [];
  for (const id of new Set(params.forecasts)) {
    try {
      all.push(...(await refitsOf(findClassical(id), trains, task)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      absent.push({ id, reason: error.message });
    }
  }
  return { all, absent };
}

async function refitsOf(
  model: Model,
  trains: readonly Span[],
  { panel, seed, signal }: Pick<FitTask<AgentParams>, 'panel' | 'seed' | 'signal'>,
): Promise<readonly Refit[]> {
  const own = selectFeatures(panel, featuresOf(model));
  const refits: Refit[] = [];
  for (const train of trains) {
    signal.throwIfAborted();
    const shares = { validationPct: VALIDATION_PCT, testPct: 0 };
    const fitted = await model.fit({
      panel: panelUntil(own, train.untilMs),
      params: defaultsOf(model),
      trainUntilMs: chronologicalSplit(train, panel.timeframe, shares).trainUntilMs,
      seed: deriveSeed(seed, `${model.id} until ${train.untilMs}`),
      signal,
      onProgress: () => {},
    });
    refits.push({ id: model.id, fromMs: train.untilMs, fitted });
  }
  return refits;
}

/**
 * The panel as an agent sees it: `features`, then one column `<id>.forecast` for each model: the return it expects, or,
 * where it states none, the position it would take. Each bar is forecast by the newest refit that had ended before
 * it; `NaN` before the first, 0 where a model has no opinion.
 */
export async function withForecasts(
  panel: Panel,
  features: readonly string[],
  { all }: Refits,
): Promise<Panel> {
  const seen = selectFeatures(panel, features);
  const ids = [...new Set(all.map(({ id }) => id))];
  const added = await Promise.all(ids.map((id) => forecastColumns(panel, id, all)));
  const series = seen.series.map((one, s) => ({
    ...one,
    features: {
      names: [...features, ...ids.map((id) => `${id}.forecast`)],
      columns: [...one.features.columns, ...added.map((columns) => columns[s])],
    },
  }));
  return { timeframe: panel.timeframe, series };
}

async function forecastColumns(
  panel: Panel,
  id: string,
  all: readonly Refit[],
): Promise<readonly Float64Array[]> {
  const own = selectFeatures(panel, featuresOf(findClassical(id)));
  const columns = panel.series.map(({ candles }) => new Float64Array(candles.time.length).fill(NaN));
  const refits = all.filter((refit) => refit.id === id);
  for (const [i, { fromMs, fitted }] of refits.entries()) {
    const forecasts = await fitted.forecast(panelUntil(own, refits[i + 1]?.fromMs ?? Infinity));
    forecasts.forEach(({ expectedReturn, position }, s) => {
      const stated = expectedReturn ?? position;
      const from = lowerBound(panel.series[s].candles.time, fromMs);
      for (let row = from; row < stated.length; row++)
        columns[s][row] = Number.isNaN(stated[row]) ? 0 : stated[row];
    });
  }
  return columns;
}

export const RefitsJson = z.strictObject({
  all: z.array(z.strictObject({ id: z.string(), fromMs: z.number(), json: z.unknown() })),
  absent: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
});

/** Of blobs, those of refit `i`. */
const prefixOf = (i: number): string => `refit${i}.`;

export function saveRefits({ all, absent }: Refits): Artifact & { json: z.output<typeof RefitsJson> } {
  const saved = all.map(({ fitted }) => fitted.save());
  const blobs = saved.flatMap((one, i) =>
    Object.entries(one.blobs).map(([name, bytes]) => [prefixOf(i) + name, bytes] as const),
  );
  const json = all.map(({ id, fromMs }, i) => ({ id, fromMs, json: saved[i].json }));
  return { json: { all: json, absent: [...absent] }, blobs: Object.fromEntries(blobs) };
}

export async function readRefits(
  { all, absent }: z.output<typeof RefitsJson>,
  blobs: Artifact['blobs'],
): Promise<Refits> {
  const refits = await Promise.all(
    all.map(async ({ id, fromMs, json }, i) => {
      const own = Object.entries(blobs).filter(([name]) => name.startsWith(prefixOf(i)));
      const artifact = {
        json,
        blobs: Object.fromEntries(own.map(([name, bytes]) => [name.slice(prefixOf(i).length), bytes])),
      };
      return { id, fromMs, fitted: await findClassical(id).load(artifact) };
    }),
  );
  return { all: refits, absent };
}
