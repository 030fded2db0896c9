/**
 * `npm run storm:workers -- --server redis --trials 500 --workers 4 --kills 50 --coordinators 20 --restarts 5 --seed 7`: a search over a queue whose
 * workers, coordinator and server are killed again and again, spread evenly over its trials. In the end every trial must have one result, the
 * journal must be whole, and every suggestion must follow from it. Exits with 1 and the seed when something differs. Needs PostgreSQL or Redis.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/foundation/random.ts';
import { openStore } from '../src/data/store/store.ts';
import { openStudy } from '../src/lab/tuning/study.ts';
import type { KeptTrial } from '../src/lab/tuning/study-journal.ts';
import { walk } from '../tests/support/candles.ts';
import { freePort, pgCtl, startPostgres } from '../tests/support/postgres.ts';
import { hasRedis, startRedis } from '../tests/support/redis.ts';

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'postgres' },
    trials: { type: 'string', default: '60' },
    workers: { type: 'string', default: '3' },
    kills: { type: 'string', default: '8' },
    coordinators: { type: 'string', default: '3' },
    restarts: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});
const [trials, workers, seed] = [Number(values.trials), Number(values.workers), Number(values.seed)];
const left = {
  worker: Number(values.kills),
  coordinator: Number(values.coordinators),
  server: Number(values.restarts),
};
const bin = resolve(import.meta.dirname, '../bin/crypto-trader.js');
const root = mkdtempSync(join(tmpdir(), 'worker-storm-'));
const [here, elsewhere] = [join(root, 'here'), join(root, 'elsewhere')];
const onRedis = values.server === 'redis';
if (onRedis ? !hasRedis : pgCtl === undefined) throw new Error(`${values.server} is not installed here.`);

const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
await openStore(join(here, 'data')).merge(key, walk(2000, { startMs: Date.UTC(2024, 2, 1), seed: 5 }), {
  source: 'csv',
  synthetic: false,
});
for (const folder of [here, elsewhere]) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.yaml'), 'market:\n  symbols: [BTC/USDT]\n');
}
const server = (onRedis ? startRedis : startPostgres)(join(root, 'server'), await freePort());
const listen = `127.0.0.1:${await freePort()}`;
const environment = {
  PATH: process.env['PATH'],
  QUEUE_URL: server.url,
  WORKER_TOKEN: 'a secret of both sides of the storm',
};
const start = (args: readonly string[], cwd: string): ChildProcess =>
  spawn(process.execPath, [bin, ...args], { cwd, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
const QUEUE = [
  '--queue',
  'env',
  '--listen',
  listen,
  '--at-once',
  String(2 * workers),
  '--trials',
  String(trials),
];
const FIRST = [
  '--model',
  'ridge',
  '--folds',
  '3',
  '--min-trades',
  '0',
  '--pruner',
  'none',
  '--name',
  'storm',
];
const coordinate = (first: boolean): ChildProcess =>
  start(['tune', ...(first ? FIRST : ['--study', 'storm']), ...QUEUE], here);
const work = (): ChildProcess =>
  start(['worker', '--queue', 'env', '--coordinator', `http://${listen}`], elsewhere);

const random = createRandom(seed);
const folder = join(here, 'tuning/storm');
let coordinator = coordinate(true);
/** It has to have begun before anything can be killed. */
let begun = await openStudy(folder).catch(() => undefined);
while (begun === undefined && coordinator.exitCode === null) {
  await sleep(100);
  begun = await openStudy(folder).catch(() => undefined);
}
if (begun === undefined) throw new Error('The search did not begin.');
const study = begun;
const hands = Array.from({ length: workers }, work);
const strikes = left.worker + left.coordinator + left.server;
/** Whether so many results call for the next strike. */
const due = (done: number): boolean => {
  const struck = strikes - left.worker - left.coordinator - left.server;
  return struck < strikes && done >= (struck * trials) / strikes;
};
const results = (): KeptTrial[] =>
  study.trials().filter(({ state }) => state === 'complete' || state === 'pruned');
function strike(): void {
  const kinds = (['worker', 'coordinator', 'server'] as const).filter((kind) => left[kind] > 0);
  const all = kinds.flatMap((kind) => Array.from({ length: left[kind] }, () => kind));
  const kind = all[Math.floor(random() * all.length)];
  if (kind === undefined) return;
  left[kind]--;
  process.stdout.write(`kill: ${kind}\n`);
  if (kind === 'worker') hands[Math.floor(random() * workers)].kill('SIGKILL');
  else if (kind === 'server') server.restart();
  else coordinator.kill('SIGKILL');
}
const startedMs = Date.now();
for (;;) {
  await sleep(200);
  if (coordinator.exitCode === 0) break;
  // Whoever ended is started again, as a service would.
  hands.forEach((one, i) => {
    if (one.exitCode !== null || one.signalCode !== null) hands[i] = work();
  });
  if (coordinator.exitCode !== null || coordinator.signalCode !== null) coordinator = coordinate(false);
  await study.refresh();
  if (due(results().length)) strike();
}
for (const one of hands) one.kill('SIGKILL');
await study.refresh();
const counted = results();
const wrong = await study.verify();
const lost = study.trials().filter(({ reason }) => reason !== undefined).length;
const doubled = counted.filter(
  ({ intermediate }) => new Set(intermediate.map(([step]) => step)).size !== intermediate.length,
);
server.stop();
rmSync(root, { recursive: true, force: true });
process.stdout.write(
  `${counted.length} results of ${trials} trials, ${lost} done again, ${wrong.length} suggestions that do not follow, ${doubled.length} with a step twice; ${Math.round((Date.now() - startedMs) / 1000)} s; not struck: ${JSON.stringify(left)}\n`,
);
if (counted.length !== trials || wrong.length > 0 || doubled.length > 0) {
  process.stdout.write(`FAILED with seed ${seed}\n`);
  process.exitCode = 1;
}
