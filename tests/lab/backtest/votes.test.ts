import { expect, it } from 'vitest';
import type { ForecastSource } from '../../../src/lab/backtest/sources.ts';
import { votesOverTime } from '../../../src/lab/backtest/votes.ts';
import { HOUR_MS, randomPanel } from './panel-of.ts';

const BARS = 10;
const panel = randomPanel(BARS, 3);
const column = (of: (row: number) => number): Float64Array =>
  Float64Array.from({ length: BARS }, (_, row) => of(row));

it('is what each voter counted for, on average over the symbols that it spoke on', () => {
  const start = panel.series[0].candles.time[0];
  const shares = panel.series.map((_, s) => [
    column((row) => (row < 5 ? 0.25 : s === 0 ? 1 : NaN)),
    column((row) => (row < 5 ? 0.75 : s === 0 ? 0 : NaN)),
  ]);
  const source = {
    panel,
    range: { fromMs: start + 2 * HOUR_MS, untilMs: start + 8 * HOUR_MS },
    voters: ['ridge', 'lstm'],
    shares,
  } as unknown as ForecastSource;
  const [ridge, lstm] = votesOverTime(source);
  expect(ridge.model).toBe('ridge');
  expect([...ridge.share]).toEqual([0.25, 0.25, 0.25, 1, 1, 1]);
  expect([...lstm.share]).toEqual([0.75, 0.75, 0.75, 0, 0, 0]);
  expect(votesOverTime({ ...source, voters: ['ridge'] })).toEqual([]);
});
