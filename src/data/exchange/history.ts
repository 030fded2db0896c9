import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import { knownMsOf, seriesFault, seriesKind } from '../../core/market/series-kinds.ts';
import type { TimedSeries } from '../../core/market/timed-series.ts';
import { Unanswered } from '../answer.ts';
import type { CcxtExchange } from './ccxt.ts';

/** Series of which exchanges keep a history, and the calls that give it. */
export const HISTORY_CALLS = {
  funding: 'fetchFundingRateHistory',
  'open-interest': 'fetchOpenInterestHistory',
} as const;
export type HistoryName = keyof typeof HISTORY_CALLS;

const HOUR_MS = 3_600_000;

/** Rows asked for at once; funding is settled once an hour at most, and open interest is asked for by the hour. */
const PAGE_ROWS = 200;

/** Exchanges forget open interest after a month and refuse to be asked for more. */
const OPEN_INTEREST_MS = 29 * 24 * HOUR_MS;

/**
 * Pages of consecutive spans, so that exchanges that answer with their newest rows and those that answer with the
 * first ones give the same. Rows outside the span that was asked for are dropped.
 */
export async function* historyPages(
  exchange: CcxtExchange,
  asked: {
    readonly name: HistoryName;
    readonly market: string;
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly nowMs: number;
  },
  call: <T>(work: () => Promise<T>) => Promise<T>,
): AsyncGenerator<TimedSeries> {
  const { name, market, nowMs } = asked;
  const endMs = Math.min(nowMs, asked.untilMs);
  const sinceMs =
    name === 'open-interest' ? Math.max(asked.sinceMs, nowMs - OPEN_INTEREST_MS) : asked.sinceMs;
  // ccxt would drop rows without a time, and those of other markets, without a word.
  exchange.filterBySymbolSinceLimit = (rows) => rows;
  exchange.enableLastJsonResponse = true;
  for (let fromMs = sinceMs; fromMs < endMs; fromMs += PAGE_ROWS * HOUR_MS) {
    const untilMs = Math.min(endMs, fromMs + PAGE_ROWS * HOUR_MS);
    // OKX begins with its newest rows, and knows no end but this.
    const until = { until: untilMs - 1, ...(exchange.id === 'okx' && { after: untilMs }) };
    const answer = await call(async () => {
      const rows =
        name === 'funding'
          ? await exchange.fetchFundingRateHistory(market, fromMs, PAGE_ROWS, until)
          : await exchange.fetchOpenInterestHistory(market, '1h', fromMs, PAGE_ROWS, until);
      ANSWERS[exchange.id]?.parse(exchange.last_json_response);
      return rowsOf(rows, { name, market, nowMs });
    });
    const rows = answer.filter(([timeMs]) => timeMs >= fromMs && timeMs < untilMs);
    const kind = seriesKind(name);
    const time = Float64Array.from(rows, ([timeMs]) => timeMs);
    yield {
      time,
      known: time.map((timeMs) => knownMsOf(kind, timeMs)),
      columns: { [kind.columns[0].name]: Float64Array.from(rows, ([, value]) => value) },
    };
  }
}

type Row = readonly [timeMs: number, value: number];

const Rows = {
  funding: z.array(z.object({ symbol: z.string(), timestamp: z.number(), fundingRate: z.number() })),
  'open-interest': z.array(
    z.object({
      symbol: z.string(),
      timestamp: z.number(),
      openInterestAmount: z.number().positive().max(1e20),
    }),
  ),
};

/** In the order of time, each time once. Throws, so that all of it is asked for again, when one row cannot be. */
function rowsOf(
  answer: unknown,
  { name, market, nowMs }: { readonly name: HistoryName; readonly market: string; readonly nowMs: number },
): readonly Row[] {
  const kind = seriesKind(name);
  const found =
    name === 'funding'
      ? Rows.funding.parse(answer).map(({ fundingRate, ...row }) => ({ ...row, value: fundingRate }))
      : Rows[name]
          .parse(answer)
          .map(({ openInterestAmount, ...row }) => ({ ...row, value: openInterestAmount }));
  const values = new Map<number, number>();
  for (const { symbol, timestamp, value } of found) {
    const timeMs = toMinute(timestamp);
    const faults = [
      symbol !== market && `it is one of ${symbol}`,
      timeMs > nowMs + 24 * HOUR_MS && 'it lies ahead',
      (values.get(timeMs) ?? value) !== value && 'it is there twice, with two values',
      seriesFault(kind, timeMs, [value]),
    ].filter((fault) => typeof fault === 'string');
    if (faults.length > 0) throw new Unanswered(`the row of ${formatTime(timeMs)}: ${faults.join(', ')}`);
    values.set(timeMs, value);
  }
  return [...values].toSorted(([a], [b]) => a - b);
}

/** Settlements are stamped a few milliseconds late; they happen on the minute. */
const toMinute = (timeMs: number): number => Math.round(timeMs / 60_000) * 60_000;

/** Answers of exchanges of which ccxt takes one without a list for one without rows. */
const list = z.array(z.unknown());
const ANSWERS: Readonly<Partial<Record<string, z.ZodType>>> = {
  bybit: z.object({ result: z.object({ list }) }),
  dydx: z.object({ historicalFunding: list }),
  hyperliquid: list,
  krakenfutures: z.object({ rates: list }),
  okx: z.object({ data: list }),
};
