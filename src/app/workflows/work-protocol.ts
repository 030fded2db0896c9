import { z } from 'zod';
import { InputSources } from '../../learning/training/run-folder.ts';

/**
 * What a coordinator and its workers say to each other over HTTP: what is to be done and its data by hash from the one side, what it
 * came to from the other. JSON, with a token in the header `Authorization`. Through the queue go names alone.
 */
export const Job = z.strictObject({ id: z.string() });

/** A file that workers may fetch by its SHA-256. `path`: below the folder of checkpoints. */
const OfferedFile = z.strictObject({
  path: z.string().regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const Params = z.record(z.string(), z.unknown());

/** A walk-forward by what decides on its bits. */
export const FoldSettings = z.strictObject({
  exchange: z.string(),
  timeframe: z.string(),
  symbols: z.array(z.string()),
  sinceMs: z.number(),
  untilMs: z.number().optional(),
  fromMs: z.number().optional(),
  folds: z.int().min(1),
  embargoBars: z.int().min(0),
  window: z.enum(['rolling', 'expanding']),
  cold: z.boolean(),
  validationPct: z.number(),
  params: z.record(z.string(), Params),
  models: z.array(z.string()).optional(),
  sources: InputSources,
  seed: z.int(),
  ensemble: z.string(),
  ensembleParams: Params,
});
export type FoldSettings = z.output<typeof FoldSettings>;

/** What workers are told before they take anything. */
export const Offer = z.strictObject({
  /** Name of the queue that the jobs are in. */
  queue: z.string().regex(/^[\w.-]{1,120}$/),
  program: z.string(),
  /** SHA-256 of the program's own files: workers with others are refused, or their digits would differ. */
  code: z.string(),
  /** Manifests of the datasets, as they lie in the store. */
  manifests: z.array(z.string().max(32 * 2 ** 20)).max(1000),
  work: z.discriminatedUnion('kind', [
    /** Trials of a study. */
    z.strictObject({ kind: z.literal('trials'), settings: z.unknown() }),
    /** Folds of a walk-forward. */
    z.strictObject({ kind: z.literal('folds'), settings: FoldSettings }),
    /** Models of a training run, each from each seed. `files`: its plan, and what it goes on from. */
    z.strictObject({ kind: z.literal('models'), run: z.string(), files: z.array(OfferedFile).max(10_000) }),
  ]),
});
export type Offer = z.output<typeof Offer>;

const value = z.union([z.number(), z.string(), z.boolean()]);
export const OfferedTrial = z.strictObject({ number: z.int().min(0), params: z.record(z.string(), value) });

const worker = z.string().max(200);

export const StepReport = z.strictObject({
  worker,
  step: z.int().min(0).max(1_000_000),
  value: z.number().nullable(),
});
export const StepAnswer = z.strictObject({ prune: z.boolean() });

export const EndReport = z.strictObject({
  worker,
  state: z.enum(['complete', 'pruned', 'failed']),
  values: z.array(z.number()).max(100),
  violation: z.number().min(0),
  reason: z.string().max(2000).optional(),
  details: z.unknown().optional(),
});

/** A fold or a model, as files in base64; or why it could not be made. */
export const PieceReport = z.strictObject({
  worker,
  /** What computed it: bits may differ between processors. */
  machine: z.string().max(200),
  files: z.record(z.string().regex(/^[\w-][\w.-]*$/), z.base64()).optional(),
  failed: z.string().max(2000).optional(),
});
export type PieceReport = z.output<typeof PieceReport>;

/** Most bytes of a report of a trial, and of a whole fold or model. */
export const MOST_REPORT_BYTES = 2 ** 20;
export const MOST_PIECE_BYTES = 2 ** 28;
