import { rm } from 'node:fs/promises';
import { type Panel, selectFeatures } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { programVersion } from '../../data/program-version.ts';
import { giveWay, inTurns } from '../../data/turns.ts';
import type { Artifact, FitProgress, FittedModel, Forecast, Model } from '../../core/forecast/model.ts';
import { arithmeticInUse } from '../engine/devices.ts';
import type { TrainingJournal } from './journal.ts';
import { type MemberManifest, saveMember, type TrainedMember, withFeatures } from './member-folder.ts';
import type { RunFolder, RunPlan } from './run-folder.ts';
import { noSkill } from '../validation/no-skill.ts';
import { type ForecastScore, scoreSteps } from '../validation/score.ts';
import { seedFolder, seedName } from './seeds.ts';
import { findSnapshot, type SnapshotHabits, snapshotFolder, snapshotKeeper } from './snapshots.ts';

export interface MemberTask {
  readonly run: RunFolder;
  readonly model: Model;
  readonly params: unknown;
  /** From 1: see seeds.ts. */
  readonly seedNumber: number;
  /** Up to the end of validation. */
  readonly panel: Panel;
  readonly baselines: MemberManifest['baselines'];
  readonly signal: AbortSignal;
  readonly journal: TrainingJournal;
  readonly habits: SnapshotHabits;
  /** Of another machine: weights may have other bits than on this one. */
  readonly processor?: string;
  /** What the model learned in an earlier run, to go on from. */
  readonly warm?: { readonly artifact: Artifact; readonly untilMs: number } | undefined;
  /** A snapshot of this run to go on from, where it is this member's; the newest otherwise. */
  readonly snapshot: { readonly member: string; readonly folder: string } | undefined;
}

export type TrainedOrNot =
  | { readonly kind: 'trained'; readonly member: TrainedMember; readonly forecasts: readonly Forecast[] }
  /** The model cannot learn from these candles; the others can. */
  | { readonly kind: 'unfit'; readonly reason: string };

/**
 * Trains one model of a run from one seed, keeps snapshots on the way and the result at the end. Throws what is wrong
 * with the run itself: a damaged snapshot, a full disk, `signal.reason`.
 */
export async function trainMember(task: MemberTask): Promise<TrainedOrNot> {
  const { run, model, params, seedNumber, panel, baselines, signal, journal, habits, snapshot } = task;
  const { plan } = run;
  const name = seedName(model.id, seedNumber);
  const of = { model: name, phase: model.kind };
  const seed = deriveSeed(plan.seed, name);
  const features = [...model.features(params)];
  const { dataFingerprint, trainUntilMs } = plan;
  const snapshots = snapshotFolder(run.path, name);
  const identity = { model: model.id, params, seed, features, dataFingerprint, trainUntilMs };
  const device = model.kind === 'deep' ? await arithmeticInUse() : 'cpu';
  const chosen = snapshot?.member === name ? snapshot.folder : undefined;
  const from = await findSnapshot(snapshots, identity, { chosen, device });
  const started = performance.now();
  let last: FitProgress = { step: 0, steps: 0 };
  // What comes before the first report, opening a session above all, is paid once.
  let first: { readonly step: number; readonly ms: number } | undefined;
  journal.write({ kind: 'model-started', ...of, ...(from && { fromStep: from.step }) });
  const keeper = snapshotKeeper(snapshots, identity, {
    habits,
    device,
    from,
    onKept: (kept) => journal.write({ kind: 'snapshot', ...of, ...kept }),
  });
  let diskError: unknown;
  const keep: typeof keeper.keep = (...kept) =>
    keeper.keep(...kept).catch((error: unknown) => {
      diskError = error;
      throw error;
    });
  const fit = (): Promise<FittedModel> =>
    model.fit({
      panel: selectFeatures(panel, features),
      params,
      trainUntilMs,
      seed,
      signal,
      ...(task.warm && { warm: task.warm.artifact, warmUntilMs: task.warm.untilMs }),
      snapshots: { ...keeper, keep },
      onProgress(progress) {
        last = progress;
        const ms = performance.now();
        first ??= { step: progress.step, ms };
        const secondsAStep = (ms - first.ms) / 1000 / (progress.step - first.step);
        const etaSeconds = secondsAStep * (progress.steps - progress.step);
        journal.write({
          kind: 'progress',
          ...of,
          ...progress,
          ...(Number.isFinite(etaSeconds) && { etaSeconds }),
        });
      },
    });
  let fitted: FittedModel;
  try {
    fitted = await fit();
  } catch (error) {
    if (!(error instanceof UserError) || error === diskError || signal.aborted) throw error;
    return { kind: 'unfit', reason: error.message };
  }
  await giveWay(signal);
  const seconds = (from?.seconds ?? 0) + (performance.now() - started) / 1000;
  const picking = withFeatures(fitted, features);
  const forecasts = await picking.forecast(panel, { sinceMs: trainUntilMs });
  await giveWay(signal);
  const metrics = await validationScore(panel, forecasts, plan, signal);
  const unskilled = noSkill(model, panel, forecasts, validationSpan(plan));
  const folder = seedFolder(run.path, model.id, seedNumber);
  const { manifest, manifestSha256 } = await saveMember(folder, fitted.save(), {
    planSha256: run.planSha256,
    model: model.id,
    params,
    seed,
    features,
    ...(fitted.absent && { absent: [...fitted.absent] }),
    exchange: plan.exchange,
    symbols: plan.symbols,
    timeframe: plan.timeframe,
    synthetic: plan.synthetic,
    dataFingerprint,
    trainUntilMs,
    validateUntilMs: plan.validateUntilMs,
    trainedAt: new Date().toISOString(),
    seconds,
    steps: last.step,
    ...(last.epoch !== undefined && { epochs: last.epoch }),
    ...(last.samplesPerSecond !== undefined && { samplesPerSecond: last.samplesPerSecond }),
    metrics,
    baselines,
    versions: {
      'crypto-trader': programVersion(),
      node: process.version,
      ...(device !== 'cpu' && { device }),
      ...(task.processor !== undefined && { processor: task.processor }),
    },
  });
  await rm(snapshots, { recursive: true, force: true });
  const { weightHash, absent } = manifest;
  journal.write({
    kind: 'model-finished',
    ...of,
    seconds,
    metrics,
    weightHash,
    ...(absent && { absent }),
    ...(unskilled !== undefined && { noSkill: unskilled }),
  });
  return {
    kind: 'trained',
    member: { id: model.id, model, fitted: picking, manifest, manifestSha256, folder, noSkill: unskilled },
    forecasts,
  };
}

/** How good forecasts were on the validation bars of a run. */
export const validationScore = (
  panel: Panel,
  forecasts: readonly Forecast[],
  plan: RunPlan,
  signal: AbortSignal,
): Promise<ForecastScore> => {
  const { feeBps, slippageBps } = plan;
  return inTurns(scoreSteps(panel, forecasts, validationSpan(plan), { feeBps, slippageBps }), signal);
};

export const validationSpan = ({ trainUntilMs, validateUntilMs }: RunPlan): Span => ({
  fromMs: trainUntilMs,
  untilMs: validateUntilMs,
});
