/**
 * `npm run laws -- --cases 1000000 --seed 1` holds the execution core to its laws (`tests/core/trading/laws.test.ts`) over that many
 * random markets, in rounds of other seeds. A round that held is kept in node_modules/.cache/laws for as long as core and laws
 * are the same, so that a run that was stopped goes on. Exits with 1 at the first law that does not hold, with the seed that shows it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const Count = z.coerce.number().int().min(1);
const { values } = parseArgs({
  options: { cases: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const cases = Count.parse(values.cases);
const firstSeed = Count.parse(values.seed);

/** Markets a law sees in one round: a round takes about a minute. */
const ROUND = 2000;
const LAWS = 'tests/core/trading/laws.test.ts';
const root = resolve(import.meta.dirname, '..');
const hash = createHash('sha256');
for (const folder of ['src/core/trading', 'src/core/market', 'tests/core/trading'])
  for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort())
    if (name.endsWith('.ts')) hash.update(readFileSync(join(root, folder, name)));
const cache = join(root, `node_modules/.cache/laws/${hash.digest('hex').slice(0, 12)}-${firstSeed}.json`);
const Held = z.strictObject({ rounds: z.int(), cases: z.int() });
let held = existsSync(cache) ? Held.parse(JSON.parse(readFileSync(cache, 'utf8'))) : { rounds: 0, cases: 0 };
if (held.rounds > 0) console.log(`${held.cases} cases held before`);

const scratch = mkdtempSync(join(tmpdir(), 'crypto-trader-laws-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const Report = z.object({ numPassedTests: z.int(), numTotalTests: z.int() });
while (held.cases < cases) {
  const seed = firstSeed + held.rounds;
  const report = join(scratch, 'report.json');
  const { status, said } = await round(seed, report);
  if (status !== 0) {
    console.error(`${said}\nA law does not hold: LAW_SEED=${seed} LAW_RUNS=${ROUND} npx vitest run ${LAWS}`);
    process.exit(1);
  }
  const { numPassedTests, numTotalTests } = Report.parse(JSON.parse(readFileSync(report, 'utf8')));
  if (numPassedTests !== numTotalTests) throw new Error('a law was skipped');
  held = { rounds: held.rounds + 1, cases: held.cases + numPassedTests * ROUND };
  mkdirSync(dirname(cache), { recursive: true });
  writeFileSync(cache, JSON.stringify(held));
  console.log(`${held.cases} cases hold, seeds ${firstSeed} to ${seed}`);
}

async function round(seed: number, report: string): Promise<{ status: number | null; said: string }> {
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      LAWS,
      '--reporter=json',
      `--outputFile=${report}`,
      '--testTimeout=3600000',
    ],
    {
      cwd: root,
      env: { ...process.env, LAW_RUNS: String(ROUND), LAW_SEED: String(seed) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const stop = (): void => {
    child.kill('SIGTERM');
    process.exit(130);
  };
  process.once('SIGINT', stop);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += String(bytes)));
  const status = await new Promise<number | null>((done) => child.once('close', done));
  process.removeListener('SIGINT', stop);
  return { status, said };
}
