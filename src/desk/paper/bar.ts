import { CANDLE_COLUMNS, emptyCandles } from '../../core/market/candles.ts';
import type { Market } from '../../core/trading/market.ts';

/** One closed bar of every symbol, in the order of the instruments. */
export interface Bar {
  /** Open of the bar, epoch ms UTC. */
  readonly timeMs: number;
  /** Open, high, low, close, volume; null where the symbol has no bar. */
  readonly candles: readonly (readonly number[] | null)[];
}

/** A market of a single row, for a core that is given bars one at a time. */
interface RowMarket {
  readonly market: Market;
  /** Puts `bar` into row 0. */
  show(bar: Bar): void;
}

export function createRowMarket(symbols: number, barMs: number): RowMarket {
  const time = new Float64Array(1);
  const candles = Array.from({ length: symbols }, () => emptyCandles(1));
  return {
    market: { time, barMs, candles },
    show(bar) {
      time[0] = bar.timeMs;
      candles.forEach((columns, s) => {
        CANDLE_COLUMNS.forEach((column, c) => {
          columns[column][0] = c === 0 ? bar.timeMs : (bar.candles[s]?.[c - 1] ?? NaN);
        });
      });
    },
  };
}

/** Row `row` of `market` as a bar. */
export function barAt(market: Market, row: number): Bar {
  return {
    timeMs: market.time[row],
    candles: market.candles.map(({ open, high, low, close, volume }) =>
      Number.isNaN(close[row]) ? null : [open[row], high[row], low[row], close[row], volume[row]],
    ),
  };
}
