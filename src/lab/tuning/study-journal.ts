import { z } from 'zod';
import { PRUNERS, SAMPLERS } from './methods.ts';
import type { Params } from './space.ts';
import type { Trial } from './trial.ts';

const value = z.union([z.number(), z.string(), z.boolean()]);
const Parameters = z.record(z.string(), value);
const conditions = { when: z.record(z.string(), z.array(value)).optional() };
const Dimension = z.union([
  z.strictObject({
    kind: z.enum(['float', 'int']),
    low: z.number(),
    high: z.number(),
    log: z.boolean().optional(),
    step: z.number().optional(),
    ...conditions,
  }),
  z.strictObject({ kind: z.literal('categorical'), choices: z.array(value), ...conditions }),
]);

/** What a study was started with; nothing of it changes. */
export const StudySettings = z.strictObject({
  type: z.literal('study'),
  version: z.literal(1),
  name: z.string(),
  createdAt: z.string(),
  program: z.string(),
  seed: z.int(),
  sampler: z.enum(SAMPLERS),
  pruner: z.enum(PRUNERS),
  /** Names of what is optimised; the first decides what "best" is. */
  objectives: z.array(z.string()).min(1),
  steps: z.int().min(1),
  space: z.record(z.string(), Dimension),
  /** What the objective is computed from, as its owner understands it. */
  task: z.unknown(),
});
export type StudySettings = z.output<typeof StudySettings>;

const Started = z.strictObject({
  type: z.literal('start'),
  number: z.int().min(0),
  params: Parameters,
  at: z.string(),
  worker: z.string(),
  /** It was named by a person or taken over from a worker that died: nothing was suggested. */
  given: z.boolean(),
});
const Step = z.strictObject({
  type: z.literal('step'),
  number: z.int().min(0),
  step: z.int().min(0),
  value: z.number().nullable(),
});
const Ended = z.strictObject({
  type: z.literal('end'),
  number: z.int().min(0),
  state: z.enum(['complete', 'pruned', 'failed']),
  values: z.array(z.number()),
  violation: z.number().min(0),
  at: z.string(),
  reason: z.string().optional(),
  /** What else is known of it: figures, returns. */
  details: z.unknown().optional(),
});
const Enqueued = z.strictObject({ type: z.literal('enqueue'), params: Parameters });
/** One line of a study's journal. */
export const Entry = z.discriminatedUnion('type', [StudySettings, Started, Step, Ended, Enqueued]);

/** A trial with what is kept of it beside what samplers look at. */
export interface KeptTrial extends Trial {
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly worker: string;
  readonly given: boolean;
  readonly reason?: string;
  readonly details?: unknown;
}

/** What the entries of a journal, read in their order, add up to. */
export interface StudyState {
  /** In the order of their numbers. */
  readonly trials: KeptTrial[];
  /** Parameters to try before anything is suggested. */
  readonly queue: Params[];
}

/** Takes in one more entry. The first answer about a trial counts. */
export function see({ trials, queue }: StudyState, entry: z.output<typeof Entry>): void {
  switch (entry.type) {
    case 'study':
      return;
    case 'enqueue':
      queue.push(entry.params);
      return;
    case 'start': {
      const { number, params, worker, given, at: startedAt } = entry;
      if (given) queue.shift();
      const blank = { values: [], intermediate: [], violation: 0 };
      trials[number] = { number, state: 'running', params, worker, given, startedAt, ...blank };
      return;
    }
    case 'step': {
      const trial = trials[entry.number];
      if (trial.state !== 'running') return;
      const step: readonly [number, number] = [entry.step, entry.value ?? NaN];
      trials[entry.number] = { ...trial, intermediate: [...trial.intermediate, step] };
      return;
    }
    case 'end': {
      const { number, state, values, violation, at: endedAt, reason, details } = entry;
      if (trials[number].state !== 'running') return;
      trials[number] = {
        ...trials[number],
        ...{ state, values, violation, endedAt },
        ...(reason !== undefined && { reason }),
        ...(details !== undefined && { details }),
      };
    }
  }
}
