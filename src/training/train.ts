import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../data/lock.ts';
import type { DatasetManifest } from '../data/store/manifest.ts';
import type { Store } from '../data/store/store.ts';
import { panelUntil, type Panel, selectFeatures } from '../dataset/panel.ts';
import { ensembleMembers, forecastEnsemble } from '../ensemble/equal-weight.ts';
import { UserError } from '../foundation/errors.ts';
import { deriveSeed } from '../foundation/random.ts';
import { buyAndHold } from '../models/buy-and-hold/index.ts';
import type { FitProgress, FittedModel, Forecast, Model } from '../models/model.ts';
import { persistence } from '../models/persistence/index.ts';
import { findModel } from '../models/registry.ts';
import { openJournal, type TrainingEvent, type TrainingJournal } from './journal.ts';
import { loadPanel } from './load-panel.ts';
import {
  loadMember,
  type MemberManifest,
  saveMember,
  type TrainedMember,
  withFeatures,
} from './member-folder.ts';
import {
  createRunFolder,
  PLAN_FILE,
  RESULT_FILE,
  type RunFolder,
  type RunPlan,
  type RunResult,
  writeJson,
} from './run-folder.ts';
import { type Projection, projectTraining } from './project.ts';
import { type ForecastScore, scoreForecasts } from './score.ts';
import { findSnapshot, type SnapshotHabits, snapshotFolder, snapshotKeeper } from './snapshots.ts';

export interface TrainingSurroundings {
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
  /** Ids of the members that had been trained before this run was resumed. */
  readonly kept: readonly string[];
  /** How long the networks of a full run were expected to take. */
  readonly projections: readonly Projection[];
  readonly datasets: readonly DatasetManifest[];
}

/** Starts a run: its plan is durable before the first model is trained. */
export async function startRun(plan: RunPlan, { checkpointDir }: TrainingSurroundings): Promise<RunFolder> {
  const run = await createRunFolder(checkpointDir, plan);
  await writeJson(join(run.path, PLAN_FILE), plan);
  return run;
}

/**
 * Trains what a run still lacks, model by model. Each finished model is durable; the one in work goes on from its
 * newest snapshot, or from `snapshot`, the folder of one of them. A resumed run ends with the same weights as one
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

async function trainMissing(
  run: RunFolder,
  { store, signal, snapshots }: TrainingSurroundings,
  journal: TrainingJournal,
  snapshot: { readonly member: string; readonly folder: string } | undefined,
): Promise<FinishedRun> {
  const { plan } = run;
  const entries = plan.models.map((entry) => ({ ...entry, model: findModel(entry.id) }));
  const { panel, datasets } = await planPanel(store, plan, entries);
  const baselines = await baselineScores(panel, plan, signal);

  const projections = await projectAll(run, entries, panel, { signal, journal });

  const members: TrainedMember[] = [];
  const forecasts = new Map<string, readonly Forecast[]>();
  const kept: string[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const { id, model, params, required } of entries) {
    signal.throwIfAborted();
    const folder = join(run.path, id);
    const found = await loadMember(folder);
    if (found !== undefined) {
      kept.push(id);
      members.push(found);
      forecasts.set(id, await found.fitted.forecast(panel, { sinceMs: plan.trainUntilMs }));
      continue;
    }
    try {
      const trained = await trainMember(model, params, {
        plan,
        panel,
        baselines,
        folder,
        signal,
        journal,
        snapshots: {
          habits: snapshots,
          folder: snapshotFolder(run.path, id),
          chosen: snapshot?.member === id ? snapshot.folder : undefined,
        },
      });
      members.push(trained.member);
      forecasts.set(id, trained.forecasts);
    } catch (error) {
      if (required || !(error instanceof UserError)) throw error;
      skipped.push({ id, reason: error.message });
      journal.write({ kind: 'model-skipped', model: id, phase: model.kind, reason: error.message });
    }
  }
  if (members.length === 0) {
    throw new UserError('No model could be trained on these candles.', {
      hint: skipped.map(({ id, reason }) => `${id}: ${reason}`).join('\n'),
    });
  }
  signal.throwIfAborted();
  const ensemble = scoreEnsemble(members, forecasts, panel, plan, journal);
  const result: RunResult = {
    version: 1,
    completedAt: new Date().toISOString(),
    models: members.map(({ id }) => id),
    skipped,
    ensemble,
    baselines,
  };
  await writeJson(join(run.path, RESULT_FILE), result);
  return { runId: run.runId, path: run.path, plan, result, members, kept, projections, datasets };
}

/** The candles of the plan up to the end of validation: nothing that trains or chooses sees the test bars. */
async function planPanel(
  store: Store,
  plan: RunPlan,
  entries: readonly { readonly model: Model; readonly params: unknown }[],
): Promise<{ readonly panel: Panel; readonly datasets: readonly DatasetManifest[] }> {
  const featureNames = [...new Set(entries.flatMap(({ model, params }) => model.features(params)))];
  const loaded = await loadPanel(store, { ...plan, featureNames });
  if (loaded.fingerprint !== plan.dataFingerprint) {
    throw new UserError(
      'The stored candles, or other inputs of its features, are not those that this run was started with.',
      {
        hint: 'Start a new run with `crypto-trader train --mode quick` (or full).',
      },
    );
  }
  return { panel: panelUntil(loaded, plan.validateUntilMs), datasets: loaded.manifests };
}

