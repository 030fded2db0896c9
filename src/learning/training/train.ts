import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../data/lock.ts';
import { giveWay } from '../../data/turns.ts';
import type { DatasetManifest } from '../../data/store/manifest.ts';
import type { Store } from '../../data/store/store.ts';
import { type Panel, panelUntil, panelWithin } from '../../core/dataset/panel.ts';
import { forecastEnsemble } from '../ensemble/equal-weight.ts';
import { type Candidate, votersOf } from '../ensemble/voters.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { buyAndHold } from '../models/buy-and-hold/index.ts';
import {
  type Artifact,
  featuresRead,
  type FittedModel,
  type Forecast,
  type Model,
} from '../../core/forecast/model.ts';
import { persistence } from '../models/persistence/index.ts';
import { builtIn, type Registry } from '../models/registry.ts';
import { activateFirst, activeRunId } from './active-run.ts';
import { openJournal, type TrainingEvent, type TrainingJournal } from './journal.ts';
import { computePanel, type LoadedMarket, loadMarket } from '../../data/panel/load-panel.ts';
import { loadMember, readMember, type TrainedMember } from './member-folder.ts';
import { type Projection, projectAll } from './project.ts';
import {
  createRunFolder,
  findRun,
  PLAN_FILE,
  RESULT_FILE,
  type RunFolder,
  type RunPlan,
  type RunResult,
} from './run-folder.ts';
import { writeSealed } from './sealed-json.ts';
import { noSkill } from '../validation/no-skill.ts';
import type { ForecastScore } from '../validation/score.ts';
import { absentFeature, absentPlugin, featuresOfRun } from './plugins.ts';
import { seedFolder, seedName, seedNumbers } from './seeds.ts';
import type { SnapshotHabits } from './snapshots.ts';
import { trainMember, validationScore, validationSpan } from './train-member.ts';

export interface TrainingSurroundings {
  /** The models that there are; default: ours. */
  readonly registry?: Registry;
  readonly store: Store;
  readonly checkpointDir: string;
  readonly logDir: string;
  readonly signal: AbortSignal;
  readonly snapshots: SnapshotHabits;
  readonly onEvent: (event: TrainingEvent) => void;
}

export interface FinishedRun {
  readonly runId: string;
  readonly path: string;
  readonly plan: RunPlan;
  readonly result: RunResult;
  readonly members: readonly TrainedMember[];
  /** Names of the members, of every seed, that had been trained before this run was resumed. */
  readonly kept: readonly string[];
  /** It is what forecasts and trades now: the first finished run of a project becomes active by itself. */
  readonly active: boolean;
  /** How long the networks of a full run were expected to take. */
  readonly projections: readonly Projection[];
  readonly datasets: readonly DatasetManifest[];
}

/** Starts a run, under a name of its own or one made of the time: its plan is durable before the first model is trained. */
export async function startRun(
  plan: RunPlan,
  { checkpointDir }: TrainingSurroundings,
  name?: string,
): Promise<RunFolder> {
  const run = await createRunFolder(checkpointDir, plan, name);
  const planSha256 = await writeSealed(join(run.path, PLAN_FILE), plan);
  return { ...run, plan, planSha256, result: undefined };
}

/**
 * Trains what a run still lacks, model by model. Each finished model is durable; the one in work goes on from its
 * newest snapshot, or from `snapshot`, the folder of one of them. A model that cannot learn from these candles is
 * skipped with its reason; when none can, the run has nothing to resume and its folder goes. A resumed run ends with the same weights as one
 * that was never stopped: every model has its own seed and sees only its own data. Throws `UserError` when the
 * candles are not those of the plan any more, and `signal.reason` when aborted.
 */
