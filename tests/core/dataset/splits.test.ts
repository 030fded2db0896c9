import { describe, expect, it } from 'vitest';
import { chronologicalSplit, purgedTrainRows, walkForwardFolds } from '../../../src/core/dataset/splits.ts';
import { HOUR } from './series.ts';

describe('the chronological split', () => {
  it('gives training, validation and test their shares, in time order, on bar opens', () => {
    const span = { fromMs: 0, untilMs: 100 * HOUR };
    expect(chronologicalSplit(span, '1h', { validationPct: 10, testPct: 20 })).toEqual({
      trainUntilMs: 70 * HOUR,
      validateUntilMs: 80 * HOUR,
    });
  });

  it('refuses shares that leave nothing to train on', () => {
    const span = { fromMs: 0, untilMs: 100 * HOUR };
    expect(() => chronologicalSplit(span, '1h', { validationPct: 60, testPct: 40 })).toThrow(
      /no bar to train/,
    );
  });
});

describe('walk-forward folds', () => {
  const span = { fromMs: 0, untilMs: 100 * HOUR };

  it('test every bar once and train on the bars before the embargo', () => {
    const folds = walkForwardFolds(span, '1h', { folds: 3, firstTestMs: 40 * HOUR, embargoMs: 2 * HOUR });
    expect(folds.map(({ test }) => [test.fromMs / HOUR, test.untilMs / HOUR])).toEqual([
      [40, 60],
      [60, 80],
      [80, 100],
    ]);
    expect(folds.map(({ train }) => [train.fromMs / HOUR, train.untilMs / HOUR])).toEqual([
      [0, 38],
      [0, 58],
      [0, 78],
    ]);
  });

  it('train on a rolling window when one is given', () => {
    const folds = walkForwardFolds(span, '1h', {
      folds: 2,
      firstTestMs: 40 * HOUR,
      embargoMs: 0,
      windowMs: 30 * HOUR,
    });
    expect(folds.map(({ train }) => train.fromMs / HOUR)).toEqual([10, 40]);
  });

  it('are refused when there are fewer bars than folds', () => {
    const ask = { folds: 90, firstTestMs: 40 * HOUR, embargoMs: 0 };
    expect(() => walkForwardFolds(span, '1h', ask)).toThrow(/too few/);
  });
});

describe('purged k-fold rows', () => {
  it('drop labels that overlap the test span and rows within the embargo after it', () => {
    const time = Float64Array.from({ length: 12 }, (_, i) => i);
    const end = time.map((opened) => opened + 2);
    // Test rows 4 and 5; their labels reach until 7, then one hour of embargo: 8 is the first row allowed again.
    expect([...purgedTrainRows(time, end, { fromMs: 4, untilMs: 6 }, 1)]).toEqual([0, 1, 2, 8, 9, 10, 11]);
  });
});