/** The networks that a full run has yet to start, measured before hours go into them. */
async function projectAll(
  { plan, path }: RunFolder,
  entries: readonly { readonly id: string; readonly model: Model; readonly params: unknown }[],
  panel: Panel,
  { signal, journal }: Pick<MemberTask, 'signal' | 'journal'>,
): Promise<readonly Projection[]> {
  if (plan.mode !== 'full') return [];
  const projections: Projection[] = [];
  for (const { id, model, params } of entries) {
    if (model.kind !== 'deep' || existsSync(join(path, id)) || existsSync(snapshotFolder(path, id))) continue;
    const projection = await projectTraining(model, {
      panel: selectFeatures(panel, [...model.features(params)]),
      params,
      trainUntilMs: plan.trainUntilMs,
      seed: plan.seed,
      signal,
    });
    if (projection === undefined) continue;
    projections.push(projection);
    const { steps, seconds, samplesPerSecond } = projection;
    const pace = samplesPerSecond === undefined ? {} : { samplesPerSecond };
    journal.write({ kind: 'projected', model: id, phase: model.kind, steps, seconds, ...pace });
  }
  return projections;
}

interface MemberTask {
  readonly plan: RunPlan;
  readonly panel: Panel;
  readonly baselines: MemberManifest['baselines'];
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly journal: TrainingJournal;
  readonly snapshots: {
    readonly habits: SnapshotHabits;
    readonly folder: string;
    /** One of the folder to go on from; the newest otherwise. */
    readonly chosen: string | undefined;
  };
}

