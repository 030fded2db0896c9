import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openVenue } from '../../../src/data/exchange/open-venue.ts';
import type { Venue } from '../../../src/data/exchange/venue.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { cellOf } from './cells.ts';
import { liveSession, loopbackVenue, runScript, startLoopback } from './rig.ts';

test('OKX is asked to cancel what rests in so many seconds, or not to', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ code: '0', msg: '', data: [{ ts: String(Date.now()) }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const venue = await openVenue({
    id: 'okx',
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sandbox: false,
    paced: false,
    timeoutMs: 10_000,
    credentials: { apiKey: 'k', secret: 's', password: 'p' },
  });
  const { signal } = new AbortController();
  expect(await venue.deadMan?.(60_000, signal)).toMatchObject({ kind: 'answered' });
  expect(await venue.deadMan?.(0, signal)).toMatchObject({ kind: 'answered' });
  // https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-cancel-all-after
  expect(asked.filter((one) => one.startsWith('POST'))).toEqual([
    'POST /api/v5/trade/cancel-all-after {"timeOut":"60"}',
    'POST /api/v5/trade/cancel-all-after {"timeOut":"0"}',
  ]);
});

test.each([
  ['armed every 15 s while an order rests, disarmed when none does', {}, [60_000, 60_000, 60_000, 0]],
  ['left alone beside orders that protect', { takeProfitPct: 50 }, []],
] as const)('the switch is %s', async (_, rules, expected) => {
  const exchange = await startLoopback();
  onTestFinished(() => exchange.close());
  const { faults, session } = cellOf('cancelled', []);
  exchange.setFaults(faults);
  const asked: number[] = [];
  const deadMan: NonNullable<Venue['deadMan']> = async (afterMs) => {
    asked.push(afterMs);
    return { kind: 'answered', value: undefined };
  };
  const venue: Venue = { ...(await loopbackVenue(exchange)), deadMan };
  await runScript(
    exchange,
    [
      [1, null],
      [null, null],
    ],
    {
      folder: temporaryFolder(),
      venue,
      // It rests for a minute of polls that are ten seconds apart.
      session: { ...session, rules: { ...liveSession.rules, ...rules } },
    },
  );
  expect(asked.slice(0, 4)).toEqual(expected);
});
