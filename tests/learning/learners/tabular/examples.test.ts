import { expect, it } from 'vitest';
import type { FeatureColumn } from '../../../../src/core/dataset/panel.ts';
import { finish } from '../../../../src/core/foundation/steps.ts';
import { exampleSteps } from '../../../../src/learning/learners/tabular/examples.ts';
import { panelOf, START_MS, walk } from '../../models/panels.ts';

it('keeps a horizon between training and validation: no label reaches over the end of training', () => {
  const bare = panelOf({ 'BTC/USDT': walk(300, 1).map(Math.exp), 'ETH/USDT': walk(300, 2).map(Math.exp) });
  const panel = {
    ...bare,
    series: bare.series.map((one) => ({
      ...one,
      features: { names: ['row'], columns: [one.candles.time.map((_, row) => row)] },
    })),
  };
  const trainUntilMs = START_MS + 200 * 36e5;
  const { train, validation } = finish(
    exampleSteps({ panel, trainUntilMs }, { features: ['row'], horizonBars: 4 }),
  );
  // A label runs from the next open over 4 bars: that of row 195 ends where bar 200 opens.
  const half = train.labels.length / 2;
  const [[trained], [validated]] = [[...train.columns], [...validation.columns]];
  expect([...trained.subarray(0, half)]).toEqual(Array.from({ length: 196 }, (_, row) => row));
  // The last label ends at the open of bar 299.
  expect([...validated.subarray(0, 95)]).toEqual(Array.from({ length: 95 }, (_, i) => 200 + i));
  expect(validation.labels.length).toBe(2 * 95);
});

it('gives features in single precision where that is asked for, from columns of either kind', () => {
  const bare = panelOf({ 'BTC/USDT': walk(300, 1).map(Math.exp), 'ETH/USDT': walk(300, 2).map(Math.exp) });
  const of = <Column extends FeatureColumn>(
    column: (close: Float64Array) => Column,
  ): readonly FeatureColumn[] => {
    const series = bare.series.map((one) => ({
      ...one,
      features: { names: ['close'], columns: [column(one.candles.close)] },
    }));
    const task = { panel: { ...bare, series }, trainUntilMs: START_MS + 200 * 36e5 };
    const asked = { features: ['close'], horizonBars: 4 };
    return [...finish(exampleSteps(task, asked, { single: true })).train.columns];
  };
  const [single] = of((close) => Float32Array.from(close));
  const [double] = of((close) => close);
  expect(single).toBeInstanceOf(Float32Array);
  expect(single.length).toBe(2 * 196);
  expect(double).toEqual(single);
  expect(single[195]).toBe(Math.fround(bare.series[0].candles.close[195]));
  expect(single[196]).toBe(Math.fround(bare.series[1].candles.close[0]));
});
