import { ADX, AwesomeOscillator, CCI, RSI, Stochastic, TRIX } from 'technicalindicators';
import { expect, it } from 'vitest';
import { computeFeatures } from '../../../src/core/features/catalogue.ts';
import { walk } from '../../support/candles.ts';

const candles = walk(400, { startMs: 0 });
const input = {
  high: [...candles.high],
  low: [...candles.low],
  close: [...candles.close],
};
const values = input.close;

/**
 * The last values of features and of the technicalindicators package, an independent implementation. It rounds
 * RSI to two decimals and gives TRIX in percent. Its MFI is left out: it disagrees with TA-Lib, ours does not.
 */
it.each([
  ['cci_20', 1, 1e-8, () => CCI.calculate({ ...input, period: 20 })],
  [
    'stochastic_k_14',
    1,
    1e-9,
    () => Stochastic.calculate({ ...input, period: 14, signalPeriod: 3 }).map(({ k }) => k),
  ],
  ['adx_14', 1, 1e-8, () => ADX.calculate({ ...input, period: 14 }).map(({ adx }) => adx)],
  ['plus_di_14', 1, 1e-8, () => ADX.calculate({ ...input, period: 14 }).map(({ pdi }) => pdi)],
  ['rsi_14', 1, 0.0051, () => RSI.calculate({ values, period: 14 })],
  ['trix_15', 100, 1e-8, () => TRIX.calculate({ values, period: 15 })],
] as const)('%s agrees with the technicalindicators package', (name, scale, tolerance, reference) => {
  const expected = reference().slice(-300);
  const [column] = computeFeatures([name], candles, '1h').columns;
  const ours = column.slice(-expected.length);
  const apart = Math.max(...expected.map((value, i) => Math.abs(scale * ours[i] - value)));
  expect(apart).toBeLessThan(tolerance);
});

it('awesome is the oscillator as a fraction of the close', () => {
  const expected = AwesomeOscillator.calculate({ ...input, fastPeriod: 5, slowPeriod: 34 }).at(-1) ?? NaN;
  const [column] = computeFeatures(['awesome'], candles, '1h').columns;
  expect(column[399] * candles.close[399]).toBeCloseTo(expected, 6);
});
