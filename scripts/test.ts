/**
 * The whole check, as `npm test`: static checks first, then every test. The last line reads
 * `N passed, N failed`; a static check counts as one. `npm test -- tests/trading` runs only those tests.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const only = process.argv.slice(2);
const checks =
  only.length > 0 ? [] : ['types', 'lint', 'format', 'boundaries', 'unused'].map((name) => `check:${name}`);

let passed = 0;
let failed = 0;
for (const check of checks) {
  const { status } = spawnSync('npm', ['run', '--silent', check], { stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${check}\n`);
  if (status === 0) passed++;
  else failed++;
}

const Report = z.object({ numPassedTests: z.number(), numFailedTests: z.number(), success: z.boolean() });
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

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
