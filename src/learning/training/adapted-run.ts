import { join } from 'node:path';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Adapted } from '../../core/forecast/model.ts';
import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import { programVersion } from '../../data/program-version.ts';
import { forecastEnsemble } from '../ensemble/equal-weight.ts';
import { votersOf } from '../ensemble/voters.ts';
import { buyAndHold } from '../models/buy-and-hold/index.ts';
import { persistence } from '../models/persistence/index.ts';
import { noSkill } from '../validation/no-skill.ts';
import type { TrainedSet } from './checkpoints.ts';
import { saveMember, withFeatures } from './member-folder.ts';
import {
  createRunFolder,
  PLAN_FILE,
  RESULT_FILE,
  type RunFolder,
  type RunPlan,
  type RunResult,
} from './run-folder.ts';
import { writeSealed } from './sealed-json.ts';
import { seedFolder } from './seeds.ts';
import { validationScore, validationSpan } from './train-member.ts';

/**
 * Keeps models that were adapted as a run of its own, beside the run that they come from: those of `adapted` by their ids, the
 * others as they are. Its validation bars are those that the adapted models were judged on, and it counts everything up to
 * the newest bar as seen. Complete when this resolves; a crash before leaves a run that is not.
 */
export async function saveAdaptedRun(
  base: RunFolder,
  trained: TrainedSet,
  adapted: ReadonlyMap<string, Adapted>,
  to: {
    readonly checkpointDir: string;
    readonly name: string;
    readonly panel: LoadedPanel;
    readonly signal: AbortSignal;
  },
): Promise<Pick<RunFolder, 'runId' | 'path'> & { readonly result: RunResult }> {
  const { panel, signal } = to;
  const judgedFrom = Math.max(...[...adapted.values()].map(({ queryFromMs }) => queryFromMs));
  const members = trained.members.filter(({ id }) => base.result?.models.includes(id));
  const plan: RunPlan = {
    ...base.plan,
    createdAt: new Date().toISOString(),
    seeds: 1,
    untilMs: panel.untilMs,
    trainUntilMs: judgedFrom,
    validateUntilMs: panel.untilMs,
    dataFingerprint: panel.fingerprint,
    models: base.plan.models.filter((entry) => members.some(({ id }) => id === entry.id)),
    from: {
      run: base.runId,
      manifests: Object.fromEntries(members.map(({ id, manifestSha256 }) => [id, manifestSha256])),
    },
  };
  const run = await createRunFolder(to.checkpointDir, plan, to.name);
  const planSha256 = await writeSealed(join(run.path, PLAN_FILE), plan);
  const baselines = await baselineScores(panel, plan, signal);
  const manifests: Record<string, string> = {};
  const unskilled: Record<string, string> = {};
  const candidates = [];
  for (const { id, model, fitted, manifest } of members) {
    signal.throwIfAborted();
    const own = adapted.get(id);
    const picking = own ? withFeatures(own.fitted, manifest.features) : fitted;
    const forecasts = await picking.forecast(panel, { sinceMs: plan.trainUntilMs });
    const why = noSkill(model, panel, forecasts, validationSpan(plan));
    if (why !== undefined) unskilled[id] = why;
    const metrics = await validationScore(panel, forecasts, plan, signal);
    const { files: _files, weightHash: _hash, version: _version, ...about } = manifest;
    const saved = await saveMember(seedFolder(run.path, id, 1), picking.save(), {
      ...about,
      planSha256,
      dataFingerprint: plan.dataFingerprint,
      trainUntilMs: plan.trainUntilMs,
      validateUntilMs: plan.validateUntilMs,
      trainedAt: plan.createdAt,
      metrics,
      baselines,
      versions: { 'crypto-trader': programVersion(), node: process.version },
    });
    manifests[id] = saved.manifestSha256;
    candidates.push({ id, model, noSkill: why, forecasts });
  }
  const voters = votersOf(candidates);
  const combined = panel.series.map((_, s) => forecastEnsemble(voters.map(({ forecasts }) => forecasts[s])));
  const result: RunResult = {
    version: 2,
    completedAt: new Date().toISOString(),
    planSha256,
    models: members.map(({ id }) => id),
    manifests,
    skipped: [],
    ensemble: {
      members: voters.map(({ id }) => id),
      metrics: await validationScore(panel, combined, plan, signal),
    },
    baselines,
    ...(Object.keys(unskilled).length > 0 && { noSkill: unskilled }),
  };
  await writeSealed(join(run.path, RESULT_FILE), result);
  return { ...run, result };
}

async function baselineScores(
  panel: Panel,
  plan: RunPlan,
  signal: AbortSignal,
): Promise<RunResult['baselines']> {
  const scores: RunResult['baselines'] = {};
  for (const model of [buyAndHold, persistence]) {
    const { trainUntilMs, seed } = plan;
    const fitted = await model.fit({
      panel,
      params: model.params.parse({}),
      trainUntilMs,
      seed,
      signal,
      onProgress: () => {},
    });
    scores[model.id] = await validationScore(panel, await fitted.forecast(panel), plan, signal);
  }
  return scores;
}
