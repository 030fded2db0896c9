/**
 * `npm run storm:live -- --seed 7 --pairs` kills live sessions on the loopback exchange with SIGKILL, at their writes and syncs, in every cell of
 * the fault matrix: every fault on every action, and with `--pairs` every two faults together. After each cell the executions on record must be
 * the exchange's, one by one, and so the balances. What is done is kept in `--progress`, and not done again: the same command resumes.
 * Exits with 1, the cell and the seed when something differs.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Action, ACTIONS, type FaultName, FAULTS } from '../tests/desk/live/cells.ts';
import { bundleLife, killThrough } from '../tests/desk/live/kill-through.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    pairs: { type: 'boolean', default: false },
    kills: { type: 'string', default: '1000' },
    operations: { type: 'string', default: '4' },
    cells: { type: 'string', default: '' },
    progress: { type: 'string', default: join(tmpdir(), 'crypto-trader-live-storm.txt') },
  },
});
const seed = Number(values.seed);
const names = Object.keys(FAULTS) as FaultName[];
const actions = Object.keys(ACTIONS) as Action[];
const combinations = [
  ...names.map((one) => [one]),
  ...(values.pairs ? names.flatMap((one, i) => names.slice(i + 1).map((other) => [one, other])) : []),
];
const done = new Set(existsSync(values.progress) ? readFileSync(values.progress, 'utf8').split('\n') : []);
const life = await bundleLife();
let [cells, kills, failed] = [0, 0, 0];
for (const faults of combinations)
  for (const action of actions) {
    const name = `${seed}: an order that is ${action}; ${faults.join(', ')}`;
    if (!name.includes(values.cells) || done.has(name)) continue;
    try {
      const found = await killThrough({
        action,
        faults,
        seed,
        most: Number(values.kills),
        operations: Number(values.operations),
        life,
      });
      kills += found.kills;
      cells++;
      appendFileSync(values.progress, `${name}\n`);
      console.log(`${name}: ${found.kills} kills, ${found.fills} executions`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
console.log(
  `${kills} kills in ${cells} cells, seed ${seed}: ${failed === 0 ? 'nothing lost, doubled or made up.' : `${failed} cells FAILED.`}`,
);
rmSync(dirname(life), { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;
