import { join } from 'node:path';
import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import { appendWhole, makeFolder } from '../../data/files.ts';
import { ForecastScore } from '../validation/score.ts';
import { type EventFile, openEventFile } from './tensorboard.ts';

const common = {
  /** When the line was written. */
  time: z.iso.datetime(),
  runId: z.string(),
};
const ofModel = { ...common, model: z.string(), phase: z.string() };

export const AbsentInputs = z.array(z.strictObject({ name: z.string(), reason: z.string() }));

/**
 * One line of `<logDir>/training/<runId>.jsonl`, in the order in which things happened. A resumed run appends
 * to the same file. `phase` is the model's kind, or `ensemble`.
 */
export const TrainingRecord = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run-started'), ...common, mode: z.string(), models: z.array(z.string()) }),
  /** Before a full training: how long a model would take at the pace of its first steps, early stopping aside. */
  z.object({
    kind: z.literal('projected'),
    ...ofModel,
    steps: z.number(),
    samplesPerSecond: z.number().optional(),
    seconds: z.number(),
  }),
  /** `fromStep`: a snapshot that training goes on from. */
  z.object({ kind: z.literal('model-started'), ...ofModel, fromStep: z.number().optional() }),
  z.object({
    kind: z.literal('progress'),
    ...ofModel,
    step: z.number(),
    steps: z.number(),
    epoch: z.number().optional(),
    loss: z.number().optional(),
    validationLoss: z.number().optional(),
    learningRate: z.number().optional(),
    samplesPerSecond: z.number().optional(),
    figures: z.record(z.string(), z.number()).optional(),
    /** Of this model, at the pace so far. */
    etaSeconds: z.number().optional(),
  }),
  /** The state of a model in training is durable. */
  z.object({
    kind: z.literal('snapshot'),
    ...ofModel,
    step: z.number(),
    epoch: z.number().optional(),
    folder: z.string(),
  }),
  z.object({
    kind: z.literal('model-finished'),
    ...ofModel,
    seconds: z.number(),
    metrics: ForecastScore,
    weightHash: z.string().optional(),
    /** Inputs that the model is made for and was trained without. */
    absent: AbsentInputs.optional(),
    /** Why it does not vote. */
    noSkill: z.string().optional(),
  }),
  z.object({ kind: z.literal('model-skipped'), ...ofModel, reason: z.string() }),
  z.object({ kind: z.literal('run-stopped'), ...common, reason: z.string() }),
  z.object({ kind: z.literal('run-finished'), ...common }),
]);
export type TrainingRecord = z.output<typeof TrainingRecord>;

type WithoutStamp<T> = T extends unknown ? Omit<T, 'time' | 'runId'> : never;
export type TrainingEvent = WithoutStamp<TrainingRecord>;

export interface TrainingJournal {
  write(event: TrainingEvent): void;
}

export const trainingLogFile = (logDir: string, runId: string): string =>
  join(logDir, 'training', `${runId}.jsonl`);

/** Progress of one model is kept at most this often: a fast model takes thousands of steps a second. */
const PROGRESS_EVERY_MS = 200;

/** Appends to the run's log and to TensorBoard's files, `<logDir>/training/<runId>/<model>`, and tells `onEvent`. */
export function openJournal(
  logDir: string,
  runId: string,
  onEvent: (event: TrainingEvent) => void,
): TrainingJournal {
  const file = trainingLogFile(logDir, runId);
  makeFolder(join(logDir, 'training'));
  let progressAt = 0;
  const curves = new Map<string, EventFile>();
  const draw = (event: Extract<TrainingEvent, { kind: 'progress' }>): void => {
    const curve = curves.get(event.model) ?? openEventFile(join(logDir, 'training', runId, event.model));
    curves.set(event.model, curve);
    const { epoch, loss, validationLoss, learningRate, samplesPerSecond, figures } = event;
    const all = { epoch, loss, validationLoss, learningRate, samplesPerSecond, ...figures };
    curve.write(
      event.step,
      Object.fromEntries(
        Object.entries(all).flatMap(([tag, value]) => (value === undefined ? [] : [[tag, value]])),
      ),
    );
  };
  return {
    write(event) {
      const now = Date.now();
      if (event.kind === 'progress') {
        const edge = event.step >= event.steps || event.validationLoss !== undefined;
        if (!edge && now - progressAt < PROGRESS_EVERY_MS) return;
        progressAt = now;
        draw(event);
      }
      appendWhole(file, `${JSON.stringify({ time: formatTime(now), runId, ...event })}\n`);
      onEvent(event);
    },
  };
}
