import { expect, it } from 'vitest';
import { recordOf } from '../../../src/app/dashboard/record-view.ts';

type Recent = Parameters<typeof recordOf>[0]['recent'];

/** Closes of one symbol, and what one model said at each. */
const bars = (rows: readonly (readonly [number | undefined, readonly [number, number] | null])[]): Recent =>
  rows.map(([close, said], i) => ({
    timeMs: i,
    candles: [close === undefined ? null : [close, close, close, close, 1]],
    models: { gru: [said === null ? null : [...said]] },
  }));

it('an opinion came true when the close over the horizon moved its way, by the confidence it was stated with', () => {
  const recent = bars([
    [100, [1, 0.15]], // 2 bars on: 102, true
    [101, [-0.5, 0.15]], // 101: unmoved, not judged
    [102, [-1, 0.9]], // 100: true
    [101, [1, 0.9]], // no bar, not judged
    [100, [0, 0.9]], // no opinion
    [undefined, null],
    [99, [1, 0.9]], // its horizon is not over
    [98, [1, 0.9]],
  ]);
  expect(recordOf({ recent }, () => 2)).toEqual([
    {
      model: 'gru',
      horizonBars: 2,
      hits: 2,
      judged: 2,
      byConfidence: [
        { fromPct: 10, toPct: 20, hits: 1, judged: 1 },
        { fromPct: 80, toPct: 100, hits: 1, judged: 1 },
      ],
    },
  ]);
  expect(recordOf({ recent }, () => 1)[0]).toMatchObject({ hits: 2, judged: 5 });
});

it('nothing is said of a model whose horizon is not known, or that never spoke', () => {
  expect(
    recordOf(
      {
        recent: bars([
          [1, [1, 1]],
          [2, null],
        ]),
      },
      () => undefined,
    ),
  ).toEqual([]);
  expect(
    recordOf(
      {
        recent: bars([
          [1, null],
          [2, null],
        ]),
      },
      () => 1,
    ),
  ).toEqual([]);
});