async function trainMember(
  model: Model,
  params: unknown,
  { plan, panel, baselines, folder, signal, journal, snapshots }: MemberTask,
): Promise<{ readonly member: TrainedMember; readonly forecasts: readonly Forecast[] }> {
  const of = { model: model.id, phase: model.kind };
  const seed = deriveSeed(plan.seed, model.id);
  const features = [...model.features(params)];
  const { dataFingerprint, trainUntilMs } = plan;
  const task = { model: model.id, params, seed, features, dataFingerprint, trainUntilMs };
  const from = await findSnapshot(snapshots.folder, task, snapshots.chosen);
  const started = performance.now();
  let last: FitProgress = { step: 0, steps: 0 };
  journal.write({ kind: 'model-started', ...of, ...(from && { fromStep: from.step }) });
  const fitted = await model.fit({
    panel: selectFeatures(panel, features),
    params,
    trainUntilMs: plan.trainUntilMs,
    seed,
    signal,
    snapshots: snapshotKeeper(snapshots.folder, task, {
      habits: snapshots.habits,
      from,
      onKept: (kept) => journal.write({ kind: 'snapshot', ...of, ...kept }),
    }),
    onProgress(progress) {
      last = progress;
      const secondsSoFar = (performance.now() - started) / 1000;
      const pace = secondsSoFar / (progress.step - (from?.step ?? 0));
      const etaSeconds = pace * (progress.steps - progress.step);
      journal.write({
        kind: 'progress',
        ...of,
        ...progress,
        ...(Number.isFinite(etaSeconds) && { etaSeconds }),
      });
    },
  });
  signal.throwIfAborted();
  const seconds = (from?.seconds ?? 0) + (performance.now() - started) / 1000;
  const picking = withFeatures(fitted, features);
  const forecasts = await picking.forecast(panel, { sinceMs: plan.trainUntilMs });
  const metrics = validationScore(panel, forecasts, plan);
  const manifest = await saveMember(folder, fitted.save(), {
    model: model.id,
    params,
    seed,
    features,
    ...(fitted.absent && { absent: [...fitted.absent] }),
    exchange: plan.exchange,
    symbols: plan.symbols,
    timeframe: plan.timeframe,
    synthetic: plan.synthetic,
    dataFingerprint: plan.dataFingerprint,
    trainUntilMs: plan.trainUntilMs,
    validateUntilMs: plan.validateUntilMs,
    trainedAt: new Date().toISOString(),
    seconds,
    steps: last.step,
    ...(last.epoch !== undefined && { epochs: last.epoch }),
    ...(last.samplesPerSecond !== undefined && { samplesPerSecond: last.samplesPerSecond }),
    metrics,
    baselines,
    versions: { 'crypto-trader': programVersion(), node: process.version },
  });
  await rm(snapshots.folder, { recursive: true, force: true });
  const { weightHash, absent } = manifest;
  journal.write({
    kind: 'model-finished',
    ...of,
    seconds,
    metrics,
    weightHash,
    ...(absent && { absent }),
  });
  return { member: { id: model.id, model, fitted: picking, manifest, folder }, forecasts };
}

function scoreEnsemble(
  members: readonly TrainedMember[],
  forecasts: ReadonlyMap<string, readonly Forecast[]>,
  panel: Panel,
  plan: RunPlan,
  journal: TrainingJournal,
): RunResult['ensemble'] {
  const started = performance.now();
  const chosen = ensembleMembers(members);
  const combined = panel.series.map((_, s) =>
    forecastEnsemble(chosen.flatMap(({ id }) => forecasts.get(id)?.[s] ?? [])),
  );
  const metrics = validationScore(panel, combined, plan);
  const seconds = (performance.now() - started) / 1000;
  journal.write({ kind: 'model-finished', model: 'ensemble', phase: 'ensemble', seconds, metrics });
  return { members: chosen.map(({ id }) => id), metrics };
}

/** What has to be beaten: the market itself, and the simplest forecast. */
async function baselineScores(
  panel: Panel,
  plan: RunPlan,
  signal: AbortSignal,
): Promise<Record<string, ForecastScore>> {
  const scores: Record<string, ForecastScore> = {};
  for (const model of [buyAndHold, persistence]) {
    const fitted: FittedModel = await model.fit({
      panel,
      params: model.params.parse({}),
      trainUntilMs: plan.trainUntilMs,
      seed: plan.seed,
      signal,
      onProgress: () => {},
    });
    scores[model.id] = validationScore(panel, await fitted.forecast(panel), plan);
  }
  return scores;
}

const validationScore = (panel: Panel, forecasts: readonly Forecast[], plan: RunPlan): ForecastScore =>
  scoreForecasts(
    panel,
    forecasts,
    { fromMs: plan.trainUntilMs, untilMs: plan.validateUntilMs },
    { feeBps: plan.feeBps, slippageBps: plan.slippageBps },
  );

function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
