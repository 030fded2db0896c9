import { stat } from 'node:fs/promises';
import { readLines } from '../../data/journal/lines.ts';
import { TrainingRecord, trainingLogFile } from '../../learning/training/journal.ts';
import { NotFound } from './answers.ts';

/** How one model's training went; the columns are of equal length, `null`: not measured there. */
interface ModelCurve {
  readonly model: string;
  status: 'waiting' | 'running' | 'finished' | 'skipped' | 'stopped';
  readonly step: number[];
  readonly loss: (number | null)[];
  readonly validationLoss: (number | null)[];
  /** What an agent's trial on the validation bars returned, in percent. */
  readonly trialPct: (number | null)[];
  /** Of an agent's practice, as its environment pays it. */
  readonly meanReward: (number | null)[];
  steps: number | undefined;
  etaSeconds: number | undefined;
  samplesPerSecond: number | undefined;
  seconds: number | undefined;
  metrics: unknown;
  weightHash: string | undefined;
  noSkill: string | undefined;
  reason: string | undefined;
}

const MOST_POINTS = 600;

/** Reads the training log of a run. Throws `NotFound` when there is none. */
export async function readEntries(logDir: string, runId: string) {
  const file = trainingLogFile(logDir, runId);
  if ((await stat(file).catch(() => undefined))?.isFile() !== true)
    throw new NotFound(`There is no training log of the run "${runId}".`, {
      hint: 'GET /api/runs lists the runs.',
    });
  const models = new Map<string, ModelCurve>();
  const of = (model: string): ModelCurve => {
    const curve = models.get(model) ?? newCurve(model);
    models.set(model, curve);
    return curve;
  };
  let finished = false;
  await readLines(file, 0, (line) => {
    const parsed = TrainingRecord.safeParse(parsedJson(line));
    if (!parsed.success) return 'go-on';
    const record = parsed.data;
    if (record.kind === 'run-started') for (const model of record.models) of(model);
    if (record.kind === 'run-finished') finished = true;
    if (record.kind === 'run-stopped')
      for (const curve of models.values()) if (curve.status === 'running') curve.status = 'stopped';
    if ('model' in record) heed(of(record.model), record);
    return 'go-on';
  });
  return { runId, finished, models: [...models.values()].map(thinned) };
}

function heed(curve: ModelCurve, record: Extract<TrainingRecord, { model: string }>): void {
  switch (record.kind) {
    case 'model-started':
      curve.status = 'running';
      break;
    case 'progress':
      curve.status = 'running';
      curve.step.push(record.step);
      curve.loss.push(record.loss ?? null);
      curve.validationLoss.push(record.validationLoss ?? null);
      curve.trialPct.push(percentOf(record.figures?.['validationLogGrowth']));
      curve.meanReward.push(record.figures?.['meanReward'] ?? null);
      curve.steps = record.steps;
      curve.etaSeconds = record.etaSeconds;
      curve.samplesPerSecond = record.samplesPerSecond;
      break;
    case 'model-finished':
      curve.status = 'finished';
      curve.etaSeconds = undefined;
      curve.seconds = record.seconds;
      curve.metrics = record.metrics;
      curve.weightHash = record.weightHash;
      curve.noSkill = record.noSkill;
      break;
    case 'model-skipped':
      curve.status = 'skipped';
      curve.reason = record.reason;
      break;
    case 'projected':
    case 'snapshot':
      break;
  }
}

const percentOf = (logGrowth: number | undefined): number | null =>
  logGrowth === undefined ? null : 100 * Math.expm1(logGrowth);

const newCurve = (model: string): ModelCurve => ({
  model,
  status: 'waiting',
  step: [],
  loss: [],
  validationLoss: [],
  trialPct: [],
  meanReward: [],
  steps: undefined,
  etaSeconds: undefined,
  samplesPerSecond: undefined,
  seconds: undefined,
  metrics: undefined,
  weightHash: undefined,
  noSkill: undefined,
  reason: undefined,
});

/** Every so-and-so-many-th point; those where something was validated, and the last, always. */
function thinned(curve: ModelCurve): ModelCurve {
  const { step, loss, validationLoss, trialPct, meanReward } = curve;
  const every = Math.ceil(step.length / MOST_POINTS);
  const rows = step.flatMap((_, i) =>
    i % every === 0 || validationLoss[i] !== null || trialPct[i] !== null || i === step.length - 1 ? [i] : [],
  );
  const pick = <T>(column: readonly T[]): T[] => rows.map((i) => column[i]);
  return {
    ...curve,
    step: pick(step),
    loss: pick(loss),
    validationLoss: pick(validationLoss),
    trialPct: pick(trialPct),
    meanReward: pick(meanReward),
  };
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
