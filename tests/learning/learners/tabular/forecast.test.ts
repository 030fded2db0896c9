import { expect, it } from 'vitest';
import type { FeatureColumn, Panel } from '../../../../src/core/dataset/panel.ts';
import { finish } from '../../../../src/core/foundation/steps.ts';
import { forecastSteps } from '../../../../src/learning/learners/tabular/forecast.ts';

const HOUR = 3_600_000;

/** A panel of one symbol whose only feature is the probability that the model is to state. */
function panelOf(probabilities: Float64Array): Panel {
  const flat = new Float64Array(probabilities.length).fill(100);
  const candles = {
    time: Float64Array.from(probabilities, (_, row) => row * HOUR),
    open: flat,
    high: flat,
    low: flat,
    close: flat,
    volume: flat,
  };
  const features = { names: ['p'], columns: [probabilities] };
  return { timeframe: '1h', series: [{ symbol: 'BTC/USDT', candles, features }] };
}

const about = (read: number[]) => ({
  features: ['p'],
  horizonBars: 1,
  entryEdge: 0.3,
  meanMove: 0.01,
  predict: ([probabilityUp]: readonly FeatureColumn[]) => {
    read.push(probabilityUp.length);
    return { probabilityUp: Float64Array.from(probabilityUp) };
  },
  blind: 'any-missing' as const,
});

it('holds at the newest bars what was entered long before, also when asked for these bars only', () => {
  // Entered at bar 100 of 3 000, kept by weak probabilities on the same side ever since.
  const probabilities = new Float64Array(3000).fill(0.55);
  probabilities[100] = 0.9;
  probabilities[2000] = NaN;
  const panel = panelOf(probabilities);
  const [all] = finish(forecastSteps(panel, about([])));
  const [newest] = finish(forecastSteps(panel, about([]), { sinceMs: 2990 * HOUR }));
  expect(all.position[2999]).toBe(1);
  expect(newest.position.length).toBe(3000);
  expect(newest.position.subarray(2990)).toEqual(all.position.subarray(2990));
  expect(newest.expectedReturn?.subarray(2990)).toEqual(all.expectedReturn?.subarray(2990));
  expect(newest.position.subarray(0, 2990).every(Number.isNaN)).toBe(true);
});

it('reads no further back than to a bar that decides alone', () => {
  const probabilities = new Float64Array(3000).fill(0.55);
  probabilities[2800] = 0.1;
  const read: number[] = [];
  const [newest] = finish(forecastSteps(panelOf(probabilities), about(read), { sinceMs: 2990 * HOUR }));
  expect(read).toEqual([522]);
  expect(newest.position[2999]).toBe(0);
});
