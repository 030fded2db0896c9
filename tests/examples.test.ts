import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../examples');

/** What several examples import. */
const SHARED = ['market.ts', 'project-of-examples.ts'];
/** What each example says last. */
const SAYS: Readonly<Record<string, RegExp>> = {
  'own-model.ts': /^\d+ laws kept$/,
  'own-strategy.ts': /^\d+ laws kept$/,
  'own-feature.ts': /^\d+ laws kept; \d+ values beside the RSI$/,
  'own-exchange.ts': /^\d+ laws kept$/,
  'features-to-parquet.ts':
    /^ETH\/USDT: 3648 rows of time, rsi_14, volatility_20, macd_histogram in \d+ KiB$/,
  'ensemble.ts': /^2 of 3 models on 3648 bars; newest: equal -?\d\.\d\d, weighted -?\d\.\d\d$/,
  'load-ensemble.ts': /^8 signals of 2 pairs, 1 hour later$/,
  'paper.ts': /^[1-9]\d* bars, then 0; \d+ trades; equity \d+\.\d\d, the same again: true$/,
  'own-head.ts': /^probability of a rise within 4 bars: 0\.\d\d$/,
  'bot.ts': /^the bot holds a position in [012] of 2 markets$/,
  'features.ts': /^ETH\/USDT 2024-05-31T23:00:00\.000Z rsi_14 \d/,
  'backtest.ts': /^\d+ fills, ulcer index \d+\.\d %$/,
  'walk-forward.ts': /^from 2024-.* samples, hit rate/,
  // Two models and their ensemble, compared on validation, and again under the default strategy.
  'project.ts': /^2 models; BTC\/USDT: (buy|flat|hold|no opinion); 6 trials; report of one page$/,
};

it('every example has an expectation here', () => {
  const found = readdirSync(folder).filter((name) => name.endsWith('.ts') && !SHARED.includes(name));
  expect(found.toSorted()).toEqual(Object.keys(SAYS).toSorted());
});

it.each(Object.entries(SAYS))('%s runs', { timeout: 240_000 }, (name, says) => {
  const root = resolve(folder, '..');
  const { stdout, stderr, status } = spawnSync('npx', ['tsx', join(folder, name)], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stdout).not.toContain('BROKEN');
  expect(stdout.trim().split('\n').at(-1)).toMatch(says);
});
