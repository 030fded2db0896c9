import { expect, test } from 'vitest';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import { alignMarket } from '../../../src/core/trading/align.ts';
import type { Trade } from '../../../src/core/trading/events.ts';
import { excursions } from '../../../src/lab/backtest/excursions.ts';
import { HOUR_MS } from './panel-of.ts';

const candles = emptyCandles(5);
[100, 101, 102, 103, 104].forEach((price, row) => {
  candles.time[row] = row * HOUR_MS;
  candles.open[row] = candles.close[row] = price;
  candles.high[row] = price + 10;
  candles.low[row] = price - 20;
});
const market = alignMarket([candles], '1h');

const trade = (side: 'long' | 'short', entryBar: number, exitBar: number, exitPrice: number): Trade => ({
  kind: 'trade',
  symbol: 'BTC/USDT',
  side,
  entryTime: entryBar * HOUR_MS,
  exitTime: exitBar * HOUR_MS,
  barsHeld: exitBar - entryBar,
  entryPrice: 100,
  exitPrice,
  baseAmount: 1,
  feeQuote: 0,
  profitQuote: 0,
  profitPct: 0,
  exit: 'target',
});
const of = (one: Trade) => excursions([one], ['BTC/USDT'], market)[0];

test('of a long trade the lows go against it and the highs with it, up to the bar before its exit', () => {
  // Bars 1 and 2: lows 81 and 82, highs 111 and 112. Bar 3, at whose open it ends, has a high of 113.
  expect(of(trade('long', 1, 3, 103)).maePct).toBeCloseTo(-19, 10);
  expect(of(trade('long', 1, 3, 103)).mfePct).toBeCloseTo(12, 10);
});

test('of a short trade it is the other way round', () => {
  expect(of(trade('short', 1, 3, 103)).maePct).toBeCloseTo(-12, 10);
  expect(of(trade('short', 1, 3, 103)).mfePct).toBeCloseTo(19, 10);
});

test('on the bar of its exit only the exit counts', () => {
  expect(of(trade('long', 2, 2, 95))).toEqual({ maePct: expect.closeTo(-5, 10) as number, mfePct: 0 });
});
