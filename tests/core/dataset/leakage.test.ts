import { beforeAll, describe, expect, it } from 'vitest';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import { purgedTrainRows } from '../../../src/core/dataset/splits.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { HOUR, randomWalk } from './series.ts';

/**
 * Labels of 24 bars overlap, so on any series rows close in time share most of their future. A nearest neighbour
 * on slow features finds those rows again when a random split puts them on both sides, and looks clever.
 */
describe('a nearest-neighbour forecast of 24-hour direction on a random walk', () => {
  const HORIZON = 24;
  const { candles } = randomWalk('BTC/USDT', 3000, 5);
  const { time, close } = candles;
  const labels = forwardReturns(candles, '1h', HORIZON);
  const ends = time.map((opened) => opened + (HORIZON + 1) * HOUR);
  const average = (row: number, bars: number): number =>
    close.subarray(row - bars + 1, row + 1).reduce((sum, price) => sum + Math.log(price), 0) / bars;
  let features: readonly (readonly number[])[];
  beforeAll(() => {
    features = Array.from(close, (_, row) =>
      row < 100 ? [] : [average(row, 10), average(row, 30), average(row, 100)],
    );
  });
  const usable = (rows: Int32Array): readonly number[] =>
    [...rows].filter((row) => row >= 100 && !Number.isNaN(labels[row]));

  function accuracy(train: readonly number[], test: readonly number[]): number {
    let hits = 0;
    for (const row of test) {
      let best = Infinity;
      let label = 0;
      for (const other of train) {
        let distance = 0;
        for (let i = 0; i < 3; i++) distance += (features[row][i] - features[other][i]) ** 2;
        if (distance < best) [best, label] = [distance, labels[other]];
      }
      if (label * labels[row] > 0) hits++;
    }
    return hits / test.length;
  }

  it('scores far above chance when the split is random', () => {
    const random = createRandom(1);
    const rows = usable(Int32Array.from(time, (_, row) => row));
    const test = new Set(rows.filter(() => random() < 0.2));
    expect(accuracy(rows.filter((row) => !test.has(row)), [...test])).toBeGreaterThan(0.8); // prettier-ignore
  });

  it('scores chance when held-out spans are purged and embargoed', () => {
    const folds = Array.from({ length: 6 }, (_, fold) => {
      const span = { fromMs: (100 + fold * 480) * HOUR, untilMs: (100 + (fold + 1) * 480) * HOUR };
      const inside = Int32Array.from({ length: 480 }, (_, i) => 100 + fold * 480 + i);
      return accuracy(usable(purgedTrainRows(time, ends, span, 24 * HOUR)), usable(inside));
    });
    const mean = folds.reduce((sum, share) => sum + share, 0) / folds.length;
    // 2 880 rows of 24 overlapping hours are about 120 independent ones: a standard error of 4.6 points.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.14);
  });
});
