import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { jsonIn } from '../../data/json.ts';
import { acquireLock } from '../../data/lock.ts';
import type { ObjectStore } from '../../data/object-store.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { programHash } from '../../data/program-hash.ts';
import { programVersion } from '../../data/program-version.ts';
import { manifestText } from '../../data/store/manifest.ts';
import type { DatasetManifest, Store } from '../../data/store/store.ts';
import { openQueue } from '../../lab/queue/queue.ts';
import { MOST_REPORT_BYTES, type Offer } from './work-protocol.ts';

/** Where workers come for work, and how much is given out. */
export interface DeskRequest {
  readonly store: Store;
  /** Datasets that the work is done on. */
  readonly manifests: readonly DatasetManifest[];
  readonly queueUrl: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What workers must know. */
  readonly token: string;
  /** Jobs in the queue and at work at a time. */
  readonly atOnce: number;
  /** Where workers can get data beside this process. */
  readonly objects?: ObjectStore | undefined;
  readonly signal: AbortSignal;
  readonly onListening: (url: string) => void;
}

interface Desk extends DeskRequest {
  /** One coordinator of the same work at a time. */
  readonly lock: { readonly folder: string; readonly purpose: string };
  /** Of the queue, made different by what `work` says. */
  readonly name: string;
  readonly work: Offer['work'];
  /** Files beside the data, by SHA-256. */
  readonly files?: ReadonlyMap<string, string>;
  /** What can be begun now, by its name; `undefined`: nothing until something ends, or at all. */
  next(): Promise<string | undefined>;
  /** Answers `GET|POST /<kind>/<id>[/<what>]` of the work; `undefined`: there is no such thing. */
  answer(asked: Asked, open: OpenJobs): Promise<unknown>;
}

export interface Asked {
  readonly method: string;
  readonly kind: string;
  readonly id: string;
  readonly what: string | undefined;
  readonly body: <S extends z.ZodType>(schema: S, mostBytes?: number) => Promise<z.output<S>>;
}

/** Jobs that somebody may still report. */
export interface OpenJobs {
  has(id: string): boolean;
  /** Nothing more is wanted of it. */
  close(id: string): void;
}

