import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { readJson } from '../../data/files.ts';
import type { JobView } from './view.ts';

/** Of the record of a job; the server that runs it reads all of it. */
const Glance = z.object({
  id: z.string(),
  kind: z.string(),
  arguments: z.array(z.string()),
  state: z.string(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  error: z.object({ message: z.string() }).optional(),
});
type Glance = z.output<typeof Glance>;

const NEWEST = 100;
const LAST_BYTES = 4096;

/** What `serve` has been asked to do, the newest first. */
export function watchJobs(dataDir: string): { look(nowMs: number): Promise<readonly JobView[]> } {
  const folder = join(dataDir, 'jobs');
  const ended = new Map<string, JobView>();
  return {
    look: async (nowMs) => {
      // Their names begin with the time of their start.
      const names = (await readdir(folder).catch(() => [])).toSorted().toReversed().slice(0, NEWEST);
      const jobs = await Promise.all(
        names.map(async (name): Promise<readonly JobView[]> => {
          const known = ended.get(name);
          if (known !== undefined) return [known];
          const record = await readJson(join(folder, name, 'job.json'), Glance, '').catch(() => undefined);
          if (record === undefined) return [];
          const job = await jobView(folder, name, record, nowMs);
          if (record.endedAt !== undefined) ended.set(name, job);
          return [job];
        }),
      );
      return jobs.flat();
    },
  };
}

async function jobView(folder: string, name: string, record: Glance, nowMs: number): Promise<JobView> {
  const { id, kind, state, createdAt, startedAt, endedAt, error } = record;
  const untilMs = endedAt === undefined ? nowMs : Date.parse(endedAt);
  const said = error?.message ?? (await lastLine(join(folder, name, 'progress.log')));
  return {
    id,
    kind,
    state,
    since: startedAt ?? createdAt,
    seconds: startedAt === undefined ? undefined : (untilMs - Date.parse(startedAt)) / 1000,
    line: said ?? plainLine(record.arguments.join(' ')),
  };
}

/** Of a file that another process writes; `undefined`: it has said nothing yet. */
async function lastLine(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, LAST_BYTES));
    await file.read(bytes, 0, bytes.length, size - bytes.length);
    const line = bytes
      .toString('utf8')
      .split(/[\r\n]+/)
      .findLast((text) => text.trim() !== '');
    return line === undefined ? undefined : plainLine(line);
  } finally {
    await file.close();
  }
}
