import { formatTime } from '../core/foundation/time.ts';
import { candleFault, type Candles } from '../core/market/candles.ts';
import { TIMEFRAME_MS, type Timeframe } from '../core/market/timeframe.ts';

export interface Fault {
  readonly row: number;
  /** One line: the bar's time and what is wrong with it. */
  readonly message: string;
}

/** The first bar from `row` on that breaks a law of candles: order, alignment to the timeframe, sane prices. */
export function firstFault(candles: Candles, timeframe: Timeframe, row = 0): Fault | undefined {
  const { time } = candles;
  for (; row < time.length; row++) {
    const fault =
      time[row] % TIMEFRAME_MS[timeframe] !== 0
        ? `its time is not on the ${timeframe} grid`
        : row > 0 && time[row] <= time[row - 1]
          ? 'it is not after the bar before it'
          : candleFault(candles, row);
    if (fault !== undefined) {
      return { row, message: `bar of ${formatTime(time[row])}: ${fault}` };
    }
  }
  return undefined;
}
