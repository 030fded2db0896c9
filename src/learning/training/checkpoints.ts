import type { Store } from '../../data/store/store.ts';
import { ensembleMembers, forecastEnsemble } from '../ensemble/equal-weight.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { requireOneQuote } from '../../core/market/symbols.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { type LoadedPanel, loadPanel } from '../../data/panel/load-panel.ts';
import { loadMember, type TrainedMember } from './member-folder.ts';
import { findRun, newestRun } from './run-folder.ts';
import { seedFolder } from './seeds.ts';

/** The models of one complete training run, ready to forecast. */
export interface TrainedSet {
  readonly runId: string;
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly synthetic: boolean;
  /** The bar at which features and forecasts start, in training and ever after. */
  readonly sinceMs: number;
  readonly trainUntilMs: number;
  /** Bars that open at or after this time have never been seen by training. */
  readonly validateUntilMs: number;
  readonly dataFingerprint: string;
  /** Which markets features that need other inputs look at. */
  readonly sources: InputSources;
  /** Features of all members. */
  readonly featureNames: readonly string[];
  /** How many seeds the run was trained from. */
  readonly seeds: number;
  readonly members: readonly TrainedMember[];
}

/**
 * Loads a complete run: `runId` (or the path of its folder), else the newest. `models` limits it to some of its
 * members; `seedNumber` takes those of another seed than the first, of the models that have several. Throws `UserError` when there is none, when something is damaged or of another version.
 */
export async function loadTrained(
  checkpointDir: string,
  options: {
    readonly models?: readonly string[];
    readonly runId?: string;
    readonly seedNumber?: number;
  } = {},
): Promise<TrainedSet> {
  const run =
    options.runId === undefined
      ? await newestRun(checkpointDir)
      : await findRun(checkpointDir, options.runId);
  const { plan, result, runId } = run;
  requireOneQuote(plan.symbols);
  if (result === undefined) {
    throw new UserError(`The training run "${runId}" is not complete.`, {
      hint: `Finish it: crypto-trader train --mode resume --checkpoint ${run.path}`,
    });
  }
  const ids = options.models ?? result.models;
  const members = await Promise.all(
    ids.map(async (id) => {
      const number = Math.min(options.seedNumber ?? 1, result.seeds?.[id]?.length ?? 1);
      const folder = seedFolder(run.path, id, number);
      const member = result.models.includes(id) ? await loadMember(folder) : undefined;
      if (member !== undefined) return member;
      throw new UserError(`The training run "${runId}" has no model "${id}".`, {
        hint: suggest(id, result.models),
      });
    }),
  );
  const foreign = members.find(({ manifest }) => manifest.dataFingerprint !== plan.dataFingerprint);
  if (foreign !== undefined) {
    throw new UserError(`The checkpoint "${foreign.folder}" was trained on other candles than its run.`, {
      hint: 'Put the folder back from where it came, or train again.',
    });
  }
  return {
    runId,
    exchange: plan.exchange,
    symbols: plan.symbols,
    timeframe: plan.timeframe,
    synthetic: plan.synthetic,
    sinceMs: plan.sinceMs,
    trainUntilMs: plan.trainUntilMs,
    validateUntilMs: plan.validateUntilMs,
    dataFingerprint: plan.dataFingerprint,
    sources: plan.sources,
    featureNames: [...new Set(members.flatMap(({ manifest }) => manifest.features))],
    seeds: plan.seeds,
    members,
  };
}

/** Throws `UserError` when the settings ask for another market than the models were trained on. */
export function requireSameMarket(
  trained: TrainedSet,
  wanted: { readonly exchange: string; readonly timeframe: Timeframe },
): void {
  for (const key of ['exchange', 'timeframe'] as const) {
    if (trained[key] === wanted[key]) continue;
    throw new UserError(
      `The models of "${trained.runId}" were trained on ${key} "${trained[key]}", the settings say "${wanted[key]}".`,
      { hint: 'Train on what the settings say, or set them back.' },
    );
  }
}

/** The candles and features that the trained models read, from the bar on at which their training data began. */
export const loadTrainedPanel = (
  store: Store,
  { exchange, symbols, timeframe, sinceMs, featureNames, sources }: TrainedSet,
  range: { readonly untilMs?: number } = {},
): Promise<LoadedPanel> =>
  loadPanel(store, { exchange, symbols, timeframe, sinceMs, featureNames, sources, ...range });

interface SetForecasts {
  /** Forecasts of each member, one a symbol. */
  readonly members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[];
  /** The ensemble's, one a symbol. */
  readonly ensemble: readonly Forecast[];
}

/**
 * Every member's forecasts for every symbol of the panel, and the ensemble of them. Bars that open before
 * `wanted.sinceMs` are not asked for and may be left without a forecast.
 */
export async function forecastAll(
  trained: TrainedSet,
  panel: LoadedPanel,
  wanted: { readonly sinceMs?: number } = {},
): Promise<SetForecasts> {
  const all = await Promise.all(
    trained.members.map(async (member) => ({
      member,
      forecasts: await member.fitted.forecast(panel, wanted),
    })),
  );
  const voters = new Set(ensembleMembers(trained.members).map(({ id }) => id));
  const ensemble = panel.series.map((_, s) =>
    forecastEnsemble(all.flatMap(({ member, forecasts }) => (voters.has(member.id) ? [forecasts[s]] : []))),
  );
  return { members: all.map(({ member, forecasts }) => ({ id: member.id, forecasts })), ensemble };
}
