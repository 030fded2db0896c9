import assert from 'node:assert/strict';
import { computeFeatures, featureSteps, streamFeatures } from '../../core/features/catalogue.ts';
import { findLeaks } from '../../core/features/causality.ts';
import type { OwnFeature } from '../../core/features/define-feature.ts';
import { finish } from '../../core/foundation/steps.ts';
import { type Candles, sliceCandles } from '../../core/market/candles.ts';
import { BARS, lawMarket } from './law-market.ts';
import { leastMicroseconds } from './speed.ts';
import { tryLaws } from './try-laws.ts';
import type { Verdict } from './verdict.ts';

const TIMEFRAME = '1h';
const candlesOf = lawMarket().map(({ candles }) => candles);
const [first, second] = candlesOf;

const columnOf = (feature: OwnFeature, candles: Candles): Float64Array =>
  computeFeatures([feature.name], candles, TIMEFRAME, {}, [feature]).columns[0];

/** The column as it comes out of a stream that is given blocks of `length` bars. */
function inBlocks(feature: OwnFeature, candles: Candles, length: number): Float64Array {
  const stream = streamFeatures([feature.name], TIMEFRAME, {}, [feature]);
  const rows = candles.time.length;
  const column = new Float64Array(rows);
  for (let from = 0; from < rows; from += length) {
    const block = sliceCandles(candles, from, Math.min(rows, from + length));
    column.set(stream.append(block).columns[0], from);
  }
  return column;
}

/** A bar of the user's own code may take this long; the catalogue takes .02 microseconds a feature. */
const MOST_MICROSECONDS = 1000;
/** A feature that goes through its whole past takes eight times as long for a bar of eight times as many. */
const MORE = 8;
const MOST_SLOWER = 4;
/** Below this, differences are those of the clock. */
const LEAST_MICROSECONDS = 1;
const manyBars = (): Candles => lawMarket(undefined, MORE * BARS)[0].candles;

/** What every feature promises. Each throws when `feature` does not keep it. */
export const FEATURE_LAWS: Readonly<Record<string, (feature: OwnFeature) => Promise<void>>> = {
  'has defaults for all parameters, and they survive JSON': async (feature) => {
    const again = feature.withParameters(JSON.parse(JSON.stringify(feature.parameters)));
    assert.deepEqual(columnOf(again, first), columnOf(feature, first));
  },

  'never looks ahead: history and live bars agree to the bit': async (feature) => {
    for (const candles of candlesOf) {
      const [leak] = finish(
        findLeaks([feature.name], candles, {
          timeframe: TIMEFRAME,
          inputs: {},
          compute: (seen, inputs) => featureSteps([feature.name], seen, TIMEFRAME, inputs, [feature]),
          stream: (inputs) => streamFeatures([feature.name], TIMEFRAME, inputs, [feature]),
          cuts: [1, 2, 57, 700, BARS - 1],
        }),
      );
      if (leak !== undefined)
        assert.fail(`row ${leak.row} is ${leak.value}, but ${leak.expected} from the bars up to it`);
    }
  },

  'gives the same bits in blocks of any length': async (feature) => {
    const whole = columnOf(feature, first);
    for (const length of [1, 7, 64, 1000])
      assert.deepEqual(inBlocks(feature, first, length), whole, `blocks of ${length}`);
  },

  'gives the same bits again, whatever was computed in between': async (feature) => {
    const before = columnOf(feature, first);
    columnOf(feature, second);
    assert.deepEqual(columnOf(feature, first), before);
  },

  'resumes from its stored state to the same bits': async (feature) => {
    const open = () => streamFeatures([feature.name], TIMEFRAME, {}, [feature]);
    const whole = columnOf(feature, first);
    for (const cut of [1, 500]) {
      const [stopped, resumed] = [open(), open()];
      stopped.append(sliceCandles(first, 0, cut));
      const state = stopped.state();
      assert.ok(state, 'it has no state');
      resumed.restore(state);
      const rest = resumed.append(sliceCandles(first, cut, BARS)).columns[0];
      assert.deepEqual(rest, whole.slice(cut), 'keep what the next bar needs in `memory(n)`');
    }
  },

  'has no value in its warm-up, and finite ones from there on': async (feature) => {
    const warmUp = feature.warmUpBars(TIMEFRAME);
    assert.ok(
      Number.isSafeInteger(warmUp) && warmUp >= 0,
      `warmUpBars(parameters, timeframe) says ${warmUp}, not a number of bars`,
    );
    assert.ok(warmUp < BARS, `a warm-up of ${warmUp} bars is longer than the ${BARS} bars of this law`);
    for (const candles of candlesOf) {
      columnOf(feature, candles).forEach((value, row) => {
        assert.equal(Number.isFinite(value), row >= warmUp, `row ${row} is ${value}, the warm-up ${warmUp}`);
      });
    }
  },

  'reads no column of the candles that it does not name in `inputs`': async (feature) => {
    const before = columnOf(feature, first);
    for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) {
      if (feature.inputs.includes(name)) continue;
      const other = { ...first, [name]: first[name].map((value) => value * 1.01) };
      assert.deepEqual(columnOf(feature, other), before, `it changes with "${name}"`);
    }
  },

  'takes no longer for a bar when more bars came before it, and less than a millisecond': async (feature) => {
    const perBar = (candles: Candles): number =>
      leastMicroseconds(() => columnOf(feature, candles)) / candles.time.length;
    const [short, long] = [perBar(first), perBar(manyBars())];
    assert.ok(long < MOST_MICROSECONDS, `it takes ${long.toFixed(0)} microseconds`);
    assert.ok(
      long < MOST_SLOWER * short + LEAST_MICROSECONDS,
      `a bar takes ${short.toFixed(1)} microseconds in ${BARS} bars and ${long.toFixed(1)} in ${MORE * BARS}`,
    );
  },
};

/**
 * Tries every law on a feature of your own, on random walks that are the same for everybody. Throws `signal.reason`
 * between two laws when aborted.
 */
export const checkFeature = (
  feature: OwnFeature,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Verdict> => tryLaws(FEATURE_LAWS, feature, options);
