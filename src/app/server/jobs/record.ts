import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { readJson, writeFileAtomic } from '../../../data/files.ts';
import type { JobKind } from './kinds.ts';

const KINDS = [
  'fetch',
  'train',
  'backtest',
  'tune',
  'signals',
  'paper',
  'portfolio',
  'audit',
  'verify',
  'doctor',
  'text-fetch',
  'text-score',
  'advise',
] as const satisfies readonly JobKind[];

/** A job as `job.json` in its folder has it; beside it are `output.json` and `progress.log`, what its process writes. */
const JobRecord = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  kind: z.enum(KINDS),
  lane: z.string(),
  /** Of the command line, without the settings of the server. */
  arguments: z.array(z.string()),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  /** Its process, and when that was started as the system counts: a number that was given out again is another. */
  pid: z.int().optional(),
  processStart: z.string().optional(),
  cancelledAt: z.iso.datetime().optional(),
  /** Of a job that is done: its own check failed. */
  error: z
    .strictObject({
      kind: z.enum(['user', 'usage', 'check', 'interrupted', 'bug']),
      message: z.string(),
      hint: z.string().optional(),
    })
    .optional(),
});
export type JobRecord = z.output<typeof JobRecord>;

export const jobPaths = (folder: string, id: string) => ({
  folder: join(folder, id),
  record: join(folder, id, 'job.json'),
  output: join(folder, id, 'output.json'),
  progress: join(folder, id, 'progress.log'),
});

export const newJobId = (kind: JobKind, nowMs: number): string =>
  `${formatTime(nowMs).slice(0, 19).replaceAll(':', '-')}Z-${kind}-${randomBytes(2).toString('hex')}`;

export const keepRecord = (folder: string, record: JobRecord): Promise<void> =>
  writeFileAtomic(jobPaths(folder, record.id).record, `${JSON.stringify(record, undefined, 2)}\n`);

export const readRecord = (folder: string, id: string): Promise<JobRecord | undefined> =>
  readJson(
    jobPaths(folder, id).record,
    JobRecord,
    'Remove the folder: it holds nothing but the answer of a finished job.',
  );
