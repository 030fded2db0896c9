import { describe, expect, it } from 'vitest';
import type { Panel } from '../../../../src/core/dataset/panel.ts';
import {
  fitScalers,
  type InputLayout,
  seriesInputs,
  windowBatch,
} from '../../../../src/learning/learners/deep/inputs.ts';
import { VOLATILITY } from '../../../../src/learning/learners/deep/params.ts';
import { randomWalk } from '../../../core/dataset/series.ts';

const ROWS = 60;

const layout: InputLayout = {
  branches: [
    { name: '1h', timeframe: '1h', lookBack: 3, features: [VOLATILITY] },
    { name: '4h', timeframe: '4h', lookBack: 2, features: ['bar_return'] },
  ],
  futureBars: 0,
};

/** A random walk of which the closes from row `from` to `until` are raised by a tenth. */
function panelWith({ from, until }: { readonly from: number; readonly until: number }): Panel {
  const { symbol, candles } = randomWalk('BTC/USDT', ROWS, 1);
  const close = candles.close.map((price, row) => (row >= from && row < until ? 1.1 * price : price));
  const features = { names: [VOLATILITY], columns: [new Float64Array(ROWS).fill(0.01)] };
  return { timeframe: '1h', series: [{ symbol, candles: { ...candles, close }, features }] };
}

const scalers = fitScalers(panelWith({ from: 0, until: 0 }), layout, Infinity);

/** The window of 4-hour bars that is read at the close of `row`, or `undefined`. */
function longerWindow(panel: Panel, row: number): readonly number[] | undefined {
  const [series] = seriesInputs(panel, { symbols: ['BTC/USDT'], scalers, layout });
  if (!series.ends.includes(row)) return undefined;
  const batch = windowBatch(1, layout, '1h');
  batch.fill(0, series, row);
  return Array.from(batch.feeds['4h']);
}

describe('bars of a longer timeframe in a window', () => {
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const plain = rows.map((row) => longerWindow(panelWith({ from: 0, until: 0 }), row));

  it('are there from the close of their last part on', () => {
    // A return inside its bar needs no other: a window of two is there once eight hours have closed.
    expect(plain.findIndex((window) => window !== undefined)).toBe(7);
    expect(plain[8]).toEqual(plain[7]);
    expect(plain[10]).toEqual(plain[7]);
    expect(plain[11]).not.toEqual(plain[10]);
  });

  it.each(rows.slice(20, 28))('do not show what is new in an unfinished bar at row %d', (row) => {
    const unfinished = row - ((row + 1) % 4) + 1;
    expect(longerWindow(panelWith({ from: unfinished, until: ROWS }), row)).toEqual(plain[row]);
    // The last part of the bar before it is seen.
    expect(longerWindow(panelWith({ from: unfinished - 1, until: unfinished }), row)).not.toEqual(plain[row]);
  });
});
