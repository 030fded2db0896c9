import { expect, test } from 'vitest';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

test('an ensemble of one is tested once, as its only member', () => {
  const panel = randomPanel(400, 4);
  const momentum = forecastsOf(panel, (close, row) => (row > 0 && close[row] > close[row - 1] ? 1 : 0));
  const held = forecastsOf(panel, () => 1);
  const run = (ensemble: typeof momentum) =>
    backtest({
      panel,
      range: { fromMs: 0, untilMs: 400 * HOUR_MS },
      ensemble,
      members: [{ id: 'momentum', kind: 'model', forecasts: momentum }],
      instruments: panel.series.map(({ symbol }) => ({
        symbol,
        amountStep: 0,
        priceTick: 0,
        minNotional: 0,
      })),
      rules: SPOT_RULES,
      seed: 1,
    });
  const one = run(momentum);
  expect(one.superiority?.strategies).toBe(1);
  expect(one.forecasts.map(({ model }) => model)).toEqual(['momentum']);
  expect(run(held).superiority?.strategies).toBe(2);
  expect(run(held).forecasts.map(({ model }) => model)).toEqual(['ensemble', 'momentum']);
});
