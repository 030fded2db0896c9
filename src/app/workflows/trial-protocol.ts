import { z } from 'zod';

/**
 * What the coordinator of a search and its workers say to each other over HTTP: the study and its data by hash from the one side, what each
 * fold came to from the other. JSON, with a token in the header `Authorization`.
 */
export const TrialJob = z.strictObject({ study: z.string(), number: z.int().min(0) });

/** What workers are told before they take anything. */
export const StudyOffer = z.strictObject({
  /** Name of the queue that the trials are in. */
  queue: z.string().regex(/^[\w.-]{1,120}$/),
  program: z.string(),
  /** SHA-256 of the program's own files: workers with others are refused, or their digits would differ. */
  code: z.string(),
  settings: z.unknown(),
  /** Manifests of the datasets, as they lie in the store. */
  manifests: z.array(z.string().max(32 * 2 ** 20)).max(1000),
});
export type StudyOffer = z.output<typeof StudyOffer>;

const value = z.union([z.number(), z.string(), z.boolean()]);
export const OfferedTrial = z.strictObject({ number: z.int().min(0), params: z.record(z.string(), value) });

export const StepReport = z.strictObject({
  worker: z.string().max(200),
  step: z.int().min(0).max(1_000_000),
  value: z.number().nullable(),
});
export const StepAnswer = z.strictObject({ prune: z.boolean() });

export const EndReport = z.strictObject({
  worker: z.string().max(200),
  state: z.enum(['complete', 'pruned', 'failed']),
  values: z.array(z.number()).max(100),
  violation: z.number().min(0),
  reason: z.string().max(2000).optional(),
  details: z.unknown().optional(),
});

/** Most bytes of one report. */
export const MOST_REPORT_BYTES = 2 ** 20;
