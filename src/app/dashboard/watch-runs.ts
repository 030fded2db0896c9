import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import { readJson } from '../../data/files.ts';
import { activeRunId } from '../../learning/training/active-run.ts';
import { type RunFolder, surveyRuns } from '../../learning/training/run-folder.ts';
import { ForecastScore } from '../../learning/validation/score.ts';
import type { ModelView, RunView, ScoreView } from './view.ts';

/** Of the manifest of a trained model; whoever loads the model checks all of it. */
const Glance = z.object({
  trainedAt: z.string(),
  seconds: z.number(),
  weightHash: z.string(),
  metrics: ForecastScore,
});

/** Training runs, the newest first. A complete run does not change, and is read once. */
export function watchRuns(checkpointDir: string): { look(): Promise<readonly RunView[]> } {
  const models = new Map<string, readonly ModelView[]>();
  let seen = '';
  let runs: readonly RunView[] = [];
  return {
    look: async () => {
      const now = await fingerprint(checkpointDir);
      if (now === seen) return runs;
      const [survey, active] = await Promise.all([surveyRuns(checkpointDir), activeRunId(checkpointDir)]);
      const whole: RunView[] = [];
      for (const run of survey.runs) {
        const known = models.get(run.runId) ?? (await modelsOf(run));
        if (run.result !== undefined) models.set(run.runId, known);
        whole.push(runView(run, known, active));
      }
      runs = [...whole.toReversed(), ...survey.damaged.map(damagedView)];
      seen = now;
      return runs;
    },
  };
}

/** Changes when a run begins, a model of it is finished, it is completed, or another run becomes the active one. */
async function fingerprint(checkpointDir: string): Promise<string> {
  const names = await readdir(checkpointDir).catch(() => []);
  const times = await Promise.all(
    ['.', ...names].map(
      async (name) => (await stat(join(checkpointDir, name)).catch(() => undefined))?.mtimeMs,
    ),
  );
  return [...names, ...times].join(' ');
}

async function modelsOf({ path, plan, result }: RunFolder): Promise<readonly ModelView[]> {
  const found = await Promise.all(
    plan.models.map(async ({ id }): Promise<readonly ModelView[]> => {
      // One that is damaged is named by whatever loads it.
      const manifest = await readJson(join(path, id, 'manifest.json'), Glance, '').catch(() => undefined);
      if (manifest === undefined) return [];
      const { metrics, ...about } = manifest;
      return [{ model: id, ...about, noSkill: result?.noSkill?.[id], ...scoreView(metrics) }];
    }),
  );
  return found.flat();
}

const scoreView = (score: ForecastScore): ScoreView => ({
  horizonBars: score.horizonBars,
  samples: score.samples,
  hitPct: score.directionalAccuracyPct,
  hitIntervalPct: score.directionalAccuracyIntervalPct,
  informationCoefficient: score.informationCoefficient,
  netReturnPct: score.netReturnPct,
});

const runView = (
  { runId, plan, result }: RunFolder,
  models: readonly ModelView[],
  active: string | undefined,
): RunView => ({
  runId,
  active: runId === active,
  complete: result !== undefined,
  createdAt: plan.createdAt,
  mode: plan.mode,
  seed: plan.seed,
  exchange: plan.exchange,
  symbols: plan.symbols,
  timeframe: plan.timeframe,
  synthetic: plan.synthetic,
  trainUntil: formatTime(plan.trainUntilMs),
  validateUntil: formatTime(plan.validateUntilMs),
  ensemble: result && scoreView(result.ensemble.metrics),
  models,
  damaged: undefined,
});

/** Named, so that it is not missed; nothing else of it is known. */
const damagedView = ({ runId, reason }: { readonly runId: string; readonly reason: string }): RunView => ({
  runId,
  active: false,
  complete: false,
  createdAt: '',
  mode: '',
  seed: 0,
  exchange: '',
  symbols: [],
  timeframe: '1h',
  synthetic: false,
  trainUntil: '',
  validateUntil: '',
  ensemble: undefined,
  models: [],
  damaged: reason,
});
