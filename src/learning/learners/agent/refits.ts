import { ACCOUNT_OBSERVATION } from '../../../core/environments/trading-account.ts';
import { z } from 'zod';
import { type Panel, panelUntil, selectFeatures } from '../../../core/dataset/panel.ts';
import { type Fold, walkForwardFolds } from '../../../core/dataset/splits.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { issueLines } from '../../../core/foundation/plain-issues.ts';
import { deriveSeed } from '../../../core/foundation/random.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { refit, type RefitTask, validationSpan } from '../../validation/refit.ts';
import type { Artifact, FittedModel, FitTask, Forecast, Model } from '../../../core/forecast/model.ts';
import type { AgentParams } from './params.ts';

/** A model as it was fitted on bars before `fromMs`, for the bars from then until its next refit. */
interface Refit {
  readonly model: Model;
  readonly fromMs: number;
  readonly fitted: FittedModel;
}

/** The other models whose forecasts an agent sees, refitted as time went on. */
export interface Refits {
  readonly all: readonly Refit[];
  /** Models that the agent was to see and that cannot learn from its bars. */
  readonly absent: readonly { readonly id: string; readonly reason: string }[];
}

const findForecaster = (forecasters: readonly Model[], id: string): Model => {
  const found = forecasters.find((model) => model.id === id);
  if (found !== undefined) return found;
  throw new UserError(`No agent can see the forecasts of "${id}".`, {
    hint: `Use one of: ${forecasters.map((model) => model.id).join(', ')}.`,
  });
};

type Seen = Pick<AgentParams, 'forecastParams'>;

function paramsOf(model: Model, { forecastParams }: Seen): unknown {
  const parsed = model.params.safeParse(forecastParams[model.id] ?? {});
  if (parsed.success) return parsed.data;
  throw new UserError(
    `The parameters of "${model.id}", whose forecasts an agent sees, are not valid.\n${issueLines(parsed.error).join('; ')}`,
    { hint: `Correct forecastParams.${model.id} of the agent.` },
  );
}

const featuresOf = (model: Model, seen: Seen): readonly string[] => model.features(paramsOf(model, seen));

/** What the agent and the models whose forecasts it sees read, each feature once, the agent's own first. */
export const agentFeatures = (params: AgentParams, forecasters: readonly Model[]): readonly string[] => [
  ...new Set([
    ...params.features,
    ...params.forecasts.flatMap((id) => featuresOf(findForecaster(forecasters, id), params)),
  ]),
];

/** Numbers that an agent of these parameters sees at a bar. */
export const observationSize = ({ features, forecasts }: AgentParams): number =>
  features.length + new Set(forecasts).size + ACCOUNT_OBSERVATION.length;

/** Share of the bars of a refit that are kept for early stopping and entry levels. */
const VALIDATION_PCT = 15;

/**
 * Fits every model of `params.forecasts` again and again on all bars before a part of the training bars, at last on all
 * of them for what comes after: an agent must practise on forecasts as good as those it will get, and a model knows the
 * bars it was fitted on too well. No bar from a refit's `fromMs` on is given to it.
 */
