import { z } from 'zod';
import { knownMsOf, seriesKind } from '../../core/market/series-kinds.ts';
import type { TimedSeries } from '../../core/market/timed-series.ts';
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
  for (let fromMs = sinceMs; fromMs < endMs; fromMs += PAGE_ROWS * HOUR_MS) {
    const untilMs = Math.min(endMs, fromMs + PAGE_ROWS * HOUR_MS);
    const until = { until: untilMs - 1 };
    const answer = await call(async () =>
      name === 'funding'
        ? parseFunding(await exchange.fetchFundingRateHistory(market, fromMs, PAGE_ROWS, until))
        : parseOpenInterest(await exchange.fetchOpenInterestHistory(market, '1h', fromMs, PAGE_ROWS, until)),
    );
    const rows = answer
      .filter(([timeMs]) => timeMs >= fromMs && timeMs < untilMs)
      .toSorted((a, b) => a[0] - b[0])
      .filter(([timeMs], i, all) => i === 0 || timeMs > all[i - 1][0]);
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

/** Settlements are stamped a few milliseconds late; they happen on the minute. */
const toMinute = (timeMs: number): number => Math.round(timeMs / 60_000) * 60_000;

/** Rates are capped at a few per cent by every exchange; a share of the position, not per cent. */
const Funding = z.array(z.object({ timestamp: z.number(), fundingRate: z.number().min(-1).max(1) }));

const parseFunding = (answer: unknown): readonly Row[] =>
  Funding.parse(answer).map(({ timestamp, fundingRate }) => [toMinute(timestamp), fundingRate]);

const OpenInterest = z.array(
  z.object({ timestamp: z.number(), openInterestAmount: z.number().positive().max(1e20) }),
);

const parseOpenInterest = (answer: unknown): readonly Row[] =>
  OpenInterest.parse(answer).map(({ timestamp, openInterestAmount }) => [
    toMinute(timestamp),
    openInterestAmount,
  ]);
