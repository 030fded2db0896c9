import { expect, it } from 'vitest';
import { reportText, valueText } from '../../../src/app/cli/report-text.ts';

it('puts numbers, lists and short records on one line, and indents what is longer', () => {
  const report = {
    trees: 42,
    loss: 0.123456789,
    losses: [0.5, 0.25],
    nothing: undefined,
    standardErrors: { mu: { hessian: 0.1, robust: 0.2 } },
    pairs: [
      { y: 'ETH/USDT', traded: false, legs: { y: 1, x: 2 } },
      { y: 'SOL/USDT', traded: true },
    ],
  };
  expect(reportText(report)).toBe(
    [
      '  trees   42',
      '  loss    0.12346',
      '  losses  0.5, 0.25',
      '  standardErrors',
      '    mu  hessian 0.1, robust 0.2',
      '  pairs',
      '    - y       ETH/USDT',
      '      traded  false',
      '      legs    y 1, x 2',
      '    - y       SOL/USDT',
      '      traded  true',
    ].join('\n'),
  );
});

it('shows the first entries of a long list and how many there are', () => {
  expect(valueText(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a, b, c, d, e, ... (7)');
  expect(valueText([])).toBe('none');
  expect(valueText({})).toBe('none');
  expect(valueText(undefined)).toBe('-');
});
