import type { Store } from '../../data/store/store.ts';
import { forecastEnsemble } from '../ensemble/equal-weight.ts';
import { startPanel } from '../../data/panel/running-panel.ts';
import { votersOf } from '../ensemble/voters.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import type { Feature } from '../../core/features/feature.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { requireOneQuote } from '../../core/market/symbols.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import type { BarLength } from '../../core/market/bar-length.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { featuresRead, type Forecast } from '../../core/forecast/model.ts';
import { type LoadedMarket, type LoadedPanel, loadMarket, loadPanel } from '../../data/panel/load-panel.ts';
import { openMember, readMember, type StoredMember, type TrainedMember } from './member-folder.ts';
import { runInUse } from './active-run.ts';
import { builtIn, type Registry } from '../models/registry.ts';
import { absentFeature, absentPlugin, changedPlugins, featuresOfRun } from './plugins.ts';
import { listRuns } from './run-folder.ts';
import { seedFolder, seedName } from './seeds.ts';

/** The models of one complete training run, ready to forecast. */
export interface TrainedSet<Member = TrainedMember> {
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
  /** Bars of other lengths that its models read beside. */
  readonly lengths: readonly BarLength[];
  /** Which markets features that need other inputs look at. */
  readonly sources: InputSources;
  /** The features that there are, the user's own with the parameters that the run was trained with. */
  readonly catalogue: readonly Feature[];
  /** The strategies that there are, ours and the user's. */
  readonly strategies: readonly Strategy[];
  /** Features of all members. */
  readonly featureNames: readonly string[];
  /** Those that its models round to single precision: the panel need not hold more. */
  readonly single: ReadonlySet<string>;
  /** How many seeds the run was trained from. */
  readonly seeds: number;
  readonly members: readonly Member[];
  /** The user's own code that models, features and strategies may come from: a SHA-256 a file. */
  readonly pluginHashes: readonly string[];
  /** Models of the run that nothing here brings, and plug-ins that have changed since: to be said. */
  readonly notes: readonly string[];
}

/**
 * Loads a complete run: `runId` (its name, or the path of its folder), else the active one: see active-run.ts. `models` limits it to some of its
 * members; `seedNumber` takes those of another seed than the first, of the models that have several. Throws `UserError` when there is none, when something is damaged or of another version.
 */
export async function loadTrained(...asked: Parameters<typeof readTrained>): Promise<TrainedSet> {
  const stored = await readTrained(...asked);
  return { ...stored, members: await Promise.all(stored.members.map(openMember)) };
}

/** The same, the models still to be opened. */
export async function readTrained(
  checkpointDir: string,
  options: {
    readonly models?: readonly string[];
    readonly runId?: string;
    readonly seedNumber?: number;
    /** Of this model those of all seeds, the later ones named after their number. */
    readonly allSeedsOf?: string | undefined;
    /** The models that there are; default: ours. */
    readonly registry?: Registry;
  } = {},
): Promise<TrainedSet<StoredMember>> {
  const run = await runInUse(checkpointDir, options.runId);
  const { plan, result, runId } = run;
  requireOneQuote(plan.symbols);
  if (result === undefined) {
    throw new UserError(`The training run "${runId}" is not complete.`, {
      hint: `Finish it: crypto-trader train --mode resume --run ${runId}`,
    });
  }
  const { registry = builtIn } = options;
  const there = new Set(registry.models.map(({ id }) => id));
  const absent = options.models === undefined ? result.models.filter((id) => !there.has(id)) : [];
  const ids = (options.models ?? result.models).filter((id) => !absent.includes(id));
  const wanted = ids.flatMap((id) => {
    const trained = result.seeds?.[id]?.length ?? 1;
    return id === options.allSeedsOf
      ? Array.from({ length: trained }, (_, i) => ({ id, number: i + 1 }))
      : [{ id, number: Math.min(options.seedNumber ?? 1, trained) }];
  });
  const loaded = await Promise.all(
    wanted.map(async ({ id, number }) => {
      const folder = seedFolder(run.path, id, number);
      const member = result.models.includes(id) ? await readMember(folder, { run, registry }) : undefined;
      if (member?.manifestSha256 === result.manifests[seedName(id, number)] && member)
        return {
          ...member,
          ...(id === options.allSeedsOf && { id: seedName(id, number) }),
          noSkill: result.noSkill?.[seedName(id, number)],
        };
      if (member !== undefined) {
        throw new UserError(`The checkpoint "${folder}" is not the one with which its run ended.`, {
          hint: `Put it back, or let the run end with it: crypto-trader train --mode resume --run ${runId}`,
        });
      }
      const others = await runsWith(checkpointDir, id);
      throw new UserError(`The training run "${runId}" has no model "${id}".`, {
        hint:
          others.length === 0
            ? suggest(id, result.models)
            : `It has ${result.models.join(', ')}. Use another run: --run ${others[others.length - 1]}`,
      });
    }),
  );
  const lacking = loaded.flatMap(({ id, manifest }) => {
    const reason = absentFeature(plan, manifest.features, registry);
    return reason === undefined ? [] : [{ id, reason }];
  });
  const members = loaded.filter(({ id }) => !lacking.some((one) => one.id === id));
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
    lengths: plan.lengths,
    sources: plan.sources,
    catalogue: featuresOfRun(plan, registry),
    strategies: registry.strategies,
    ...featuresRead(members.map(({ model, manifest: { features } }) => ({ model, features }))),
    seeds: plan.seeds,
    members,
    pluginHashes: registry.plugins.map(({ sha256 }) => sha256),
    notes: [
      ...[...absent.map((id) => absentPlugin(plan, id, registry)), ...lacking].map(
        ({ id, reason }) => `"${id}" is left out: ${reason}`,
      ),
      ...changedPlugins(plan, registry),
    ],
  };
}

