import { UserError } from '../../core/foundation/errors.ts';

/**
 * Work that several machines take from one server. The server says who does what next and notices who died; what was found out is kept by whoever
 * asked (a study's journal): jobs may run twice, and events of the server are not relied on.
 */
export interface JobQueue {
  /** `id`s are of this queue alone; a job that waits or runs under it already is not added again. */
  add(id: string, data: unknown): Promise<void>;
  /** Whether somebody still has to do it, or does it: false for what failed, was done, or was lost with the server. */
  isPending(id: string): Promise<boolean>;
  /** Forgets every job. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface JobWorker {
  /** Takes no more jobs and resolves when those in hand are done. */
  drain(): Promise<void>;
}

const KINDS = ['redis:', 'rediss:', 'postgres:', 'postgresql:'];
/** A worker renews its hold on a job while it lives; this long after its last sign of life somebody else takes the job. */
const HOLD_MS = 6000;
/** A dead worker's job runs again as often as it must. */
const MOST_RUNS = 1_000_000;

/** Opens the queue of that name. Throws `UserError` for an address that is none of Redis or PostgreSQL. */
export async function openQueue(url: string, name: string): Promise<JobQueue> {
  const server = serverOf(url);
  const { Queue, createPostgresBackend, withBackend } = await import('bullmq');
  const queue =
    server.kind === 'postgres'
      ? new (withBackend(createPostgresBackend).Queue)(name, { connection: server.connection })
      : new Queue(name, { connection: server.connection });
  queue.on('error', () => {});
  await reached(queue.waitUntilReady(), server.shown);
  return {
    async add(id, data) {
      await queue.add('job', data, {
        jobId: id,
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
    },
    async isPending(id) {
      const job = await queue.getJob(id);
      const state = await job?.getState();
      return state !== undefined && !['completed', 'failed', 'unknown'].includes(state);
    },
    clear: () => queue.obliterate({ force: true }),
    close: () => queue.close(),
  };
}

/**
 * Takes jobs one after the other, `atOnce` at a time. What `work` throws ends the job, not the worker: `onError` is told.
 * A job whose worker died comes again, here or elsewhere.
 */
export async function takeJobs(
  url: string,
  name: string,
  work: (data: unknown) => Promise<void>,
  { atOnce, onError }: { readonly atOnce: number; readonly onError: (error: Error) => void },
): Promise<JobWorker> {
  const server = serverOf(url);
  const { Worker, createPostgresBackend, withBackend } = await import('bullmq');
  const options = {
    concurrency: atOnce,
    lockDuration: HOLD_MS,
    stalledInterval: HOLD_MS / 2,
    maxStalledCount: MOST_RUNS,
    drainDelay: 1,
  };
  const process = (job: { readonly data: unknown }): Promise<void> => work(job.data);
  const worker =
    server.kind === 'postgres'
      ? new (withBackend(createPostgresBackend).Worker)(name, process, {
          ...options,
          connection: server.connection,
        })
      : new Worker(name, process, { ...options, connection: server.connection });
  worker.on('error', onError).on('failed', (_, error) => onError(error));
  await reached(worker.waitUntilReady(), server.shown);
  return { drain: () => worker.close() };
}

/** `shown`: without its password. */
type Server = { readonly shown: string } & (
  | {
      readonly kind: 'postgres';
      readonly connection: {
        readonly connectionString: string;
        readonly schema: string;
        readonly migrate: boolean;
      };
    }
  | {
      readonly kind: 'redis';
      readonly connection: { readonly url: string; readonly maxRetriesPerRequest: null };
    }
);

function serverOf(text: string): Server {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !KINDS.includes(url.protocol))
    throw new UserError('The queue must be the address of a Redis or PostgreSQL server.', {
      hint: 'Such as redis://localhost:6379 or postgres://user@localhost:5432/database.',
    });
  const shown = `${url.protocol}//${url.host}${url.pathname}`;
  return url.protocol.startsWith('postgres')
    ? {
        kind: 'postgres',
        shown,
        connection: { connectionString: text, schema: 'crypto_trader', migrate: true },
      }
    : { kind: 'redis', shown, connection: { url: text, maxRetriesPerRequest: null } };
}

const PATIENCE_MS = 10_000;

/** Throws `UserError` when the server does not answer. */
async function reached(ready: Promise<unknown>, shown: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    await Promise.race([ready, late]);
  } catch (error) {
    throw new UserError(
      `The queue at ${shown} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
      { hint: 'Start the server, or correct its address, user and password.' },
    );
  } finally {
    clearTimeout(timer);
  }
}
