/**
 * The whole check, as `npm test`: static checks first, then every test. The last line reads
 * `N passed, N failed`; a static check counts as one. A test may be skipped only for want of something that its title names,
 * `(needs a server)`, and that is on the list below: any other skip is a failure. `npm test -- tests/trading` runs only those tests.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const only = process.argv.slice(2);
/** Two at a time; what compiles `src/`, or runs what was compiled, goes one after another. */
const LANES = [
  ['package', 'pages', 'api', 'types', 'boundaries', 'unused'],
  ['lint', 'format'],
];

let passed = 0;
let failed = 0;
/** One static check; what it prints is shown in one piece. */
async function check(name: string): Promise<void> {
  const run = spawn('npm', ['run', '--silent', `check:${name}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const [status] = (await once(run, 'close')) as [number | null];
  process.stdout.write(
    `${Buffer.concat(output).toString()}${status === 0 ? 'ok    ' : 'FAILED'} check:${name}\n`,
  );
  if (status === 0) passed++;
  else failed++;
}
const lane = async (names: readonly string[]): Promise<void> => {
  for (const name of names) await check(name);
};
if (only.length === 0) await Promise.all(LANES.map(lane));

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});
/** What a machine may lack. Candles of an exchange are not ours to hand on. */
const MAY_LACK = ['a server', 'a browser', 'real candles', 'two cores', 'Linux', 'POSIX', 'tmux'];
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-test-'));
const file = join(folder, 'report.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
const run = spawnSync('npx', ['vitest', 'run', ...reporters, ...only], { stdio: 'inherit' });
const report = Report.parse(JSON.parse(readFileSync(file, 'utf8')));
rmSync(folder, { recursive: true });
passed += report.numPassedTests;
failed += report.numFailedTests;
// A file that could not even be loaded has no failed test of its own.
if (run.status !== 0 && failed === 0) failed = 1;

const skipped = report.testResults.flatMap(({ assertionResults }) =>
  assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
);
const lacking = new Map<string, number>();
for (const { fullName } of skipped) {
  const want = /\(needs ([^)]*)\)/.exec(fullName)?.[1] ?? '';
  if (MAY_LACK.includes(want)) lacking.set(want, (lacking.get(want) ?? 0) + 1);
  else {
    process.stdout.write(`FAILED skipped without a reason that may be: ${fullName}\n`);
    failed++;
  }
}
/** Fewer cells than this of tests/faults (edges of the program x what can befall them) means that a table was lost. */
const LEAST_CELLS = 1000;
const cells = report.testResults
  .filter(({ name }) => name.includes('/tests/faults/'))
  .reduce((sum, { assertionResults }) => sum + assertionResults.length, 0);
if (cells > 0) process.stdout.write(`\nfault matrix: ${cells} cells\n`);
if (only.length === 0 && cells < LEAST_CELLS) {
  process.stdout.write(`FAILED the fault matrix has ${cells} cells, at least ${LEAST_CELLS} expected\n`);
  failed++;
}

process.stdout.write(`\n${skipped.length} skipped\n`);
for (const [want, count] of lacking) process.stdout.write(`  ${count} for want of ${want}\n`);

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
