import assert from 'node:assert/strict';
import type { Forecast } from '../../core/forecast/model.ts';
import { createRandom, normal } from '../../core/foundation/random.ts';
import type { Candles } from '../../core/market/candles.ts';
import { applyRule } from '../../core/strategy/apply.ts';
import type { Edge } from '../../core/strategy/edge.ts';
import type { MetaLabels } from '../../core/strategy/labels.ts';
import { describeReason } from '../../core/strategy/reason.ts';
import type { Decision, Rule, Setting, Situation, Strategy } from '../../core/strategy/strategy.ts';
import { runningVolatility } from '../../core/strategy/volatility.ts';
import { BARS, lawMarket } from './law-market.ts';
import { leastMicroseconds } from './speed.ts';
import { tryLaws } from './try-laws.ts';
import type { Verdict } from './verdict.ts';

const [{ symbol, candles }] = lawMarket();

const skilled: Edge = {
  slope: 0.8,
  error: 0.2,
  low: 0.3,
  high: 1.3,
  samples: 5000,
  persistence: 0.9,
  deviation: 0.01,
  horizonBars: 4,
};
/** A second model over the first, surer where that one leans further. */
const labels: MetaLabels = {
  intercept: 0.3,
  weights: [0.5, 0.1, -0.2, 0],
  means: [1, 0.5, -5, 0],
  deviations: [0.5, 0.2, 0.3, 1],
  base: 0.55,
  meanMove: 0.02,
  edge: skilled,
};
/** Forecasters with skill, without, and never measured; accounts that may sell short and that may not. */
const settings: readonly Setting[] = [{ ...skilled, labels }, { ...skilled, low: -0.2 }, undefined].flatMap(
  (edge) => [true, false].map((allowShort) => ({ cost: 0.0015, allowShort, edge })),
);

/** A forecast that states everything, now strongly, now faintly, and now and then nothing at all. */
function lawForecast(): Forecast {
  const random = createRandom(17);
  const drawn = Float64Array.from({ length: BARS }, (_, row) =>
    row % 97 === 0 ? NaN : 0.03 * normal(random),
  );
  const bounded = (value: number): number => Math.max(-1, Math.min(1, value));
  return {
    symbol,
    horizonBars: 4,
    position: drawn.map((value) => bounded(25 * value)),
    confidence: drawn.map((value) => Math.min(1, 20 * Math.abs(value))),
    probabilityUp: drawn.map((value) => 1 / (1 + Math.exp(-60 * value))),
    expectedReturn: drawn,
    quantiles: {
      levels: [0.1, 0.5, 0.9],
      columns: [-0.01, 0, 0.01].map((gap) => drawn.map((one) => one + gap)),
    },
  };
}
const forecast = lawForecast();

/** Rows of the forecast as a strategy sees them, held positions between. */
const situations: readonly Situation[] = Array.from({ length: 400 }, (_, i) => ({
  held: [0, 0.4, 1, -0.4, -1][i % 5],
  horizonBars: forecast.horizonBars,
  position: forecast.position[i],
  confidence: forecast.confidence[i],
  probabilityUp: i % 3 === 0 ? NaN : (forecast.probabilityUp?.[i] ?? NaN),
  expectedReturn: i % 7 === 0 ? NaN : (forecast.expectedReturn?.[i] ?? NaN),
  lowQuantile: i % 4 === 0 ? NaN : (forecast.quantiles?.columns[0][i] ?? NaN),
  medianQuantile: i % 4 === 0 ? NaN : (forecast.quantiles?.columns[1][i] ?? NaN),
  highQuantile: i % 4 === 0 ? NaN : (forecast.quantiles?.columns[2][i] ?? NaN),
  volatility: i % 11 === 0 ? NaN : 0.004 + 0.0001 * (i % 60),
  calmest: i % 11 === 0 ? NaN : 0.004,
}));

const ruleOf = (strategy: Strategy, setting: Setting): Rule =>
  strategy.prepare(strategy.params.parse({}), setting);

