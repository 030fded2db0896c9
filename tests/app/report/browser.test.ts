import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CANDLES_SCRIPT } from '../../../src/app/report/browser/candles.ts';
import { TABLES_SCRIPT } from '../../../src/app/report/browser/tables.ts';
import { packCandles } from '../../../src/app/report/pack-candles.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import { alignMarket } from '../../../src/core/trading/align.ts';
import { randomPanel } from '../../lab/backtest/panel-of.ts';

/** The page's own functions, without a page. */
const scope = createContext({ atob, document: { querySelectorAll: () => [] } });
runInContext(CANDLES_SCRIPT + TABLES_SCRIPT, scope);
const call = (code: string, values: Record<string, unknown>): unknown => {
  Object.assign(scope, { given: JSON.stringify(values) });
  return JSON.parse(String(runInContext(`((given) => JSON.stringify(${code}))(JSON.parse(given))`, scope)));
};

const Columns = z.array(z.array(z.number()));
const unpack = (packed: unknown): number[][] =>
  Columns.parse(call('unpackCandles(given.packed).map((column) => [...column])', { packed }));

describe('candles of a report', () => {
  test('come out of the page as they went in, prices to seven digits', () => {
    const { series } = randomPanel(500, 3);
    const symbols = series.map(({ symbol }) => symbol);
    const packed = packCandles(
      symbols,
      alignMarket(
        series.map(({ candles }) => candles),
        '1h',
      ),
    );
    packed.forEach((one, s) => {
      const { candles } = series[s];
      const columns = unpack(one);
      expect(columns[0]).toEqual(Array.from(candles.time, (ms) => ms / 1000));
      (['open', 'high', 'low', 'close'] as const).forEach((name, i) =>
        columns[i + 1].forEach((price, row) =>
          expect(Math.abs(price - candles[name][row])).toBeLessThan(1e-4),
        ),
      );
    });
  });

  test('stand on the grid of their prices exactly, with gaps where bars are missing', () => {
    const hours = [0, 1, 2, 7, 8, 300];
    const candles = { ...emptyCandles(hours.length), time: Float64Array.from(hours, (h) => h * 3_600_000) };
    hours.forEach((hour, i) => {
      const price = 60_000.01 + hour * 13.37;
      candles.open[i] = price;
      candles.high[i] = price + 0.02;
      candles.low[i] = price - 1000.01;
      candles.close[i] = Number((price - 0.01).toFixed(2));
    });
    const [packed] = packCandles(['BTC/USDT'], alignMarket([candles], '1h'));
    expect(packed.tick).toBe(0.01);
    const [time, open, high, low, close] = unpack(packed);
    expect(time).toEqual(hours.map((hour) => hour * 3600));
    expect(close).toEqual([...candles.close]);
    for (const [mine, theirs] of [
      [open, candles.open],
      [high, candles.high],
      [low, candles.low],
    ] as const)
      mine.forEach((price, i) => expect(price).toBeCloseTo(theirs[i], 6));
  });

  test('of more symbols than fit one file are merged, and none is lost', () => {
    const bars = 100_000;
    const candles = {
      ...emptyCandles(bars),
      time: Float64Array.from({ length: bars }, (_, i) => i * 60_000),
    };
    candles.close.forEach((_, i) => {
      candles.open[i] = candles.close[i] = 100 + (i % 7);
      candles.high[i] = candles.open[i] + (i === 54_321 ? 50 : 1);
      candles.low[i] = candles.open[i] - 1;
    });
    const packed = packCandles(['A', 'B', 'C'], alignMarket([candles, candles, candles], '1m'));
    expect(packed.map(({ merged, bars: count }) => [merged, count])).toEqual([
      [2, 50_000],
      [2, 50_000],
      [2, 50_000],
    ]);
    expect(Math.max(...unpack(packed[1])[2])).toBe(100 + (54_321 % 7) + 50);
  });

  test('that share a pixel are drawn as one: first open, extremes, last close', () => {
    const columns = [
      [0, 1, 2, 3, 4],
      [10, 11, 12, 13, 14],
      [20, 31, 22, 23, 24],
      [5, 6, 1, 7, 8],
      [11, 12, 13, 14, 15],
    ];
    expect(call('mergeCandles(given.columns, 0, 5, 2)', { columns })).toEqual([
      { from: 0, until: 2, open: 10, high: 31, low: 1, close: 13 },
      { from: 3, until: 4, open: 13, high: 24, low: 7, close: 15 },
    ]);
  });
});

describe('tables of a report', () => {
  test('sort numbers by value and texts by letters, what is not known last', () => {
    const sorted = (texts: readonly string[]) =>
      call('given.texts.map(cellValue).sort(compareCells)', { texts });
    expect(sorted(['10', '-', '9.5', '-3', '1,200'])).toEqual([-3, 9.5, 10, 1200, null]);
    expect(sorted(['5 % more', '40 %', '-2 %'])).toEqual([-2, 5, 40]);
    expect(sorted(['ridge', '', 'lstm'])).toEqual(['lstm', 'ridge', null]);
    expect(sorted(['2026-01-02 03:00', '2025-12-31 00:00'])).toEqual([
      '2025-12-31 00:00',
      '2026-01-02 03:00',
    ]);
  });

  test('are saved as CSV that no spreadsheet runs as a formula', () => {
    const rows = [
      ['model', 'return'],
      ['=HYPERLINK("http://x")', '-1.5'],
      ['a,"b"\nc', '+2'],
      ['@sum', '-x'],
    ];
    expect(call('csvText(given.rows)', { rows })).toBe(
      'model,return\r\n"\'=HYPERLINK(""http://x"")",-1.5\r\n"a,""b""\nc",+2\r\n\'@sum,\'-x\r\n',
    );
  });

  test('keep any text as it was, behind at most one apostrophe', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const field = z.string().parse(call('csvField(given.text)', { text }));
        const plain = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
        expect([text.trim().replace('−', '-'), `'${text.trim().replace('−', '-')}`]).toContain(plain);
      }),
    );
  });
});