/** Names of the complete runs that have the model, oldest first. */
const runsWith = async (checkpointDir: string, id: string): Promise<readonly string[]> =>
  (await listRuns(checkpointDir))
    .filter(({ result }) => result?.models.includes(id))
    .map(({ runId }) => runId);

/** The market that a command is asked for; what nobody asked for is `undefined`, and is then the run's own. */
export interface WantedMarket {
  readonly exchange: string | undefined;
  readonly timeframe: Timeframe | undefined;
  readonly symbols?: WantedSymbols | undefined;
}

export interface WantedSymbols {
  readonly list: readonly PairSymbol[];
  /** Named for this command alone; else they are the settings', which may hold more than a run was trained on. */
  readonly named: boolean;
}

/** Throws `UserError` when another exchange or timeframe is wanted than the models were trained on. */
export function requireSameMarket(
  trained: Pick<TrainedSet, 'runId' | 'exchange' | 'timeframe'>,
  wanted: WantedMarket,
): void {
  for (const key of ['exchange', 'timeframe'] as const) {
    if (wanted[key] === undefined || trained[key] === wanted[key]) continue;
    throw new UserError(
      `The models of "${trained.runId}" were trained on ${key} "${trained[key]}", the settings say "${wanted[key]}".`,
      { hint: 'Train on what the settings say, set them back, or use another run: --run <name>.' },
    );
  }
}

/**
 * The symbols of the run that are wanted, in its order: all when nobody asked; and those that are wanted but were never
 * trained on, to be said. Throws `UserError` when such a one was named, or when no other is left.
 */
export function symbolsOfRun(
  { runId, symbols }: Pick<TrainedSet, 'runId' | 'symbols'>,
  wanted: WantedSymbols | undefined,
): { readonly symbols: readonly PairSymbol[]; readonly untrained: readonly PairSymbol[] } {
  if (wanted === undefined) return { symbols, untrained: [] };
  const known = symbols.filter((symbol) => wanted.list.includes(symbol));
  const untrained = wanted.list.filter((symbol) => !symbols.includes(symbol));
  if (known.length > 0 && (untrained.length === 0 || !wanted.named)) return { symbols: known, untrained };
  throw new UserError(`The run "${runId}" was not trained on ${untrained.join(', ')}.`, {
    hint: `It knows ${symbols.join(', ')}. Train on the others too, or use another run: --run <name>.`,
  });
}

type TrainedRange = { readonly untilMs?: number; readonly signal?: AbortSignal | undefined };

/** The candles and features that the trained models read, from the bar on at which their training data began. */
export const loadTrainedPanel = (
  store: Store,
  trained: Parameters<typeof marketOf>[0],
  range: TrainedRange = {},
): Promise<LoadedPanel> => loadPanel(store, { ...marketOf(trained), ...range });

/** The same without the features. */
export const loadTrainedMarket = (
  store: Store,
  trained: Parameters<typeof marketOf>[0],
  range: Omit<TrainedRange, 'signal'> = {},
): Promise<LoadedMarket> => loadMarket(store, { ...marketOf(trained), ...range });

/** The same, and a panel to go on from its last bar that keeps `keepBars` of every symbol. */
export const startTrainedPanel = (
  store: Store,
  trained: Parameters<typeof marketOf>[0],
  { keepBars, ...range }: TrainedRange & { readonly keepBars: number },
): ReturnType<typeof startPanel> => startPanel(store, { ...marketOf(trained), ...range }, keepBars);

const marketOf = ({
  exchange,
  symbols,
  timeframe,
  sinceMs,
  featureNames,
  single,
  lengths,
  sources,
  catalogue,
}: Pick<
  TrainedSet,
  | 'exchange'
  | 'symbols'
  | 'timeframe'
  | 'sinceMs'
  | 'featureNames'
  | 'single'
  | 'lengths'
  | 'sources'
  | 'catalogue'
>) => ({ exchange, symbols, timeframe, sinceMs, featureNames, single, lengths, sources, catalogue });

interface SetForecasts {
  /** Forecasts of each member, one a symbol. */
  readonly members: readonly {
    readonly id: string;
    /** Why it does not vote: see voters.ts. */
    readonly noSkill: string | undefined;
    readonly forecasts: readonly Forecast[];
  }[];
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
  const voters = new Set(votersOf(trained.members).map(({ id }) => id));
  const ensemble = panel.series.map((_, s) =>
    forecastEnsemble(all.flatMap(({ member, forecasts }) => (voters.has(member.id) ? [forecasts[s]] : []))),
  );
  return {
    members: all.map(({ member: { id, noSkill }, forecasts }) => ({ id, noSkill, forecasts })),
    ensemble,
  };
}
