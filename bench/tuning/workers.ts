/**
 * Workers of a study: two processes beside one, a queue, and a thousand in virtual time. `npx tsx bench/tuning/workers.ts <study folder> <trials>` is one
 * process that works on a study whose trials take a second of the processor's time.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom, deriveSeed, normal } from '../../src/core/foundation/random.ts';
import { openStore } from '../../src/data/store/store.ts';
import { coordinateTrials } from '../../src/app/workflows/trial-coordinator.ts';
import { takeJobs } from '../../src/lab/queue/queue.ts';
import type { SpanFigures } from '../../src/lab/tuning/objective.ts';
import { search } from '../../src/lab/tuning/search.ts';
import { createTpe } from '../../src/lab/tuning/samplers/tpe.ts';
import type { Params, Space } from '../../src/lab/tuning/space.ts';
import { createStudy, openStudy, type Study } from '../../src/lab/tuning/study.ts';
import type { Trial } from '../../src/lab/tuning/trial.ts';
import { freePort, pgCtl, startPostgres } from '../../tests/support/postgres.ts';
import { hasRedis, startRedis } from '../../tests/support/redis.ts';
import type { BenchRow } from '../bench.ts';

const SECOND_MS = 1000;
const file = fileURLToPath(import.meta.url);
const { signal } = new AbortController();

const newStudy = (folder: string): Promise<Study> =>
  createStudy(folder, {
    ...{ type: 'study', version: 1, name: 'bench', createdAt: new Date().toISOString(), program: 'bench' },
    ...{ seed: 1, sampler: 'random', pruner: 'none', objectives: ['net-return'], steps: 1 },
    ...{ space: { x: { kind: 'float', low: 0, high: 1 } }, task: {} },
  });

const figures = (x: number): SpanFigures => ({
  fills: 1,
  figures: { 'net-return': x },
  returns: Float64Array.of(x),
});

function busy(ms: number): void {
  const until = process.cpuUsage().user + 1000 * ms;
  while (process.cpuUsage().user < until);
}

async function work(folder: string, trials: number): Promise<void> {
  const study = await openStudy(folder);
  await search({
    ...{ study, trials, folds: 1, objectives: ['net-return'], minFills: 0, signal, onTrial: () => {} },
    measure: async ({ x }) => {
      busy(SECOND_MS);
      return figures(Number(x));
    },
  });
  await study.close();
}

/** Trials a second, from when the last worker has begun its first one. */
async function pace(root: string, workers: number, trials: number): Promise<number> {
  const folder = join(root, `workers-${workers}`);
  await newStudy(folder);
  await Promise.all(
    Array.from(
      { length: workers },
      () =>
        new Promise((ended) =>
          spawn(process.execPath, ['--import', 'tsx', file, folder, String(trials)], {
            stdio: ['ignore', 'ignore', 'inherit'],
          }).once('close', ended),
        ),
    ),
  );
  const study = await openStudy(folder);
  await study.refresh();
  const all = study.trials().map(({ worker, startedAt, endedAt }) => ({
    ...{ worker, startedMs: Date.parse(startedAt), endedMs: Date.parse(endedAt ?? '') },
  }));
  const first = new Map<string, number>();
  for (const { worker, startedMs } of all)
    first.set(worker, Math.min(first.get(worker) ?? Infinity, startedMs));
  const begunMs = Math.max(...first.values());
  const counted = all.filter(({ startedMs }) => startedMs >= begunMs);
  return counted.length / (Math.max(...counted.map(({ endedMs }) => endedMs)) - begunMs);
}

/** Milliseconds of one trial that takes none: put in, taken, asked for, reported and ended, one after the other. */
async function queueMs(root: string, url: string): Promise<number> {
  const trials = 200;
  const folder = join(root, `queue-${new URL(url).protocol.slice(0, -1)}`);
  const study = await newStudy(folder);
  const token = 'a token of the bench';
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let worker: Awaited<ReturnType<typeof takeJobs>> | undefined;
  let startedMs = 0;
  await coordinateTrials({
    ...{ study, folder, store: openStore(join(root, 'data')), manifests: [], queueUrl: url, trials, token },
    ...{ host: '127.0.0.1', port: 0, atOnce: 1, signal },
    onListening: (address) => {
      const ask = async (path: string, body?: object): Promise<Record<string, unknown>> => {
        const method = body === undefined ? 'GET' : 'POST';
        const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
        return (await fetch(`${address}/${path}`, request)).json() as Promise<Record<string, unknown>>;
      };
      void ask('study').then(async ({ queue }) => {
        const measured = async (data: unknown): Promise<void> => {
          const { number } = data as { readonly number: number };
          await ask(`trials/${number}`);
          await ask(`trials/${number}/steps`, { worker: 'bench', step: 0, value: 0 });
          const end = { state: 'complete', values: [0], violation: 0 };
          await ask(`trials/${number}/end`, { worker: 'bench', ...end });
        };
        worker = await takeJobs(url, String(queue), measured, { atOnce: 1, onError: () => {} });
      });
    },
    onTrial: ({ number }) => {
      if (number === 0) startedMs = performance.now();
    },
  });
  const ms = (performance.now() - startedMs) / (trials - 1);
  await worker?.drain();
  await study.close();
  return ms;
}

