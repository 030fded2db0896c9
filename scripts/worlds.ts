/**
 * `npm run worlds -- --walks 20 --seeds 3` trades made worlds of a year of hours at 10 + 5 bp: random walks, in which nothing can
 * be earned, and worlds with an edge of 5 to 600 bp a trade (`--kinds drift,ar1,lead-lag,lead-lag-6`), against the same strategy knowing the true process. `--from 101` takes
 * other worlds: those of the seeds from 101 on.
 * Exits with 1 when more than a tenth of the random walks end beyond 1 %.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MODELS, PLANTED, tradeWorld, walkingMarket, walkingWorld } from '../tests/support/worlds.ts';

const { values } = parseArgs({
  options: {
    walks: { type: 'string', default: '20' },
    seeds: { type: 'string', default: '3' },
    models: { type: 'string', default: MODELS.join(',') },
    folds: { type: 'string', default: '4' },
    from: { type: 'string', default: '1' },
    kinds: { type: 'string', default: 'drift,ar1,lead-lag,lead-lag-6' },
    edges: { type: 'string', default: '5,20,60,200,600' },
  },
});
const [walks, seeds, from] = [Number(values.walks), Number(values.seeds), Number(values.from)];
const models = values.models.split(',');
const root = mkdtempSync(join(tmpdir(), 'crypto-trader-worlds-'));
const trading = (name: string) => ({ folder: join(root, name), models, folds: Number(values.folds) });
const text = ({ returnPct, trades }: { readonly returnPct: number; readonly trades: number }): string =>
  `${returnPct.toFixed(2).padStart(8)} % ${String(trades).padStart(5)} trades`;
try {
  for (const [name, world] of [
    ['random walk', walkingWorld],
    ['market of three random walks', walkingMarket],
  ] as const) {
    let still = 0;
    for (let seed = from; seed < from + walks; seed++) {
      const { decided, plain } = await tradeWorld(world(seed), trading(`${name} ${seed}`));
      if (Math.abs(decided.returnPct) <= 1) still++;
      console.log(`${name} ${seed}: ${text(decided)}; plain mean ${text(plain)}`);
    }
    if (walks > 0) console.log(`${name}: ${still} of ${walks} end within 1 %.`);
    if (still < 0.9 * walks) process.exitCode = 1;
  }
  for (const [kind, world] of Object.entries(PLANTED)) {
    if (!values.kinds.split(',').includes(kind)) continue;
    for (const edgeBps of values.edges.split(',').map(Number))
      for (let seed = from; seed < from + seeds; seed++) {
        const name = `${kind} of ${edgeBps} bp, world ${seed}`;
        const { decided, plain, informed } = await tradeWorld(world(edgeBps, seed), trading(name));
        const known = informed === undefined ? '' : `; true process ${text(informed)}`;
        console.log(`${name}: ${text(decided)}${known}; plain mean ${text(plain)}`);
      }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
