import type { Series } from '../dataset/panel.ts';
import type { Instrument } from '../trading/instrument.ts';
import type { Market } from '../trading/market.ts';

/** One symbol's history as the environment reads it. */
export interface World {
  readonly instrument: Instrument;
  readonly market: Market;
  /** Features, row by row: [rows, width]; 0 where one is missing. */
  readonly inputs: Float32Array;
  readonly width: number;
  /** 1 for rows whose features are all there. */
  readonly complete: Uint8Array;
}

export function worldOf({ symbol, candles, features }: Series, barMs: number): World {
  const rows = candles.time.length;
  const width = features.columns.length;
  const inputs = new Float32Array(rows * width);
  const complete = new Uint8Array(rows).fill(1);
  features.columns.forEach((column, k) => {
    for (let row = 0; row < rows; row++) {
      if (Number.isFinite(column[row])) inputs[row * width + k] = column[row];
      else complete[row] = 0;
    }
  });
  // Any amount may be traded: what an agent learns must not depend on the size of its practice account.
  const instrument = { symbol, amountStep: 0, priceTick: 0, minNotional: 0 };
  return { instrument, market: { time: candles.time, barMs, candles: [candles] }, inputs, width, complete };
}

/** A bar of a series, by their numbers. */
export interface Start {
  readonly s: number;
  readonly row: number;
}

/** Where an episode of `windowBars` steps may start: all its rows are complete, its bars without a hole. */
export function startsOf(worlds: readonly World[], windowBars: number): readonly Start[] {
  return worlds.flatMap(({ market, complete }, s) => {
    const { time, barMs } = market;
    const starts: Start[] = [];
    let run = 0;
    for (let row = 0; row < time.length; row++) {
      const follows = run > 0 && time[row] - time[row - 1] === barMs;
      run = complete[row] === 0 ? 0 : follows ? run + 1 : 1;
      if (run > windowBars) starts.push({ s, row: row - windowBars });
    }
    return starts;
  });
}
