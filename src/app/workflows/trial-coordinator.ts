import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { jsonIn } from '../../data/json.ts';
import { acquireLock } from '../../data/lock.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import type { DatasetManifest, Store } from '../../data/store/store.ts';
import { manifestText } from '../../data/store/manifest.ts';
import { programHash } from '../../data/program-hash.ts';
import { programVersion } from '../../data/program-version.ts';
import { openQueue } from '../../lab/queue/queue.ts';
import type { Study } from '../../lab/tuning/study.ts';
import type { KeptTrial } from '../../lab/tuning/study-journal.ts';
import { EndReport, MOST_REPORT_BYTES, StepReport, type StudyOffer } from './trial-protocol.ts';

interface CoordinatorTask {
  readonly study: Study;
  /** Folder of the study: one coordinator at a time. */
  readonly folder: string;
  readonly store: Store;
  /** Datasets that trials are measured on. */
  readonly manifests: readonly DatasetManifest[];
  readonly queueUrl: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What workers must know. */
  readonly token: string;
  /** Stop when so many trials have been started. */
  readonly trials: number;
  /** Trials in the queue and at work at a time. */
  readonly atOnce: number;
  readonly signal: AbortSignal;
  readonly onListening: (url: string) => void;
  readonly onTrial: (trial: KeptTrial) => void;
}

const MOST_PART_BYTES = 2 ** 30;
/** How often jobs are looked for that the server has lost. */
const LOOK_MS = 2000;

/**
 * Lets workers on any machine measure the trials of a study: numbers go through the queue, data and parameters by HTTP, and what is found
 * out into the journal, which alone counts. A trial that is reported twice counts once; one whose worker died is given again by the queue, one that
 * the queue's server lost is put in again. Returns when the study has its trials; throws `signal.reason`.
 */
