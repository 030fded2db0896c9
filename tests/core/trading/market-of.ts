import type { Candles } from '../../../src/core/market/candles.ts';
import type { ExitRules } from '../../../src/core/trading/exit-rules.ts';
import type { Market } from '../../../src/core/trading/market.ts';
import type { Instrument } from '../../../src/core/trading/instrument.ts';
import { type ExecutionRules, SPOT_RULES } from '../../../src/core/trading/rules.ts';

export const HOUR_MS = 3_600_000;

/** A bar as people write it; volume 1000 unless given. */
export type Bar = readonly [open: number, high: number, low: number, close: number, volume?: number];

export const NO_BAR: Bar = [NaN, NaN, NaN, NaN, NaN];

/** Hourly bars of one or several symbols on one clock that starts at time 0. */
export function marketOf(...symbols: readonly (readonly Bar[])[]): Market {
  const time = Float64Array.from(symbols[0], (_, row) => row * HOUR_MS);
  return { time, barMs: HOUR_MS, candles: symbols.map((bars) => candlesOf(time, bars)) };
}

function candlesOf(time: Float64Array, bars: readonly Bar[]): Candles {
  const column = (i: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(bars, (bar) => bar[i]);
  return {
    time,
    open: column(0),
    high: column(1),
    low: column(2),
    close: column(3),
    volume: Float64Array.from(bars, (bar) => bar[4] ?? 1000),
  };
}

export const anyAmount = (symbol: Instrument['symbol'] = 'BTC/USDT'): Instrument => ({
  symbol,
  amountStep: 0,
  priceTick: 0,
  minNotional: 0,
});

/** No exit but those that a case names. */
export const exitsOf = (changes: Partial<ExitRules>): ExitRules => ({
  atrBars: 14,
  stopLossAtr: undefined,
  takeProfitAtr: undefined,
  trailingStopAtr: undefined,
  breakEven: undefined,
  maxBars: undefined,
  maxHeldMs: undefined,
  partialTargets: [],
  timedTargets: [],
  ...changes,
});

/** Fills at the reference price, for hand-computed cases; `changes` adds what a case is about. */
export const freeRules = (changes: Partial<ExecutionRules> = {}): ExecutionRules => ({
  ...SPOT_RULES,
  feeBps: 0,
  slippageBps: 0,
  ...changes,
});
