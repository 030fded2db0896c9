import { expect, test } from 'vitest';
import type { Candles } from '../../../src/core/market/candles.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { openExchange } from '../../../src/data/exchange/client.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { updateDataset } from '../../../src/data/update.ts';
import { pick, walk } from '../../support/candles.ts';
import { type VenueDouble, VENUES } from '../../support/exchange/venues.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startTextServer } from '../../support/texts/server.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
const BARS = 1700;
const END = START + BARS * HOUR;
/** A gap of three hours, in every exchange's second page at the latest. */
const whole = walk(BARS, { startMs: START });
const gapped: Candles = pick(whole, (row) => row < 900 || row > 902);

async function setUp(venue: VenueDouble, candles: Candles) {
  let refusals = 0;
  const server = await startTextServer(({ path, params, body }) => {
    const answer = venue.answer({ path, params, body }, candles, END);
    if (answer === undefined) return { status: 404, body: `no such path ${path}` };
    // Asked too often once, in the middle.
    if (server.requests.length === 3 && refusals++ === 0) return venue.tooMany;
    return { body: JSON.stringify(answer), headers: { 'Content-Type': 'application/json' } };
  });
  const store = openStore(temporaryFolder());
  const key = { exchange: venue.id, symbol: venue.symbol, timeframe: '1h' } as const;
  const update = (sinceMs: number, untilMs: number) =>
    updateDataset({
      ...{ store, key, sinceMs, untilMs, log: silentLog, now: () => END },
      signal: new AbortController().signal,
      openSource: () =>
        openExchange({
          id: venue.id,
          baseUrl: server.url,
          timeoutMs: 5000,
          retries: 3,
          retryDelayMs: 1,
          paced: false,
          log: silentLog,
        }),
    });
  return { server, store, key, update };
}

test.each(VENUES)('$id: bars with a gap come whole, in its own format, also in pieces', async (venue) => {
  const { store, key, update, server } = await setUp(venue, gapped);
  await update(START, END);
  const found = await store.read(key);
  const given = venue.newestOnly === true ? gapped.time.slice(-venue.pageRows) : gapped.time;
  expect([...found.time]).toEqual([...given]);
  const last = gapped.time.length - 1;
  for (const column of ['open', 'high', 'low', 'close', 'volume'] as const)
    expect(found[column].at(-1), column).toBe(gapped[column][last]);
  expect((await store.manifest(key))?.gaps).toEqual([
    { fromMs: START + 900 * HOUR, toMs: START + 902 * HOUR, bars: 3, checked: true },
  ]);
  expect(server.requests.length).toBeGreaterThan(2);
  if (venue.newestOnly === true) return;
  const pieces = await setUp(venue, gapped);
  for (const [from, until] of [
    [700, 1200],
    [0, 700],
    [1100, BARS],
  ])
    await pieces.update(START + from * HOUR, START + until * HOUR);
  expect((await pieces.store.manifest(pieces.key))?.sha256).toBe((await store.manifest(key))?.sha256);
});
