import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readLedger } from '../../../src/desk/paper/ledger.ts';
import { decisionsOf, ordersOf, tradesOf } from '../../../src/desk/paper/queries.ts';
import type { BarRecord } from '../../../src/desk/paper/record.ts';
import { startSession } from '../../../src/desk/paper/session.ts';
import { randomWalk, session, steps } from './walk.ts';

let folder: string;
let bars: readonly BarRecord[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'queries-'));
  const running = await startSession(folder, session);
  for (const { bar, decision } of steps(randomWalk(200, 3)))
    await running.process(
      bar,
      { ...decision, models: { gru: [[0.5, 0.9], null], arima: [null, [-1, 0.2]] } },
      0,
    );
  await running.close();
  bars = (await readLedger(folder)).bars;
});
afterAll(() => rmSync(folder, { recursive: true }));

const events = (kind: string) => bars.flatMap((bar) => bar.events.filter((event) => event.kind === kind));

it('orders and trades are those of the ledger, by pair and time, the newest last', async () => {
  const fills = events('fill');
  const all = await ordersOf(folder, { last: 1000 });
  expect(fills.length).toBeGreaterThan(20);
  expect(all.total).toBe(fills.length + events('rejected').length);
  expect(all.rows.flatMap(({ price }) => (price === null ? [] : [price]))).toEqual(
    fills.flatMap((event) => (event.kind === 'fill' ? [event.price] : [])),
  );
  const trades = events('trade').flatMap((event) => (event.kind === 'trade' ? [event] : []));
  const [sinceMs, untilMs] = [bars[10].timeMs, bars[190].timeMs];
  const some = trades.filter(
    ({ symbol, exitTime }) => symbol === 'ETH/USDT' && exitTime >= sinceMs && exitTime < untilMs,
  );
  const found = await tradesOf(folder, { symbols: ['ETH/USDT'], sinceMs, untilMs, last: 2 });
  expect(some.length).toBeGreaterThan(2);
  expect(found.total).toBe(some.length);
  expect(found.rows.map((row) => row.profit_quote).toSorted()).toEqual(
    some
      .slice(-2)
      .map(({ profitQuote }) => profitQuote)
      .toSorted(),
  );
});

it('decisions are what each model said, with the run that decided', async () => {
  const found = await decisionsOf(folder, { symbols: ['BTC/USDT'], models: ['gru', 'arima'], last: 2 });
  expect(found.total).toBe(2 * bars.length);
  expect(
    found.rows.map(({ model, position, confidence, run_id }) => [model, position, confidence, run_id]),
  ).toEqual([
    ['gru', 0.5, 0.9, 'run'],
    ['arima', null, null, 'run'],
  ]);
  await expect(decisionsOf(folder, { models: ['grü'], last: 1 })).rejects.toThrow(
    'No model "grü" is on record',
  );
});

it('are answered, and the ledger is as it was, whatever became of the index', async () => {
  const path = join(folder, 'index.sqlite');
  const before = readFileSync(join(folder, 'ledger.jsonl'));
  const { total } = await ordersOf(folder, { last: 1 });
  expect(existsSync(path)).toBe(true);
  for (const damage of [
    () => rmSync(path),
    () => writeFileSync(path, 'no database'),
    () => writeFileSync(path, readFileSync(path).subarray(0, 5000)),
    () => {
      // Nothing can be written there: a folder stands in its way.
      rmSync(path);
      mkdirSync(path);
      writeFileSync(join(path, 'file'), '');
    },
  ]) {
    damage();
    expect((await ordersOf(folder, { last: 1 })).total).toBe(total);
  }
  const answers = await Promise.all(Array.from({ length: 4 }, () => tradesOf(folder, { last: 1 })));
  expect(new Set(answers.map((one) => one.total)).size).toBe(1);
  expect(readFileSync(join(folder, 'ledger.jsonl')).equals(before)).toBe(true);
});
