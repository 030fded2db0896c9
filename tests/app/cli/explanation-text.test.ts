import { expect, it } from 'vitest';
import { explanationText } from '../../../src/app/cli/explanation-text.ts';
import { importance } from '../../../src/core/forecast/explanation.ts';

it('lists what counts most first and says how much is left out', () => {
  const part = importance('contributions', 'log-odds', [
    ['rsi_14', 0.01],
    ['return_1', -0.25],
    ['hour_sin', 0.001],
  ]);
  expect(explanationText(part, 2)).toBe(
    [
      'contributions (log-odds)',
      `  ${'return_1'.padEnd(28)} -0.25`,
      `  ${'rsi_14'.padEnd(28)} 0.01`,
      '  and 1 more: --json has them all',
    ].join('\n'),
  );
});

it('prints lags from the newest bar back, and matrices by row', () => {
  expect(explanationText({ kind: 'by-lag', title: 'attention', unit: '%', values: [60, 40] })).toContain(
    `${'1 bars before'.padEnd(28)} 40`,
  );
  const matrix = {
    kind: 'matrix',
    title: 'graph',
    unit: '%',
    rows: ['BTC'],
    columns: ['BTC', 'ETH'],
  } as const;
  expect(
    explanationText({ ...matrix, rows: [...matrix.rows], columns: [...matrix.columns], values: [[70, 30]] }),
  ).toContain('70  30');
});