/** An answer with another status than 200. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Bytes instead of JSON. */
export class Bytes {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

const MOST_PART_BYTES = 2 ** 30;
/** How often jobs are looked for that the server has lost. */
const LOOK_MS = 2000;

/**
 * Gives work to workers on any machine: names go through the queue, data and results by HTTP, and what counts is what `answer` keeps.
 * What is reported twice counts once; what had a worker that died is given again by the queue, what the queue's server
 * lost is put in again. Returns when all is done; throws `signal.reason`.
 */
export async function giveWork(desk: Desk): Promise<void> {
  const { signal, queueUrl, atOnce, work, manifests, store } = desk;
  const lock = await acquireLock(join(desk.lock.folder, 'coordinator.lock'), {
    waitMs: 0,
    purpose: desk.lock.purpose,
  });
  const hash = createHash('sha256').update(JSON.stringify(work)).digest('hex').slice(0, 12);
  const offer: Offer = {
    queue: `crypto-trader.${desk.name}.${hash}`,
    program: programVersion(),
    code: programHash(),
    manifests: manifests.map(manifestText),
    work,
  };
  const queue = await openQueue(queueUrl, offer.queue).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  /** The job in the queue of each name that is open. */
  const jobs = new Map<string, string>();
  let wake = (): void => {};
  const open: OpenJobs = {
    has: (id) => jobs.has(id),
    close(id) {
      jobs.delete(id);
      wake();
    },
  };
  const parts = new Map([
    ...manifests.flatMap((manifest) =>
      manifest.parts.map(({ sha256, file }) => [sha256, join(store.folder(manifest), file)] as const),
    ),
    ...(desk.files ?? []),
  ]);
  const server = createServer((request, response) => {
    respond(request, response, { desk, offer, parts, open }).catch((error: unknown) => {
      const status = error instanceof Refused ? error.status : 500;
      send(response, status, { error: error instanceof Error ? error.message : 'failed' });
    });
  });
  server.requestTimeout = 60_000;
  let put = 0;
  const give = async (id: string): Promise<void> => {
    const job = `${id}-${put++}`;
    jobs.set(id, job);
    await queue.add(job, { id });
  };
  try {
    for (const [sha256, path] of desk.objects === undefined ? [] : parts) {
      signal.throwIfAborted();
      const bytes = (await desk.objects?.has(sha256)) === true ? undefined : await partOf(path);
      if (bytes !== undefined) await desk.objects?.put(sha256, bytes);
    }
    await new Promise<void>((listening, fail) => {
      server.once('error', fail).listen(desk.port, desk.host, () => listening());
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : desk.port;
    desk.onListening(`http://${desk.host.includes(':') ? `[${desk.host}]` : desk.host}:${port}`);
    await queue.clear();
    for (;;) {
      signal.throwIfAborted();
      while (jobs.size < atOnce) {
        const id = await desk.next();
        if (id === undefined) break;
        await give(id);
      }
      if (jobs.size === 0) return;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const looked = new AbortController();
      const late = await Promise.race([
        woken.then(() => false),
        sleep(LOOK_MS, true, { signal: AbortSignal.any([signal, looked.signal]) }).catch(() => false),
      ]);
      // Jobs may end a hundred times as often: no timer and no listener stays behind.
      looked.abort();
      if (!late) continue;
      for (const [id, job] of jobs)
        if (!(await queue.isPending(job).catch(() => true)) && jobs.get(id) === job)
          await give(id).catch(() => {});
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw explained(error, desk);
  } finally {
    server.closeAllConnections();
    server.close();
    await queue.clear().catch(() => {});
    await queue.close().catch(() => {});
    await lock.release();
  }
}

const partOf = (path: string): Promise<Uint8Array | undefined> => readPlainFile(path, MOST_PART_BYTES);

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  {
    desk,
    offer,
    parts,
    open,
  }: {
    readonly desk: Desk;
    readonly offer: Offer;
    readonly parts: ReadonlyMap<string, string>;
    readonly open: OpenJobs;
  },
): Promise<void> {
  if (!isToken(request.headers.authorization, desk.token)) throw new Refused(401, 'the token is not right');
  const { method = '', url = '' } = request;
  if (method === 'GET' && url === '/alive') return send(response, 200, {});
  if (method === 'GET' && url === '/offer') return send(response, 200, offer);
  const [, kind = '', id = '', what] = /^\/(\w+)\/([\w.-]{1,120})(?:\/(\w+))?$/.exec(url) ?? [];
  if (method === 'GET' && kind === 'parts') {
    const path = parts.get(id);
    const bytes = path === undefined ? undefined : await partOf(path);
    if (bytes === undefined) throw new Refused(404, 'there is no such file');
    return sendBytes(response, bytes);
  }
  const body: Asked['body'] = (schema, mostBytes = MOST_REPORT_BYTES) => bodyOf(request, schema, mostBytes);
  const answer = id === '' ? undefined : await desk.answer({ method, kind, id, what, body }, open);
  if (answer === undefined) throw new Refused(404, 'there is nothing here');
  if (answer instanceof Bytes) sendBytes(response, answer.bytes);
  else send(response, 200, answer);
}

async function bodyOf<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  mostBytes: number,
): Promise<z.output<S>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk as Uint8Array);
    bytes += piece.length;
    if (bytes > mostBytes) throw new Refused(413, 'the report is too large');
    chunks.push(piece);
  }
  const parsed = schema.safeParse(jsonIn(Buffer.concat(chunks).toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new Refused(400, 'the report is not one');
}

function sendBytes(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length });
  response.end(bytes);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isToken = (header: string | undefined, token: string): boolean =>
  header !== undefined && timingSafeEqual(digest(header), digest(`Bearer ${token}`));

function explained(error: unknown, { host, port }: DeskRequest): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return new UserError(`Workers cannot be listened for on ${host}:${port} (${code}).`, {
      hint: 'Choose another address: --listen 127.0.0.1:4100.',
    });
  return error;
}

/** Takes reports one after the other. */
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
