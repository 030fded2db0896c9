import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('what would be ignored is refused or named', () => {
  it.each([
    [
      'fetch --source synthetic --base-url http://127.0.0.1:1',
      '--base-url does nothing with --source synthetic.',
    ],
    [
      'fetch --csv x.csv --recheck-gaps --concurrency 2',
      '--concurrency, --recheck-gaps do nothing with --source csv.',
    ],
    ['fetch --source yahoo --base-url http://127.0.0.1:1', '--base-url does nothing with --source yahoo.'],
    ['fetch --every 60', '--every does nothing without --series order-book.'],
    ['fetch --series funding --count 3', '--count does nothing without --series order-book.'],
    ['fetch --series funding --csv x.csv --since 2024-01-01', '--since does nothing with --csv.'],
    ['fetch --series funding --repair', '--repair does nothing with --series.'],
    ['features --folds 3', '--folds does nothing without --select.'],
    ['features --check --rows 3', '--rows does nothing where no values are printed (--symbols).'],
    ['backtest --embargo-bars 12', '--embargo-bars does nothing without --walk-forward.'],
  ])('`%s`', async (line, message) => {
    const { status, stderr } = await runCli(line.split(' '), { cwd: temporaryFolder() });
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  it('a setting that another one has to switch on, once it is set', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'config.yaml'), 'trading: { trailingActivationPct: 2, reentry: next-bar }\n');
    const { stderr } = await runCli(['config'], { cwd });
    expect(stderr.trim().split('\n')).toEqual([
      'trading.trailingActivationPct has no effect: it needs trading.trailingStopPct.',
      'trading.reentry has no effect: it needs a stop, a target or another exit.',
    ]);
    writeFileSync(join(cwd, 'config.yaml'), 'trading: { trailingActivationPct: 2, trailingStopPct: 3 }\n');
    expect((await runCli(['config'], { cwd })).stderr).toBe('');
  });

  it('and a range of no length says so', async () => {
    const range = ['--since', '2025-01-01T00:00:00Z', '--until', '2025-01-01T00:00:00Z'];
    const { status, stderr } = await runCli(['fetch', ...range], { cwd: temporaryFolder() });
    expect(status).toBe(1);
    expect(stderr).toContain('The range is empty: it begins and ends at 2025-01-01 00:00.');
  });
});
