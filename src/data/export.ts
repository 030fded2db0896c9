import { gzipSync } from 'node:zlib';
import { UserError } from '../core/foundation/errors.ts';
import { type BarLength, isMadeOf } from '../core/market/bar-length.ts';
import { CANDLE_COLUMNS, type Candles } from '../core/market/candles.ts';
import { resampleCandles } from '../core/market/resample.ts';
import type { Timeframe } from '../core/market/timeframe.ts';
import { writeFileAtomic } from './files.ts';
import { encodePart } from './store/parts.ts';

/** Writes candles to one file; its ending decides the format: .csv, .csv.gz or .parquet. */
export async function exportCandles(path: string, candles: Candles): Promise<void> {
  if (path.endsWith('.parquet')) await writeFileAtomic(path, await encodePart(candles));
  else if (path.endsWith('.csv')) await writeFileAtomic(path, csvText(candles));
  else if (path.endsWith('.csv.gz')) await writeFileAtomic(path, gzipSync(csvText(candles)));
  else {
    throw new UserError(`Cannot tell the format of "${path}" from its ending.`, {
      hint: 'End it with .csv, .csv.gz or .parquet.',
    });
  }
}

/** The closed bars of a longer length. Throws `UserError` where `from` does not make it up, or makes up none. */
export function longerBars(candles: Candles, from: Timeframe, length: BarLength): Candles {
  if (!isMadeOf(length, from)) {
    throw new UserError(`Bars of ${length} are not made of whole ${from} bars.`, {
      hint: 'Choose shorter stored bars with --timeframe, or another --bars.',
    });
  }
  const made = resampleCandles(candles, from, length);
  if (made.time.length > 0) return made;
  throw new UserError(`No bar of ${length} is complete in the stored ${from} bars of that range.`, {
    hint: 'A longer bar is made only when every part of it is stored and it has closed.',
  });
}

/** Times in epoch milliseconds UTC; numbers as the shortest text that reads back to the same double. */
function csvText(candles: Candles): string {
  const lines = ['timestamp,open,high,low,close,volume'];
  for (let row = 0; row < candles.time.length; row++) {
    lines.push(CANDLE_COLUMNS.map((column) => candles[column][row]).join(','));
  }
  return `${lines.join('\n')}\n`;
}
