import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Panel, panelUntil } from '../../../../src/core/dataset/panel.ts';
import { tf } from '../../../../src/learning/engine/tf.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { multiTaskHead } from '../../../../src/learning/models/multi-task/head.ts';
import { multiTask } from '../../../../src/learning/models/multi-task/index.ts';
import {
  multiTaskTargets,
  realisedVolatility,
  REGIMES,
  regimeOf,
} from '../../../../src/learning/models/multi-task/targets.ts';
import { VOLATILITY } from '../../../../src/learning/learners/deep/params.ts';
import { candlesOf, HOUR } from '../../../core/dataset/series.ts';
import { labelledUntil, PLANTED_FEATURES } from './planted.ts';

const RULE = {
  horizonBars: 1,
  outlookBars: 3,
  highVolatilityPct: 20,
  rangingPct: 50,
  sidewaysSigmas: 0.5,
  fullSizeSigmas: 0.1,
  buyAbove: 0.53,
  sellBelow: 0.47,
  minimumConfidence: 0.5,
};

describe('what the tasks learn', () => {
  it('realised volatility: the root mean square of the log returns to come', () => {
    const close = Float64Array.from([0, 0.03, -0.01, 0, 0.02], Math.exp);
    // Log returns .03, -.04, .01, .02.
    const expected = [Math.sqrt((9 + 16) / 2) / 100, Math.sqrt((16 + 1) / 2) / 100, Math.sqrt(2.5) / 100];
    const found = realisedVolatility(close, 2);
    expected.forEach((value, row) => expect(found[row]).toBeCloseTo(value, 12));
    expect(found.subarray(3)).toEqual(Float64Array.of(NaN, NaN));
  });

  it.each([
    [0.5, 0.01, 'bull'],
    [-0.5, 0.01, 'bear'],
    [0.3, 0.01, 'ranging'],
    [-0.4, 0.01, 'ranging'],
    [0.5, 0.03, 'high-vol'],
    [0.1, 0.03, 'high-vol'],
  ])('a trend of %d deviations at volatility %d: %s', (trend, volatility, regime) => {
    const thresholds = { highVolatility: 0.02, trendSigmas: 0.4 };
    expect(REGIMES[regimeOf(trend, volatility, thresholds)]).toBe(regime);
    expect(regimeOf(NaN, volatility, thresholds)).toBeNaN();
  });

  it('has thresholds of each symbol that only the bars of training decide', () => {
    const targets = multiTaskTargets(RULE);
    const until = 300 * HOUR;
    const calm = volatilePanel(400, { shuffled: false });
    const series = calm.series.map((one) => {
      // The last label of training ends with the open of bar 300.
      const wild = (price: number, row: number): number => (row > 300 ? price * (1 + (row % 2)) : price);
      const { open, close } = one.candles;
      return {
        ...one,
        candles: {
          ...one.candles,
          open: open.map(wild),
          close: close.map((p, r) => (r > 299 ? wild(p, r + 1) : p)),
        },
      };
    });
    const later = { ...calm, series };
    expect(targets.of(later, until).fitted).toEqual(targets.of(calm, until).fitted);
    expect(targets.of(later, until + HOUR).fitted).not.toEqual(targets.of(calm, until + HOUR).fitted);
    const [btc, eth] = Object.values(targets.of(calm, until).fitted ?? {});
    expect(btc).not.toEqual(eth);
  });
});