export async function finishRun(
  run: RunFolder,
  surroundings: TrainingSurroundings,
  snapshot?: { readonly member: string; readonly folder: string },
): Promise<FinishedRun> {
  const lock = { waitMs: 0, purpose: `training ${run.runId}` };
  return withLock(join(run.path, '.lock'), lock, async () => {
    const journal = openJournal(surroundings.logDir, run.runId, surroundings.onEvent);
    journal.write({ kind: 'run-started', mode: run.plan.mode, models: run.plan.models.map(({ id }) => id) });
    try {
      const finished = await trainMissing(run, surroundings, journal, snapshot);
      journal.write({ kind: 'run-finished' });
      return finished;
    } catch (error) {
      journal.write({ kind: 'run-stopped', reason: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  });
}

/** Of a run: what there is to train, and on what. */
async function prepare(
  { plan }: RunFolder,
  { store, signal, registry = builtIn }: Pick<TrainingSurroundings, 'store' | 'signal' | 'registry'>,
) {
  const there = new Set(registry.models.map(({ id }) => id));
  const present = plan.models
    .filter(({ id }) => there.has(id))
    .map((entry) => ({ ...entry, model: registry.findModel(entry.id) }));
  const lacking = present.flatMap(({ id, model, params }) => {
    const reason = absentFeature(plan, model.features(params), registry);
    return reason === undefined ? [] : [{ id, reason }];
  });
  const entries = present.filter(({ id }) => !lacking.some((one) => one.id === id));
  const market = await planMarket(store, plan, { entries, registry });
  // Features of one model at a time: those of all of them may be more than fits.
  const panelOf = ({ model, params }: (typeof entries)[number]): Promise<Panel> =>
    computePanel(market, {
      ...featuresRead([{ model, features: model.features(params) }]),
      inOrder: model.readsColumns,
      catalogue: featuresOfRun(plan, registry),
      signal,
    });
  const skipped = [
    ...plan.models.filter(({ id }) => !there.has(id)).map(({ id }) => absentPlugin(plan, id, registry)),
    ...lacking,
  ];
  return { entries, skipped, market, panelOf, baselines: await baselineScores(market, plan, signal) };
}

/** A model of a run from one of its seeds, which can be trained apart from the others. */
export interface RunPiece {
  readonly id: string;
  readonly seedNumber: number;
}

/** The pieces of a run one by one. */
export async function openPieces(
  run: RunFolder,
  surroundings: Omit<TrainingSurroundings, 'snapshots'>,
): Promise<{
  /** Those that are not trained yet. */
  missing(): Promise<readonly RunPiece[]>;
  /** The datasets that they are trained on. */
  readonly market: LoadedMarket;
  /** Trains one, keeps it in its folder and says which that is; or why it cannot learn. `processor`: written into its manifest. */
  train(
    piece: RunPiece,
    processor: string,
  ): Promise<{ readonly folder: string } | { readonly unfit: string }>;
}> {
  const { checkpointDir, signal, registry = builtIn, logDir, onEvent } = surroundings;
  const { entries, market, panelOf, baselines } = await prepare(run, surroundings);
  const journal = openJournal(logDir, run.runId, onEvent);
  const folderOf = ({ id, seedNumber }: RunPiece): string => seedFolder(run.path, id, seedNumber);
  return {
    market,
    async missing() {
      const all = entries.flatMap(({ id, model }) =>
        seedNumbers(model, run.plan).map((seedNumber) => ({ id, seedNumber })),
      );
      const found = await Promise.all(all.map((piece) => readMember(folderOf(piece), { run, registry })));
      return all.filter((_, i) => found[i] === undefined);
    },
    async train(piece, processor) {
      const entry = entries.find(({ id }) => id === piece.id);
      if (entry === undefined) return { unfit: `this machine has no model "${piece.id}"` };
      const folder = folderOf(piece);
      if ((await readMember(folder, { run, registry })) !== undefined) return { folder };
      const result = await trainMember({
        ...{ run, ...piece, baselines, signal, journal, processor, snapshot: undefined },
        ...{ model: entry.model, params: entry.params, panel: await panelOf(entry) },
        warm: await warmStart(checkpointDir, run.plan, { id: piece.id, registry }),
        habits: { everyMinutes: Infinity, everyEpochs: Infinity, kept: 1 },
      });
      if (result.kind === 'unfit') return { unfit: result.reason };
      result.member.fitted.dispose?.();
      return { folder };
    },
  };
}

async function trainMissing(
  run: RunFolder,
  surroundings: TrainingSurroundings,
  journal: TrainingJournal,
  snapshot: { readonly member: string; readonly folder: string } | undefined,
): Promise<FinishedRun> {
  const { checkpointDir, signal, snapshots, registry = builtIn } = surroundings;
  const { plan } = run;
  const { entries, skipped, market, panelOf, baselines } = await prepare(run, surroundings);
  const { manifests: datasets } = market;
  const projections = await projectAll(run, entries, panelOf, { signal, journal });

  const members: TrainedMember[] = [];
  const trained = new Map<string, readonly TrainedSeed[]>();
  const kept: string[] = [];
  const manifests: Record<string, string> = {};
  const withoutSkill: Record<string, string> = {};
  for (const { id, reason } of skipped)
    journal.write({ kind: 'model-skipped', model: id, phase: 'plugin', reason });
  for (const entry of entries) {
    const { id, model, params } = entry;
    const panel = await panelOf(entry);
    const seeds: TrainedSeed[] = [];
    let first: TrainedMember | undefined;
    for (const seedNumber of seedNumbers(model, plan)) {
      signal.throwIfAborted();
      const found = await loadMember(seedFolder(run.path, id, seedNumber), { run, registry });
      if (found !== undefined) kept.push(seedName(id, seedNumber));
      const result =
        found === undefined
          ? await trainMember({
              ...{ run, model, params, seedNumber, panel, baselines, signal, journal, snapshot },
              warm: await warmStart(checkpointDir, plan, { id, registry }),
              habits: snapshots,
            })
          : await keptMember(found, panel, plan);
      if (result.kind === 'unfit') {
        const { reason } = result;
        skipped.push({ id: seedName(id, seedNumber), reason });
        journal.write({ kind: 'model-skipped', model: id, phase: model.kind, reason });
        break;
      }
      const { member, forecasts } = result;
      manifests[seedName(id, seedNumber)] = member.manifestSha256;
      if (member.noSkill !== undefined) withoutSkill[seedName(id, seedNumber)] = member.noSkill;
      seeds.push({
        model,
        metrics: member.manifest.metrics,
        noSkill: member.noSkill,
        forecasts: ofValidation(forecasts, market, plan),
      });
      if (seedNumber === 1) first = member;
      else member.fitted.dispose?.();
    }
    if (first === undefined) continue;
    trained.set(id, seeds);
    members.push(first);
  }
  if (members.length === 0) {
    await rm(run.path, { recursive: true, force: true });
    throw new UserError('No model could be trained on these candles.', {
      hint: skipped.map(({ id, reason }) => `${id}: ${reason}`).join('\n'),
    });
  }
  signal.throwIfAborted();
  const ensembles = await scoreEnsembles(trained, market, plan, journal, signal);
  const result: RunResult = {
    version: 2,
    completedAt: new Date().toISOString(),
    planSha256: run.planSha256,
    models: members.map(({ id }) => id),
    manifests,
    skipped,
    ensemble: { members: votersOf(members).map(({ id }) => id), metrics: ensembles[0] },
    baselines,
    ...(Object.keys(withoutSkill).length > 0 && { noSkill: withoutSkill }),
    ...(plan.seeds > 1 && { seeds: scoresBySeed(trained, ensembles) }),
  };
  await writeSealed(join(run.path, RESULT_FILE), result);
  const first = await activateFirst(checkpointDir, run.runId);
  const active = first || (await activeRunId(checkpointDir)) === run.runId;
  return { runId: run.runId, path: run.path, plan, result, members, kept, active, projections, datasets };
}

/** What one seed of a model came to. */
interface TrainedSeed extends Candidate {
  readonly metrics: ForecastScore;
  /** Of the validation bars. */
  readonly forecasts: readonly Forecast[];
}

const validationPanel = (panel: Panel, { trainUntilMs, validateUntilMs }: RunPlan): Panel =>
  panelWithin(panel, { fromMs: trainUntilMs, untilMs: validateUntilMs });

/** The validation bars of forecasts of a whole panel, copied: what lies before is wanted no more. */
const ofValidation = (forecasts: readonly Forecast[], panel: Panel, plan: RunPlan): readonly Forecast[] => {
  const { series } = validationPanel(panel, plan);
  return forecasts.map(({ symbol, horizonBars, quantiles, ...columns }, s) => {
    const newest = (column: Float64Array): Float64Array =>
      column.slice(column.length - series[s].candles.time.length);
    const { position, confidence, probabilityUp, expectedReturn } = columns;
    return {
      symbol,
      horizonBars,
      position: newest(position),
      confidence: newest(confidence),
      ...(probabilityUp && { probabilityUp: newest(probabilityUp) }),
      ...(expectedReturn && { expectedReturn: newest(expectedReturn) }),
      ...(quantiles && { quantiles: { ...quantiles, columns: quantiles.columns.map(newest) } }),
    };
  });
};

/** The candles of the plan up to the end of validation: nothing that trains or chooses sees the test bars. */
export async function planMarket(
  store: Store,
  plan: RunPlan,
  {
    entries,
    registry,
  }: {
    readonly entries: readonly { readonly model: Model; readonly params: unknown }[];
    readonly registry: Registry;
  },
): Promise<LoadedMarket> {
  const featureNames = [...new Set(entries.flatMap(({ model, params }) => model.features(params)))];
  const catalogue = featuresOfRun(plan, registry);
  const loaded = await loadMarket(store, { ...plan, featureNames, catalogue });
  if (loaded.fingerprint !== plan.dataFingerprint) {
    throw new UserError(
      'The stored candles, or other inputs of its features, are not those that this run was started with.',
      {
        hint: 'Start a new run with `crypto-trader train --mode quick` (or full).',
      },
    );
  }
  return { ...loaded, series: panelUntil(loaded, plan.validateUntilMs).series };
}

/** What a model of the run to go on from has learned. Throws `UserError` when it is not what the run began with. */
async function warmStart(
  checkpointDir: string,
  { from }: RunPlan,
  { id, registry }: { readonly id: string; readonly registry: Registry },
): Promise<{ readonly artifact: Artifact; readonly untilMs: number } | undefined> {
  const expected = from?.manifests[id];
  if (from === undefined || expected === undefined) return undefined;
  const run = await findRun(checkpointDir, from.run);
  const member = await loadMember(seedFolder(run.path, id, 1), { run, registry });
  member?.fitted.dispose?.();
  if (member?.manifestSha256 === expected)
    return { artifact: member.fitted.save(), untilMs: run.plan.trainUntilMs };
  throw new UserError(`The model "${id}" of the run "${from.run}" is not the one that this run began with.`, {
    hint: 'Put it back, or start a new run from what is there now: crypto-trader train --from <run>.',
  });
}

/** A model that had been trained before the run was resumed, as one that was trained now. */
async function keptMember(member: TrainedMember, panel: Panel, plan: RunPlan) {
  const forecasts = await member.fitted.forecast(panel, { sinceMs: plan.trainUntilMs });
  const unskilled = noSkill(member.model, panel, forecasts, validationSpan(plan));
  return { kind: 'trained' as const, member: { ...member, noSkill: unskilled }, forecasts };
}

/** The ensemble of the members' first seeds, of their second ones, and so on; a model without chance is in all of them. */
async function scoreEnsembles(
  trained: ReadonlyMap<string, readonly TrainedSeed[]>,
  panel: Panel,
  plan: RunPlan,
  journal: TrainingJournal,
  signal: AbortSignal,
): Promise<readonly ForecastScore[]> {
  const started = performance.now();
  const shown = validationPanel(panel, plan);
  const all = [...trained.values()];
  const count = Math.max(...all.map(({ length }) => length));
  const scores: ForecastScore[] = [];
  for (let k = 0; k < count; k++) {
    const voters = votersOf(all.map((seeds) => seeds[Math.min(k, seeds.length - 1)]));
    const combined = panel.series.map((_one, s) =>
      forecastEnsemble(voters.map(({ forecasts }) => forecasts[s])),
    );
    scores.push(await validationScore(shown, combined, plan, signal));
  }
  const seconds = (performance.now() - started) / 1000;
  const [metrics] = scores;
  journal.write({ kind: 'model-finished', model: 'ensemble', phase: 'ensemble', seconds, metrics });
  return scores;
}

/** Of everything that has more than one. */
function scoresBySeed(
  trained: ReadonlyMap<string, readonly TrainedSeed[]>,
  ensembles: readonly ForecastScore[],
): Record<string, ForecastScore[]> {
  const ofModels = [...trained].map(([id, seeds]) => ({ id, scores: seeds.map(({ metrics }) => metrics) }));
  const all = [...ofModels, { id: 'ensemble', scores: [...ensembles] }];
  return Object.fromEntries(
    all.filter(({ scores }) => scores.length > 1).map(({ id, scores }) => [id, scores]),
  );
}

/** What has to be beaten: the market itself, and the simplest forecast. */
async function baselineScores(
  panel: Panel,
  plan: RunPlan,
  signal: AbortSignal,
): Promise<Record<string, ForecastScore>> {
  const scores: Record<string, ForecastScore> = {};
  for (const model of [buyAndHold, persistence]) {
    await giveWay(signal);
    const fitted: FittedModel = await model.fit({
      panel,
      params: model.params.parse({}),
      trainUntilMs: plan.trainUntilMs,
      seed: plan.seed,
      signal,
      onProgress: () => {},
    });
    scores[model.id] = await validationScore(panel, await fitted.forecast(panel), plan, signal);
  }
  return scores;
}
