/**
 * `npm run storm -- --kills 1000 --seed 7` kills a paper session with SIGKILL that many times: before, in the middle of or after
 * one of its writes, syncs and renames, chosen by the seed. In the end its ledger must be that of a session nobody
 * killed, byte for byte. The same seed kills at the same operations. Exits with 1 and the seed when something differs.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/foundation/random.ts';
import { type Disk, nodeDisk } from '../src/data/files.ts';
import { resumeSession, startSession, verifySession } from '../src/desk/paper/session.ts';
import { randomWalk, session, steps } from '../tests/desk/paper/walk.ts';
import { killingDisk, MOMENTS } from '../tests/support/killing-disk.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    life: { type: 'string' },
    folder: { type: 'string' },
    operation: { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
/** On average a life gets this many operations on the disk, two for each bar and four for every fifth. */
const LIFE_OPERATIONS = 24;
/** More than the longest lives can use up, so that every kill finds a session at work. */
const BARS = Math.ceil(0.75 * kills * LIFE_OPERATIONS) + 20;

if (values.folder === undefined) await storm();
else await live(values.folder, killingDisk(Number(values.operation), MOMENTS[Number(values.life) % 3]));

async function storm(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'crypto-trader-storm-'));
  try {
    const calm = join(root, 'calm');
    await live(calm, nodeDisk);
    const folder = join(root, 'storm');
    const random = createRandom(seed);
    let done = 0;
    for (let life = 0; done < kills; life++) {
      const operation = Math.floor(2 * LIFE_OPERATIONS * random());
      const killed = await child(folder, operation, life);
      if (!killed) throw new Error(`the session ended before it was killed ${kills} times`);
      done++;
      if (done % 100 === 0) console.log(`${done} kills`);
    }
    await live(folder, nodeDisk);
    const ledger = (one: string): string => readFileSync(join(one, 'ledger.jsonl'), 'utf8');
    const verified = await verifySession(folder);
    if (ledger(folder) !== ledger(calm) || verified?.bars !== BARS || verified.tornBytes !== 0)
      throw new Error(`the ledger differs after ${kills} kills with seed ${seed}`);
    console.log(`${kills} kills, seed ${seed}: ${BARS} bars, nothing lost, nothing doubled.`);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** One life: true when it ended by the kill, false when it came to its end. */
async function child(folder: string, operation: number, life: number): Promise<boolean> {
  const flags = { kills, seed, folder, operation, life };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const running = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, ...args], {
    stdio: 'inherit',
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((ended) =>
    running.once('close', (...how) => ended(how)),
  );
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`life ${life} of seed ${seed} ended with ${code}`);
  return signal === 'SIGKILL';
}

async function live(folder: string, disk: Disk): Promise<void> {
  const options = { disk, snapshotEveryBars: 5 };
  const running = (await resumeSession(folder, options)) ?? (await startSession(folder, session, options));
  for (const { bar, decision } of steps(randomWalk(BARS, seed)))
    await running.process(bar, decision, bar.timeMs);
  await running.close();
}
