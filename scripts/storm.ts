/**
 * `npm run storm -- --kills 10000 --over fetch,paper,live,retrain,tune --progress FILE` kills processes of this program with SIGKILL that many times:
 * before, in the middle of or after one of their operations on files, chosen by the seed of the round. A round is some kills of one kind and a check that
 * nothing was lost, doubled or torn (see tests/desk/storm). A line is kept of each that held; the same command resumes, and does none of them again. `--only`:
 * rounds of live sessions whose faults and action are so named. Exits with 1 and names the round when something differs.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { z } from 'zod';
import type { Kind } from '../tests/desk/storm/life.ts';
import { cellName, CELLS } from '../tests/desk/storm/live-round.ts';
import { bundleLives, openLives } from '../tests/desk/storm/lives.ts';
import { ROUNDS } from '../tests/desk/storm/rounds.ts';

/** Of each kind: how many of a hundred kills, and how many a round has. */
const KINDS: Readonly<Record<Kind, { readonly share: number; readonly kills: number }>> = {
  fetch: { share: 18, kills: 30 },
  paper: { share: 35, kills: 40 },
  live: { share: 35, kills: 4 },
  retrain: { share: 6, kills: 15 },
  tune: { share: 6, kills: 20 },
};
const Done = z.object({
  kind: z.enum(Object.keys(KINDS) as [Kind, ...Kind[]]),
  seed: z.int(),
  kills: z.int(),
  found: z.string(),
});

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    over: { type: 'string', default: Object.keys(KINDS).join(',') },
    seed: { type: 'string', default: '0' },
    'at-once': { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    progress: { type: 'string', default: join(tmpdir(), 'crypto-trader-storm.jsonl') },
  },
});
const over = z.array(Done.shape.kind).parse(values.over.split(','));
const most = Number(values.kills);
const before = existsSync(values.progress) ? readFileSync(values.progress, 'utf8') : '';
const done = before
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => Done.parse(JSON.parse(line)));
/** Of each kind: kills that are done or being done, and the next seed. */
const state = new Map(
  over.map((kind) => {
    const kills = done.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.kills, 0);
    return [kind, { kills, seed: Number(values.seed) }];
  }),
);
const known = new Set(done.map(({ kind, seed }) => `${kind} ${seed}`));
const skipped = (kind: Kind, seed: number): boolean =>
  known.has(`${kind} ${seed}`) ||
  (kind === 'live' && !cellName(CELLS[seed % CELLS.length]).includes(values.only));

/** The kind that is farthest behind its share, and its next seed. */
function next(): { readonly kind: Kind; readonly seed: number } | undefined {
  const all = [...state].map(([kind, { kills }]) => ({ kind, behind: kills / KINDS[kind].share }));
  if ([...state.values()].reduce((sum, { kills }) => sum + kills, 0) >= most) return undefined;
  const { kind } = all.reduce((least, one) => (one.behind < least.behind ? one : least));
  const of = state.get(kind);
  if (of === undefined) return undefined;
  while (skipped(kind, of.seed)) of.seed++;
  of.kills += KINDS[kind].kills;
  return { kind, seed: of.seed++ };
}

const bundle = await bundleLives();
const failed: string[] = [];
async function work(): Promise<void> {
  for (let round = next(); round !== undefined; round = next()) {
    const { kind, seed } = round;
    const lives = openLives(bundle);
    const started = performance.now();
    try {
      const { kills, found } = await ROUNDS[kind]({ lives, seed, kills: KINDS[kind].kills });
      const one = { kind, seed, kills, found };
      done.push(one);
      appendFileSync(values.progress, `${JSON.stringify(one)}\n`);
      const seconds = (performance.now() - started) / 1000;
      console.log(`${kind} ${seed}: ${kills} kills, ${found}; ${(seconds / kills).toFixed(2)} s a kill`);
    } catch (error) {
      failed.push(`${kind} ${seed}`);
      console.log(`FAILED ${kind} ${seed}: ${inspect(error)}`);
    } finally {
      lives.close();
    }
  }
}
try {
  await Promise.all(Array.from({ length: Number(values['at-once']) }, work));
} finally {
  rmSync(bundle, { recursive: true });
}
for (const kind of over) {
  const rounds = done.filter((one) => one.kind === kind);
  const kills = rounds.reduce((sum, one) => sum + one.kills, 0);
  console.log(`${kind}: ${kills} kills in ${rounds.length} rounds`);
}
console.log(
  failed.length === 0 ? 'Nothing lost, doubled or torn.' : `${failed.length} FAILED: ${failed.join('; ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
