import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { knownMsOf, seriesKind } from '../../../src/core/market/series-kinds.ts';
import { glassnodeSource } from '../../../src/data/series/sources/glassnode.ts';
import { updateFromSource } from '../../../src/data/series/update.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { NO_ANSWERS } from '../../support/texts/hostile.ts';
import { SERIES_WIRES as WIRES, type Wire } from '../../support/texts/series.ts';
import { startTextServer, type TextAnswer } from '../../support/texts/server.ts';

const DAY = 86_400_000;
const START = Date.UTC(2025, 0, 1);
/** A quarter of a day after the last one: it is over, but by no rule known yet. */
const NOW = START + 10 * DAY + DAY / 4;
const { signal } = new AbortController();

const days = (wire: Wire, count: number) =>
  Array.from({ length: count }, (_, day) => [START + day * DAY, wire.value(day)] as const);

async function world(wire: Wire, reply: () => TextAnswer) {
  const store = openStore(temporaryFolder()).series;
  const server = await startTextServer(reply);
  const update = (nowMs: number, sinceMs = START) =>
    updateFromSource(store, wire.key, wire.open(server.url), {
      sinceMs,
      nowMs,
      timeoutMs: 5000,
      retries: 1,
      retryDelayMs: 1,
      signal,
      log: silentLog,
    });
  return { store, server, update };
}
const json = (value: unknown): TextAnswer => ({ body: JSON.stringify(value) });

test.each(WIRES)('$name: rows count as known by their rule, and a revision changes nothing', async (wire) => {
  let answer = json(wire.body(days(wire, 10)));
  const { store, update } = await world(wire, () => answer);
  const kind = seriesKind(wire.key.name);
  const [column] = kind.columns;
  const first = await update(NOW);
  const { laterMs = 0 } = wire.open('http://source.example');
  const knownMs = (timeMs: number): number => knownMsOf(kind, timeMs) + laterMs;
  const known = days(wire, 10).filter(([timeMs]) => knownMs(timeMs) <= NOW);
  expect(known.length).toBeGreaterThanOrEqual(9);
  expect(first).toMatchObject({
    addedRows: known.length,
    manifest: { source: wire.open('http://source.example').id },
  });
  const rows = await store.read(wire.key);
  expect([...rows.time]).toEqual(known.map(([timeMs]) => timeMs));
  expect([...rows.known]).toEqual(known.map(([timeMs]) => knownMs(timeMs)));
  expect([...rows.columns[column.name]]).toEqual(known.map(([, value]) => value));
  // Another past is told later, and two more days.
  answer = json(wire.body(days(wire, 12).map(([timeMs, value]) => [timeMs, value + 5] as const)));
  const second = await update(NOW + 3 * DAY);
  expect(second.addedRows).toBe(12 - known.length);
  expect([...(await store.read(wire.key)).columns[column.name]].slice(0, known.length)).toEqual(
    known.map(([, value]) => value),
  );
});

/** The value of the third day replaced. */
const value =
  (by: string) =>
  (body: string, wire: Wire): TextAnswer => ({
    body: body.replaceAll(new RegExp(`"?\\b${wire.value(2)}\\b"?`, 'g'), by),
  });

const HOSTILE: readonly (readonly [string, (body: string, wire: Wire) => TextAnswer])[] = [
  ...NO_ANSWERS,
  ['a word for a value', value('"n/a"')],
  ['a negative value', value('-17')],
  ['a value without end', value('1e999')],
  ['a day twice', (_, wire) => json(wire.body([...days(wire, 10), ...days(wire, 1)]))],
];

test.each(WIRES)('$name: of 34 hostile answers none leaves a row that is not true', async (wire) => {
  const whole = JSON.stringify(wire.body(days(wire, 10)));
  let answer: TextAnswer = {};
  const { store, update } = await world(wire, () => answer);
  for (const [name, make] of HOSTILE) {
    if (wire.keyed === true && name === 'a day twice') continue;
    answer = make(whole, wire);
    await expect(update(NOW), name).rejects.toThrow(/is not answering|has no/);
    expect(await store.manifest(wire.key), name).toBeUndefined();
  }
  answer = { body: gzipSync(whole), headers: { 'Content-Encoding': 'gzip' } };
  expect((await update(NOW)).addedRows).toBeGreaterThanOrEqual(9);
});