/** Hartmann's function of six numbers (Dixon & Szego 1978), least -3.32237. */
const ALPHA = [1, 1.2, 3, 3.2];
const A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]; // prettier-ignore
const P = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991], [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]; // prettier-ignore
const DIMENSIONS = [0, 1, 2, 3, 4, 5];
const hartmann = (params: Params): number =>
  -ALPHA.reduce((sum, alpha, i) => {
    const inner = DIMENSIONS.reduce((all, j) => all + A[i][j] * (Number(params[`x${j}`]) - P[i][j]) ** 2, 0);
    return sum + alpha * Math.exp(-inner);
  }, 0);
const SPACE: Space = Object.fromEntries(
  DIMENSIONS.map((j) => [`x${j}`, { kind: 'float' as const, low: 0, high: 1 }]),
);

/**
 * So many workers in virtual time: trials take a minute on average (log-normal), and one process suggests, as long as it really takes.
 * The share of the workers' time, until the last trial was handed out, in which they worked; and how far from the least value the best one is.
 */
function simulate(workers: number, count: number): { readonly utilisation: number; readonly regret: number } {
  const random = createRandom(1);
  const tpe = createTpe();
  const trials: Trial[] = [];
  const running: { readonly number: number; readonly endsMs: number }[] = [];
  let [nowMs, busyMs, serverFreeMs, best] = [0, 0, 0, Infinity];
  const start = (fromMs: number): number => {
    const number = trials.length;
    const begun = performance.now();
    const params = tpe.suggest(SPACE, trials, {
      number,
      random: createRandom(deriveSeed(1, `trial ${number}`)),
    });
    serverFreeMs = Math.max(serverFreeMs, fromMs) + performance.now() - begun;
    trials.push({ number, state: 'running', params, values: [], intermediate: [], violation: 0 });
    const takesMs = 60_000 * Math.exp(0.5 * normal(random) - 0.125);
    busyMs += takesMs;
    const endsMs = serverFreeMs + takesMs;
    // In the order of their ends, the first last.
    let at = running.length;
    while (at > 0 && running[at - 1].endsMs < endsMs) at--;
    running.splice(at, 0, { number, endsMs });
    return serverFreeMs;
  };
  while (trials.length < Math.min(workers, count)) nowMs = start(0);
  while (trials.length < count) {
    const ended = running.pop();
    if (ended === undefined) break;
    const value = hartmann(trials[ended.number].params);
    best = Math.min(best, value);
    trials[ended.number] = { ...trials[ended.number], state: 'complete', values: [value] };
    nowMs = start(ended.endsMs);
  }
  for (const { number, endsMs } of running) {
    busyMs -= Math.max(0, endsMs - nowMs);
    best = Math.min(best, hartmann(trials[number].params));
  }
  return { utilisation: (100 * busyMs) / (workers * nowMs), regret: best + 3.32237 };
}

export async function workerRows(): Promise<readonly BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'bench-workers-'));
  const rows: BenchRow[] = [];
  try {
    const [one, two] = [await pace(root, 1, 12), await pace(root, 2, 24)];
    rows.push({
      name: 'two worker processes against one, trials of 1 s of processor time',
      value: two / one,
      unit: 'x',
      target: '>= 1.85',
    });
    const servers = [
      ...(hasRedis ? [['Redis', startRedis] as const] : []),
      ...(pgCtl === undefined ? [] : [['PostgreSQL', startPostgres] as const]),
    ];
    for (const [name, begin] of servers) {
      const server = begin(join(root, name), await freePort());
      try {
        rows.push({
          name: `overhead of a queue on ${name}, a trial: put in, taken, reported, ended, journal durable`,
          value: await queueMs(root, server.url),
          unit: 'ms',
          target: '<= 20',
        });
      } finally {
        server.stop();
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  const many = simulate(1000, 3000);
  const alone = simulate(1, 3000);
  rows.push(
    {
      name: '1000 workers in virtual time, trials of a minute, TPE: share of their time at work',
      value: many.utilisation,
      unit: '%',
      target: '>= 95',
    },
    {
      name: 'distance from the least value of Hartmann 6 after 3000 trials of 1000 workers',
      value: many.regret,
      unit: '',
      peer: { name: 'one worker', value: alone.regret },
    },
  );
  return rows;
}

if (process.argv[1] === file) await work(process.argv[2], Number(process.argv[3]));
