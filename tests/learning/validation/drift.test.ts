import { expect, it } from 'vitest';
import { type Panel, panelUntil } from '../../../src/core/dataset/panel.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { shiftedInputs, watchModels } from '../../../src/learning/validation/drift.ts';
import { walk } from '../../support/candles.ts';

const HOUR = 3_600_000;
const random = createRandom(5);
const candles = walk(3000, { startMs: Date.UTC(2024, 0, 1), seed: 3 });
const [trainUntilMs, validateUntilMs, changesMs] = [1000, 1600, 2200].map((row) => candles.time[row]);
const noise = Float64Array.from(candles.time, () => normal(random));
const panel: Panel = {
  timeframe: '1h',
  series: [
    {
      symbol: 'BTC/USDT',
      candles,
      features: {
        names: ['steady', 'shifted'],
        columns: [noise, noise.map((value, row) => value + (candles.time[row] >= validateUntilMs ? 1 : 0))],
      },
    },
  ],
};

/** Right in seven of ten bars until the change, in three of ten after it. */
function forecast(): Forecast {
  const { open } = candles;
  const position = open.map((_, row) => {
    const up = (open[row + 2] ?? NaN) >= open[row + 1] ? 1 : -1;
    const right = random() < (candles.time[row] < changesMs ? 0.7 : 0.3);
    return right ? up : -up;
  });
  return { symbol: 'BTC/USDT', horizonBars: 1, position, confidence: position.map(Math.abs) };
}
const member = { id: 'planted', forecasts: [forecast()] };
const spans = { trainUntilMs, validateUntilMs };

it('raises an alarm soon after a model has lost its touch, and none before', () => {
  const [{ stream, alarms, meanBefore, meanAfter }] = watchModels(panel, [member], spans);
  expect(stream).toBe('direction');
  expect(new Set(alarms.map(({ detector }) => detector))).toEqual(
    new Set(['adwin', 'page-hinkley', 'hddm-a']),
  );
  for (const { timeMs } of alarms) expect(timeMs).toBeGreaterThan(changesMs);
  expect(alarms[0].timeMs).toBeLessThan(changesMs + 200 * HOUR);
  expect(meanBefore).toBeCloseTo(0.3, 1);
  expect(meanAfter).toBeGreaterThan(0.4);
});

it('raises the same alarms when later bars are not there yet', () => {
  const all = watchModels(panel, [member], spans)[0].alarms;
  const untilMs = all[0].timeMs + HOUR;
  const cut = watchModels(panelUntil(panel, untilMs), [member], spans)[0].alarms;
  expect(cut).toEqual(all.filter(({ timeMs }) => timeMs < untilMs));
  expect(cut.length).toBeGreaterThan(0);
});

it('names inputs that have shifted, and only those', () => {
  expect(shiftedInputs(panel, spans, 0.25)).toEqual([
    { symbol: 'BTC/USDT', feature: 'shifted', stabilityIndex: expect.closeTo(1, 0) as number },
  ]);
});