test('Coin Metrics: page after page until the last, and then only what is new', async () => {
  const [, wire] = WIRES;
  const all = days(wire, 10);
  const pages = [all.slice(0, 4), all.slice(4, 8), all.slice(8)];
  const { server, store, update } = await world(wire, () => {
    const token = server.requests.at(-1)?.params.get('next_page_token');
    const page = token === null || token === undefined ? 0 : Number(token.slice(1));
    const body = wire.body(pages[page]) as object;
    return json(page < 2 ? { ...body, next_page_token: `t${page + 1}` } : body);
  });
  await update(NOW + 5 * DAY);
  expect((await store.read(wire.key)).time).toHaveLength(10);
  expect(server.requests.map(({ params }) => params.get('start_time'))).toEqual(Array(3).fill('2025-01-01'));
  await update(NOW + 6 * DAY);
  expect(server.requests.at(-1)?.params.get('start_time')).toBe('2025-01-10');
});

test('keys go where each API wants them, and refusals with status 200 are none', async () => {
  const [glassnode, fred, gold, custom] = ['Glassnode', 'FRED', 'Alpha Vantage', 'an API of the user'].map(
    (name) => {
      const wire = WIRES.find((one) => one.name === name);
      if (wire === undefined) throw new Error(name);
      return wire;
    },
  );
  const asked = async (wire: Wire) => {
    const { server, update } = await world(wire, () => json(wire.body(days(wire, 10))));
    await update(NOW);
    return server.requests[0];
  };
  expect((await asked(glassnode)).headers['x-api-key']).toBe('a-secret-key');
  expect((await asked(glassnode)).params.get('s')).toBe(String(START / 1000));
  expect(Object.fromEntries((await asked(fred)).params)).toMatchObject({
    ...{ series_id: 'SP500', observation_start: '2025-01-01', api_key: 'a-secret-key' },
  });
  expect((await asked(gold)).params.get('outputsize')).toBe('compact');
  expect(await asked(custom)).toMatchObject({ path: '/v2/BTC', headers: { 'x-key': 'a-secret-key' } });
  const { update } = await world(gold, () =>
    json({ Information: 'We have detected your API key and our rate limit is 25 requests per day.' }),
  );
  await expect(update(NOW)).rejects.toThrow('refused: We have detected your API key');
});

test('columns of several answers are one row a day, in the units of the series', async () => {
  const store = openStore(temporaryFolder()).series;
  const server = await startTextServer(({ path }) => {
    const v = { count: 3, whales_to_exchanges_sum: 40, exchanges_to_whales_sum: 50 };
    const found = Object.entries(v).find(([name]) => path.endsWith(name));
    return found === undefined ? { status: 404 } : json([{ t: START / 1000, v: found[1] }]);
  });
  const key = { name: 'whales', subject: 'BTC' } as const;
  const options = { sinceMs: START, nowMs: NOW, timeoutMs: 5000, retries: 0, signal, log: silentLog };
  // What nobody gives is named.
  expect(
    await updateFromSource(store, key, glassnodeSource('whales', server.url, 'k'), options),
  ).toMatchObject({ lacking: ['bought', 'sold'] });
  const { columns } = await store.read(key);
  expect(Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[0]]))).toEqual({
    ...{ transactions: 3, bought: NaN, sold: NaN, deposits: 40, withdrawals: 50 },
  });
  const custom = WIRES.find(({ name }) => name === 'an API of the user');
  const { store: own, update } = await world(custom ?? WIRES[0], () => json(custom?.body(days(custom, 10))));
  await update(NOW);
  expect((await own.read(key)).columns['deposits'][0]).toBe(5);
});