export async function fitRefits(
  task: Pick<FitTask<AgentParams>, 'panel' | 'params' | 'trainUntilMs' | 'seed' | 'signal'>,
  forecasters: readonly Model[],
): Promise<Refits> {
  const { panel, params } = task;
  if (params.forecasts.length === 0) return { all: [], absent: [] };
  const fromMs = Math.min(...panel.series.map(({ candles }) => candles.time[0]));
  const span = { fromMs, untilMs: task.trainUntilMs };
  const parts = params.forecastRefits + 1;
  const within = walkForwardFolds(span, panel.timeframe, {
    folds: params.forecastRefits,
    firstTestMs: fromMs + (task.trainUntilMs - fromMs) / parts,
    embargoMs: 0,
  });
  const after = { train: span, test: { fromMs: span.untilMs, untilMs: Infinity } };
  const all: Refit[] = [];
  const absent: { id: string; reason: string }[] = [];
  for (const id of new Set(params.forecasts)) {
    try {
      all.push(...(await refitsOf(findForecaster(forecasters, id), [...within, after], task)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      absent.push({ id, reason: error.message });
    }
  }
  return { all, absent };
}

async function refitsOf(
  model: Model,
  folds: readonly Fold[],
  { panel, params, seed, signal }: Pick<FitTask<AgentParams>, 'panel' | 'params' | 'seed' | 'signal'>,
): Promise<readonly Refit[]> {
  const entry = { model, params: paramsOf(model, params) };
  const refits: Refit[] = [];
  // A network goes on from where it ended: all refits together cost little more than the last alone.
  let before: Pick<RefitTask, 'warm' | 'warmUntilMs'> = {};
  for (const fold of folds) {
    const fitted = await refit(entry, fold, {
      panel,
      validationPct: VALIDATION_PCT,
      seed: deriveSeed(seed, `${model.id} until ${fold.train.untilMs}`),
      signal,
      ...before,
    });
    refits.push({ model, fromMs: fold.test.fromMs, fitted });
    if (model.warmStarts)
      before = {
        warm: fitted.save(),
        warmUntilMs: validationSpan(fold.train, panel.timeframe, VALIDATION_PCT).fromMs,
      };
  }
  return refits;
}

/**
 * The panel as an agent sees it: `features`, then one column `<id>.forecast` for each model: the return it expects, or, where it states
 * none, by how much a rise is likelier than a fall, or else the position it would take. Each bar is forecast by the newest refit that had ended before
 * it; `NaN` before the first, 0 where a model has no opinion.
 */
export async function withForecasts(
  panel: Panel,
  params: Pick<AgentParams, 'features' | 'forecastParams'>,
  { all }: Refits,
  ask: AskRefit = askRefit,
): Promise<Panel> {
  const { features } = params;
  const seen = selectFeatures(panel, features);
  const models = [...new Set(all.map(({ model }) => model))];
  const added = await Promise.all(
    models.map((model) => forecastColumns(panel, model, { seen: params, refits: all, ask })),
  );
  const series = seen.series.map((one, s) => ({
    ...one,
    features: {
      names: [...features, ...models.map(({ id }) => `${id}.forecast`)],
      columns: [...one.features.columns, ...added.map((columns) => columns[s])],
    },
  }));
  return { timeframe: panel.timeframe, series };
}

/** What a refit says of the bars from its `fromMs` on; `undefined`: none of them is asked for. */
export type AskRefit = (refit: Refit, panel: Panel) => Promise<readonly Forecast[] | undefined>;

export const askRefit: AskRefit = ({ fitted, fromMs }, panel) => fitted.forecast(panel, { sinceMs: fromMs });

/** Asks the newest refit of each model bar after bar. `ask(sinceMs)` is of the bars from then on; at first of all. */
export function followRefits(
  { all }: Refits,
  from?: readonly unknown[],
): {
  readonly lookBackBars: number;
  ask(sinceMs: number): AskRefit;
  /** Of each model, as `from` takes it; `undefined` where one has none. */
  standing(): readonly unknown[] | undefined;
} {
  const newest = new Map(all.map((one) => [one.model, one.fitted]));
  const followers = new Map(
    [...newest.values()].flatMap((fitted, i) =>
      fitted.follow ? [[fitted, fitted.follow(from?.[i])] as const] : [],
    ),
  );
  return {
    lookBackBars: Math.max(0, ...Array.from(followers.values(), ({ lookBackBars }) => lookBackBars)),
    ask: (sinceMs) => async (refit, panel) => {
      const follower = followers.get(refit.fitted);
      if (follower === undefined) return sinceMs === -Infinity ? askRefit(refit, panel) : undefined;
      return follower.forecast(panel, Math.max(refit.fromMs, sinceMs));
    },
    standing() {
      const all = Array.from(followers.values(), (follower) => follower.standing?.());
      return all.includes(undefined) ? undefined : all;
    },
  };
}

async function forecastColumns(
  panel: Panel,
  model: Model,
  {
    seen,
    refits: all,
    ask,
  }: { readonly seen: Seen; readonly refits: readonly Refit[]; readonly ask: AskRefit },
): Promise<readonly Float64Array[]> {
  const own = selectFeatures(panel, featuresOf(model, seen));
  const columns = panel.series.map(({ candles }) => new Float64Array(candles.time.length).fill(NaN));
  const refits = all.filter((refit) => refit.model === model);
  for (const [i, { fromMs, fitted }] of refits.entries()) {
    const until = panelUntil(own, refits[i + 1]?.fromMs ?? Infinity);
    const forecasts = await ask({ model, fromMs, fitted }, until);
    forecasts?.forEach(({ expectedReturn, probabilityUp, position }, s) => {
      const stated = expectedReturn ?? probabilityUp?.map((up) => 2 * up - 1) ?? position;
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
  const json = all.map(({ model, fromMs }, i) => ({ id: model.id, fromMs, json: saved[i].json }));
  return { json: { all: json, absent: [...absent] }, blobs: Object.fromEntries(blobs) };
}

export async function readRefits(
  { all, absent }: z.output<typeof RefitsJson>,
  blobs: Artifact['blobs'],
  forecasters: readonly Model[],
): Promise<Refits> {
  const refits = await Promise.all(
    all.map(async ({ id, fromMs, json }, i) => {
      const own = Object.entries(blobs).filter(([name]) => name.startsWith(prefixOf(i)));
      const artifact = {
        json,
        blobs: Object.fromEntries(own.map(([name, bytes]) => [name.slice(prefixOf(i).length), bytes])),
      };
      const model = findForecaster(forecasters, id);
      return { model, fromMs, fitted: await model.load(artifact) };
    }),
  );
  return { all: refits, absent };
}