export async function coordinateTrials(task: CoordinatorTask): Promise<void> {
  const { study, signal, queueUrl, trials, atOnce } = task;
  const lock = await acquireLock(join(task.folder, 'coordinator.lock'), {
    waitMs: 0,
    purpose: 'giving the trials of this study to workers',
  });
  const hash = createHash('sha256').update(JSON.stringify(study.settings)).digest('hex').slice(0, 12);
  const offer: StudyOffer = {
    queue: `crypto-trader.${study.settings.name}.${hash}`,
    program: programVersion(),
    code: programHash(),
    settings: study.settings,
    manifests: task.manifests.map(manifestText),
  };
  const queue = await openQueue(queueUrl, offer.queue).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  /** Trials that somebody may still report, with what was answered about their steps. */
  const open = new Map<number, Map<number, boolean>>();
  let wake = (): void => {};
  const desk = reportDesk(study, open, (trial) => {
    task.onTrial(trial);
    wake();
  });
  const parts = new Map(
    task.manifests.flatMap((manifest) =>
      manifest.parts.map(({ sha256, file }) => [sha256, join(task.store.folder(manifest), file)] as const),
    ),
  );
  const server = createServer((request, response) => {
    answer(request, response, { task, offer, parts, desk }).catch((error: unknown) => {
      const status = error instanceof Refused ? error.status : 500;
      send(response, status, { error: error instanceof Error ? error.message : 'failed' });
    });
  });
  server.requestTimeout = 60_000;
  try {
    await new Promise<void>((listening, fail) => {
      server.once('error', fail).listen(task.port, task.host, () => listening());
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : task.port;
    task.onListening(`http://${task.host.includes(':') ? `[${task.host}]` : task.host}:${port}`);
    await queue.clear();
    let more = true;
    let put = 0;
    const give = (number: number): Promise<void> =>
      queue.add(`${number}-${put++}`, { study: study.settings.name, number });
    const jobs = new Map<number, string>();
    for (;;) {
      signal.throwIfAborted();
      while (more && open.size < atOnce) {
        const trial = await study.ask(trials);
        if (trial === undefined) more = false;
        else {
          open.set(trial.number, new Map());
          jobs.set(trial.number, `${trial.number}-${put}`);
          await give(trial.number);
        }
      }
      if (open.size === 0 && !more) return;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const looked = new AbortController();
      const late = await Promise.race([
        woken.then(() => false),
        sleep(LOOK_MS, true, { signal: AbortSignal.any([signal, looked.signal]) }).catch(() => false),
      ]);
      // Trials may end a hundred times as often: no timer and no listener stays behind.
      looked.abort();
      for (const number of jobs.keys()) if (!open.has(number)) jobs.delete(number);
      if (!late) continue;
      for (const [number, id] of jobs) {
        if (await queue.isPending(id).catch(() => true)) continue;
        if (!open.has(number)) continue;
        jobs.set(number, `${number}-${put}`);
        await give(number).catch(() => {});
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw explained(error, task);
  } finally {
    server.closeAllConnections();
    server.close();
    await queue.clear().catch(() => {});
    await queue.close().catch(() => {});
    await lock.release();
  }
}

/** Takes reports: one after the other, each step and each end once. */
function reportDesk(
  study: Study,
  open: Map<number, Map<number, boolean>>,
  onEnd: (trial: KeptTrial) => void,
) {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
  const stepsOf = (number: number): Map<number, boolean> => {
    const steps = open.get(number);
    if (steps === undefined) throw new Refused(410, `trial ${number} is not wanted any more`);
    return steps;
  };
  return {
    trial: (number: number) => {
      stepsOf(number);
      return { number, params: study.trials()[number].params };
    },
    step: (number: number, { step, value }: z.output<typeof StepReport>) =>
      inTurn(async () => {
        const steps = stepsOf(number);
        const known = steps.get(step);
        if (known !== undefined) return { prune: known };
        const { prune } = await study.report(number, step, value ?? NaN);
        steps.set(step, prune);
        return { prune };
      }),
    end: (number: number, { worker: _, reason, ...outcome }: z.output<typeof EndReport>) =>
      inTurn(async () => {
        // A second answer about the same trial is thanked for and forgotten.
        if (!open.has(number)) return {};
        await study.tell(number, { ...outcome, ...(reason !== undefined && { reason }) });
        open.delete(number);
        onEnd(study.trials()[number]);
        return {};
      }),
  };
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  {
    task,
    offer,
    parts,
    desk,
  }: {
    readonly task: CoordinatorTask;
    readonly offer: StudyOffer;
    readonly parts: ReadonlyMap<string, string>;
    readonly desk: ReturnType<typeof reportDesk>;
  },
): Promise<void> {
  if (!isToken(request.headers.authorization, task.token)) throw new Refused(401, 'the token is not right');
  const { method = '', url = '' } = request;
  const [, kind, key = '', what] =
    /^\/(study|parts|trials)(?:\/([0-9a-f]{1,64}))?(?:\/(\w+))?$/.exec(url) ?? [];
  if (method === 'GET' && url === '/alive') return send(response, 200, {});
  if (method === 'GET' && kind === 'study' && key === '') return send(response, 200, offer);
  if (method === 'GET' && kind === 'parts') {
    const path = parts.get(key);
    const bytes = path === undefined ? undefined : await readPlainFile(path, MOST_PART_BYTES);
    if (bytes === undefined) throw new Refused(404, 'there is no such file');
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length });
    response.end(bytes);
    return;
  }
  const number = /^\d{1,9}$/.test(key) ? Number(key) : NaN;
  if (kind === 'trials' && !Number.isNaN(number)) {
    if (method === 'GET' && what === undefined) return send(response, 200, desk.trial(number));
    if (method === 'POST' && what === 'steps')
      return send(response, 200, await desk.step(number, await bodyOf(request, StepReport)));
    if (method === 'POST' && what === 'end')
      return send(response, 200, await desk.end(number, await bodyOf(request, EndReport)));
  }
  throw new Refused(404, 'there is nothing here');
}

async function bodyOf<S extends z.ZodType>(request: IncomingMessage, schema: S): Promise<z.output<S>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk as Uint8Array);
    bytes += piece.length;
    if (bytes > MOST_REPORT_BYTES) throw new Refused(413, 'the report is too large');
    chunks.push(piece);
  }
  const parsed = schema.safeParse(jsonIn(Buffer.concat(chunks).toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new Refused(400, 'the report is not one');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isToken = (header: string | undefined, token: string): boolean =>
  header !== undefined && timingSafeEqual(digest(header), digest(`Bearer ${token}`));

function explained(error: unknown, { host, port }: CoordinatorTask): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return new UserError(`Workers cannot be listened for on ${host}:${port} (${code}).`, {
      hint: 'Choose another address: --listen 127.0.0.1:4100.',
    });
  return error;
}
