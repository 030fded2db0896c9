import { join } from 'node:path';
import { TrainingRecord } from '../../learning/training/journal.ts';
import { createHistory, type History } from './history.ts';
import { parseJson } from './parse-json.ts';
import { createTail } from './tail.ts';
import type { ModelTraining, TrainingView } from './view.ts';

/** Follows the newest training run; keeps where each of its models stands. */
export function watchTraining(logDir: string): {
  poll(): Promise<boolean>;
  view(): TrainingView | undefined;
} {
  let runId: string | undefined;
  let changed = false;
  const models = new Map<string, Following>();
  const tail = createTail(join(logDir, 'training'), {
    matches: (name) => name.endsWith('.jsonl'),
    onReset: () => {
      models.clear();
      changed = true;
    },
    onLine: (line) => {
      const parsed = TrainingRecord.safeParse(parseJson(line));
      if (!parsed.success) return;
      changed = true;
      runId = parsed.data.runId;
      heed(models, parsed.data);
    },
  });
  return {
    poll: async () => {
      changed = false;
      await tail.poll();
      return changed;
    },
    view: () => (runId === undefined ? undefined : viewOf(runId, models)),
  };
}

interface Following {
  readonly at: ModelTraining;
  readonly loss: History;
  readonly validation: History;
}

const CURVE_POINTS = 240;

const follow = (model: string): Following => ({
  at: { model, status: 'waiting' },
  loss: createHistory(CURVE_POINTS),
  validation: createHistory(CURVE_POINTS),
});

function viewOf(runId: string, models: ReadonlyMap<string, Following>): TrainingView {
  const all = [...models.values()].map(({ at, loss, validation }) => ({
    ...at,
    lossCurve: loss.points(),
    validationCurve: validation.points(),
  }));
  return { runId, etaSeconds: etaOf(all), models: all };
}

/** What runs at its pace, and what waits as it was projected; nothing where one of them is not known. */
function etaOf(models: readonly ModelTraining[]): number | undefined {
  const open = models.filter(({ status }) => status === 'running' || status === 'waiting');
  if (open.length === 0) return undefined;
  const parts = open.map(({ etaSeconds, projectedSeconds }) => etaSeconds ?? projectedSeconds ?? NaN);
  const sum = parts.reduce((total, part) => total + part, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

function heed(models: Map<string, Following>, record: TrainingRecord): void {
  const update = (model: string, change: Partial<ModelTraining>): Following => {
    const before = models.get(model) ?? follow(model);
    const after = { ...before, at: { ...before.at, ...change, time: record.time } };
    models.set(model, after);
    return after;
  };
  switch (record.kind) {
    case 'run-started':
      for (const model of record.models)
        if (models.get(model)?.at.status !== 'finished') update(model, WAITING);
      break;
    case 'projected':
      update(record.model, { phase: record.phase, projectedSeconds: record.seconds });
      break;
    case 'model-started':
      if (record.fromStep === undefined) models.set(record.model, follow(record.model));
      update(record.model, { ...WAITING, phase: record.phase, status: 'running' });
      break;
    case 'progress': {
      const { model, phase, step, steps, epoch, loss, validationLoss, samplesPerSecond, figures } = record;
      const { loss: losses, validation } = update(model, {
        status: 'running',
        phase,
        step,
        steps,
        epoch,
        loss,
        validationLoss: validationLoss ?? models.get(model)?.at.validationLoss,
        trialPct: percentOf(figures?.['validationLogGrowth']),
        bestTrialPct: percentOf(figures?.['bestValidationLogGrowth']),
        samplesPerSecond,
        etaSeconds: record.etaSeconds,
      });
      if (loss !== undefined) losses.add(loss);
      if (validationLoss !== undefined) validation.add(validationLoss);
      break;
    }
    case 'model-finished':
      update(record.model, {
        status: 'finished',
        phase: record.phase,
        etaSeconds: undefined,
        seconds: record.seconds,
        hitPct: record.metrics.directionalAccuracyPct,
        noSkill: record.noSkill,
      });
      break;
    case 'model-skipped':
      update(record.model, { status: 'skipped', reason: record.reason });
      break;
    case 'run-stopped':
      for (const [model, { at }] of models) if (at.status === 'running') update(model, { status: 'stopped' });
      break;
    case 'snapshot':
    case 'run-finished':
      break;
  }
}

const percentOf = (logGrowth: number | undefined): number | undefined =>
  logGrowth === undefined ? undefined : 100 * Math.expm1(logGrowth);

const WAITING = { status: 'waiting', step: undefined, steps: undefined, etaSeconds: undefined } as const;
