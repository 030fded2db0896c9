import { join } from 'node:path';
import { TrainingRecord } from '../../learning/training/journal.ts';
import { parseJson } from './parse-json.ts';
import { createTail } from './tail.ts';
import type { ModelTraining, TrainingView } from './view.ts';

/** Follows the newest training run; keeps where each of its models stands. */
export function watchTraining(logDir: string): { poll(): Promise<void>; view(): TrainingView | undefined } {
  let runId: string | undefined;
  const models = new Map<string, ModelTraining>();
  const tail = createTail(join(logDir, 'training'), {
    matches: (name) => name.endsWith('.jsonl'),
    onReset: () => {
      models.clear();
    },
    onLine: (line) => {
      const parsed = TrainingRecord.safeParse(parseJson(line));
      if (!parsed.success) return;
      runId = parsed.data.runId;
      heed(models, parsed.data);
    },
  });
  return {
    poll: () => tail.poll(),
    view: () => (runId === undefined ? undefined : { runId, models: [...models.values()] }),
  };
}

function heed(models: Map<string, ModelTraining>, record: TrainingRecord): void {
  const update = (model: string, change: Partial<ModelTraining>): void => {
    models.set(model, {
      ...(models.get(model) ?? { model, status: 'waiting' }),
      ...change,
      time: record.time,
    });
  };
  switch (record.kind) {
    case 'run-started':
      for (const model of record.models) if (models.get(model)?.status !== 'finished') update(model, WAITING);
      break;
    case 'model-started':
      update(record.model, { ...WAITING, status: 'running' });
      break;
    case 'progress': {
      const { model, step, steps, loss, validationLoss, samplesPerSecond, etaSeconds, figures } = record;
      update(model, {
        status: 'running',
        step,
        steps,
        loss,
        validationLoss,
        trialPct: percentOf(figures?.['validationLogGrowth']),
        bestTrialPct: percentOf(figures?.['bestValidationLogGrowth']),
        samplesPerSecond,
        etaSeconds,
      });
      break;
    }
    case 'model-finished':
      update(record.model, {
        status: 'finished',
        etaSeconds: undefined,
        seconds: record.seconds,
        noSkill: record.noSkill,
      });
      break;
    case 'model-skipped':
      update(record.model, { status: 'skipped', reason: record.reason });
      break;
    case 'run-stopped':
      for (const [model, { status }] of models)
        if (status === 'running') update(model, { status: 'stopped' });
      break;
    case 'projected':
    case 'snapshot':
    case 'run-finished':
      break;
  }
}

const percentOf = (logGrowth: number | undefined): number | undefined =>
  logGrowth === undefined ? undefined : 100 * Math.expm1(logGrowth);

const WAITING = { status: 'waiting', step: undefined, steps: undefined, etaSeconds: undefined } as const;
