import { expect, test } from 'vitest';
import { compareRow, listRow } from '../../../src/app/cli/kept-text.ts';

const figures = (totalReturnPct: number) => ({
  totalReturnPct,
  sharpe: null,
  maxDrawdownPct: -100,
  tradeCount: 1,
});

test.each([
  [-100, 'RUINED -100.0'],
  [-99.99, '-100.0'],
  [12.34, '12.3'],
])('a return of %d is listed and compared as %s', (totalReturnPct, text) => {
  const metrics = figures(totalReturnPct);
  const known = {
    id: '2026-02-13T00-00-00Z-1',
    symbols: ['BTC/USDT'],
    timeframe: '1h',
    range: { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' },
    strategy: 'own',
    bars: 744,
    metrics,
    benchmark: figures(5),
  };
  expect(listRow({ kind: 'whole', summary: known as unknown as Summary })[3]).toBe(text);
  expect(compareRow(known as unknown as Parameters<typeof compareRow>[0]).slice(3, 5)).toEqual([text, '5.0']);
});

type Summary = Extract<Parameters<typeof listRow>[0], { kind: 'whole' }>['summary'];