describe('the head of four tasks', () => {
  const head = multiTaskHead(RULE);
  /** Direction, volatility, regime, size, log variances. */
  const outputs = (...[size, ...logVariances]: readonly number[]): number[] => [
    ...[0, 0, 0],
    0.2,
    ...[0, 0, 0, 0],
    size,
    ...logVariances,
  ];

  it('adds the losses of the tasks, each divided by its variance, and half of its logarithm', () => {
    const change = 2;
    const targets = [change, 0.8, REGIMES.indexOf('bear')];
    const loss = (row: readonly number[]): number =>
      head
        .rowLosses(tf.tensor2d([...row], [1, 13]), tf.tensor2d(targets, [1, 3]), { positiveShare: 0.5 })
        .dataSync()[0];
    // Without opinions: ln 3, (.8 - .2)^2 / 2, ln 4 and 1^2 / 2.
    expect(loss(outputs(0, 0, 0, 0, 0))).toBeCloseTo(Math.log(3) + 0.18 + Math.log(4) + 0.5, 5);
    const two = Math.log(2);
    expect(loss(outputs(0, two, 0, -two, 0))).toBeCloseTo(Math.log(3) / 2 + 0.18 + Math.log(4) * 2 + 0.5, 5);
    // A whole position earns two deviations: (1 - .1 x 1 x 2)^2 / 2.
    expect(loss(outputs(100, 0, 0, 0, 0))).toBeCloseTo(Math.log(3) + 0.18 + Math.log(4) + 0.32, 5);
  });

  it('learns the class in which the return lies', () => {
    const towards = (side: number, change: number): number => {
      const row = outputs(0, 0, 0, 0, 0).with(side, 9);
      const targets = tf.tensor2d([change, 0.2, 0], [1, 3]);
      return head.rowLosses(tf.tensor2d(row, [1, 13]), targets, { positiveShare: 0.5 }).dataSync()[0];
    };
    for (const [change, right] of [
      [-0.6, 0],
      [-0.4, 1],
      [0.4, 1],
      [0.6, 2],
    ] as const) {
      const losses = [0, 1, 2].map((side) => towards(side, change));
      expect(losses.indexOf(Math.min(...losses)), String(change)).toBe(right);
    }
  });

  it.each([
    ['the size of its side', 1, 0.4, 0.4],
    ['the same of a fall', -1, -0.4, -0.4],
    ['nothing where size and side differ', 1, -0.4, 0],
    ['nothing between the thresholds', 0.01, 0.4, 0],
    ['no opinion without inputs', NaN, NaN, NaN],
  ])('takes %s', (_, odds, size, position) => {
    const row = Float64Array.from([0, 0, odds, 0, 0, 0, 0, 0, Math.atanh(size), 0, 0, 0, 0]);
    const calibration = { slope: 1, offset: 0, logVolatilityOffset: 0 };
    const forecast = head.forecast(row, Float64Array.of(0.01), calibration);
    expect(Math.round(forecast.position[0] * 1e6) / 1e6).toBe(position);
  });
});

describe('volatility and regime', () => {
  const scores = async (shuffled: boolean) => {
    const panel = volatilePanel(2000, { shuffled });
    const { report } = await multiTask.fit({
      panel: panelUntil(panel, labelledUntil(2000)),
      params: multiTask.params.parse({
        ...{ features: PLANTED_FEATURES, lookBack: 4, batchSize: 32, epochs: 6, learningRate: 5e-3 },
        ...{ hidden: 16, layers: 1, horizonBars: 1, outlookBars: 3 },
      }),
      trainUntilMs: labelledUntil(1200),
      seed: 1,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    return z.object({ validation: z.record(z.string(), z.number()) }).parse(report).validation;
  };

  it('are forecast when an input tells how much the market will move', async () => {
    const found = await scores(false);
    expect(found.volatilityRankCorrelation).toBeGreaterThan(0.8);
    expect(found.volatilityQlike).toBeLessThan(found.ewmaVolatilityQlike - 0.3);
    expect(found.regimeAccuracyPct).toBeGreaterThan(found.regimeMajorityClassPct + 8);
  });

  it('are not when that input tells of other bars', async () => {
    const found = await scores(true);
    expect(Math.abs(found.volatilityRankCorrelation)).toBeLessThan(0.15);
    expect(found.volatilityQlike).toBeGreaterThan(found.ewmaVolatilityQlike - 0.02);
    expect(found.regimeAccuracyPct).toBeLessThan(found.regimeMajorityClassPct + 4);
  });
});

/**
 * Two walks whose deviation is drawn anew for every three bars; an input tells the logarithm of the coming three bars'
 * realised one, under some noise. `shuffled`: that of some other bar.
 */
function volatilePanel(rows: number, { shuffled }: { readonly shuffled: boolean }): Panel {
  const symbols = ['BTC/USDT', 'ETH/USDT'] as const;
  const series = symbols.map((symbol, s) => {
    const random = createRandom(7 + s);
    const opens: number[] = [];
    let deviation = 0.01;
    for (let price = 100; opens.length < rows; price *= Math.exp(deviation * normal(random))) {
      if (opens.length % 3 === 0) deviation = 0.002 * 10 ** random();
      opens.push(price);
    }
    const candles = candlesOf(opens);
    const known = realisedVolatility(candles.close, 3).map((value) => (value > 0 ? Math.log(value) : 0));
    const order = Array.from(known.keys(), (row) => [random(), row] as const).sort(([a], [b]) => a - b);
    const told = shuffled ? known.map((_, row) => known[order[row][1]]) : known;
    const columns = [
      known.map(() => 0.01),
      known.map(() => normal(random)),
      told.map((value) => value + 0.1 * normal(random)),
    ];
    return { symbol, candles, features: { names: [VOLATILITY, ...PLANTED_FEATURES], columns } };
  });
  return { timeframe: '1h', series };
}