const targetsOn = (strategy: Strategy, setting: Setting, of: Candles, stated: Forecast): Float64Array =>
  applyRule(ruleOf(strategy, setting), stated, runningVolatility(of));

const until = (rows: number): Forecast => ({
  ...forecast,
  position: forecast.position.subarray(0, rows),
  confidence: forecast.confidence.subarray(0, rows),
});

/** Ours take less than one. */
const MOST_MICROSECONDS = 200;

/** What every strategy promises. Each throws when `strategy` does not keep it. */
export const STRATEGY_LAWS: Readonly<Record<string, (strategy: Strategy) => Promise<void>>> = {
  'has defaults for all parameters, and they survive JSON': async (strategy) => {
    const params = strategy.params.parse({});
    assert.deepEqual(strategy.params.parse(JSON.parse(JSON.stringify(params))), params);
  },

  'wants at most all of the capital, and nothing below zero where short sales are not allowed': async (
    strategy,
  ) => {
    for (const setting of settings) {
      const decide = ruleOf(strategy, setting);
      for (const seen of situations) {
        const { target } = decide(seen);
        const least = setting.allowShort ? -1 : 0;
        assert.ok(
          Number.isNaN(target) || (target >= least && target <= 1),
          `it wants ${target}, allowed is ${least} .. 1`,
        );
      }
    }
  },

  'gives a reason with every decision, one that can be put into words': async (strategy) => {
    for (const setting of settings) {
      const decide = ruleOf(strategy, setting);
      for (const seen of situations) {
        const { reason } = decide(seen);
        const words: unknown = describeReason(reason);
        assert.ok(typeof words === 'string' && words !== '', `its reason is ${JSON.stringify(reason)}`);
      }
    }
  },

  'remembers nothing: the same situation gives the same decision in any order': async (strategy) => {
    for (const setting of settings) {
      const inOrder = ruleOf(strategy, setting);
      const decisions = situations.map((seen) => copyOf(inOrder(seen)));
      const backwards = ruleOf(strategy, setting);
      const reversed = situations.toReversed().map((seen) => copyOf(backwards(seen)));
      assert.deepEqual(reversed.toReversed(), decisions);
    }
  },

  'leaves what it is shown as it is': async (strategy) => {
    const decide = ruleOf(strategy, settings[0]);
    for (const seen of situations) decide(Object.freeze({ ...seen }));
  },

  'decides the same when later bars arrive': async (strategy) => {
    for (const setting of settings) {
      const whole = targetsOn(strategy, setting, candles, forecast);
      for (const rows of [1, 57, 700, BARS - 1])
        assert.deepEqual(targetsOn(strategy, setting, candles, until(rows)), whole.slice(0, rows));
    }
  },

  'decides the same on prices in another unit': async (strategy) => {
    // A power of two, so that returns and volatility are the same bits.
    const [open, high, low, close] = [candles.open, candles.high, candles.low, candles.close].map((column) =>
      column.map((price) => 1024 * price),
    );
    const other = { ...candles, open, high, low, close };
    for (const setting of settings)
      assert.deepEqual(
        targetsOn(strategy, setting, other, forecast),
        targetsOn(strategy, setting, candles, forecast),
      );
  },

  [`decides in less than ${MOST_MICROSECONDS} microseconds`]: async (strategy) => {
    const decide = ruleOf(strategy, settings[0]);
    const taken = leastMicroseconds(() => situations.forEach((seen) => decide(seen))) / situations.length;
    assert.ok(taken < MOST_MICROSECONDS, `it takes ${taken.toFixed(1)}`);
  },
};

const copyOf = (decision: Decision): Decision => structuredClone(decision);

/**
 * Tries every law on a strategy, with forecasters that have skill, have none, or were never measured. Throws
 * `signal.reason` between two laws when aborted.
 */
export const checkStrategy = (
  strategy: Strategy,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Verdict> => tryLaws(STRATEGY_LAWS, strategy, options);
