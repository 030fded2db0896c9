import { silentLog } from '../../../src/core/foundation/log.ts';
import { type Candles, candlesBetween } from '../../../src/core/market/candles.ts';
import { TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import type { CandleSource } from '../../../src/data/source.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { updateDataset } from '../../../src/data/update.ts';
import { pick, walk } from '../../support/candles.ts';

const HOUR = TIMEFRAME_MS['1h'];
const PAGE_ROWS = 150;
const ROWS = 1500;
export const SINCE_MS = Date.UTC(2024, 0, 20);
export const UNTIL_MS = SINCE_MS + ROWS * HOUR;
export const KEYS = (['BTC/USDT', 'ETH/USDT'] as const).map((symbol) => ({
  exchange: 'binance',
  symbol,
  timeframe: '1h' as const,
}));

/** What the exchange has: of the second symbol not every bar. */
export const served = (s: number, seed: number): Candles =>
  pick(walk(ROWS, { startMs: SINCE_MS, seed: 2 * seed + s }), (row) => s === 0 || row % 211 > 2);

export interface FetchWorld {
  readonly folder: string;
  readonly seed: number;
}

/** Both symbols brought up to date, page by page, each on the disk before the next is asked for. */
export async function live({ folder, seed }: FetchWorld): Promise<void> {
  const store = openStore(folder);
  let nowMs = UNTIL_MS;
  for (const [s, key] of KEYS.entries())
    await updateDataset({
      ...{ store, key, sinceMs: SINCE_MS, untilMs: UNTIL_MS, log: silentLog },
      openSource: async () => paged(served(s, seed)),
      signal: new AbortController().signal,
      now: () => (nowMs += 600),
    });
}

const paged = (candles: Candles): CandleSource => ({
  name: 'binance',
  synthetic: false,
  clockMs: async () => UNTIL_MS,
  pages: async function* ({ sinceMs, untilMs }) {
    for (let fromMs = sinceMs; fromMs < untilMs; fromMs += PAGE_ROWS * HOUR) {
      const covered = { fromMs, untilMs: Math.min(untilMs, fromMs + PAGE_ROWS * HOUR) };
      yield { candles: candlesBetween(candles, covered.fromMs, covered.untilMs), covered };
    }
  },
});
