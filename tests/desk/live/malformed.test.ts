import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import type { FaultSpec } from '../../support/exchange/faults.ts';
import { expectTruth, loopbackVenue, runScript, startLoopback } from './rig.ts';

/** What the exchange says for two bars, what is said about it, and whether anything may be ordered meanwhile. */
const CASES: readonly (readonly [string, FaultSpec, RegExp])[] = [
  [
    'a price a million times the last',
    { kind: 'absurd-price', path: 'ticker', times: 2 },
    /^(BTC|ETH)\/USDT: the exchange says \d{8,9}(\.\d+)?, and the last bar closed at \d+(\.\d+)?: not believed, nothing is ordered there\.$/,
  ],
  [
    'a negative balance',
    { kind: 'negative-balance', path: 'GET /api/v3/account', times: 12 },
    /^balances: an answer that cannot be true or read \(total\.BTC: Too small: expected number to be >=0\)$/,
  ],
  [
    'a pair that is gone',
    { kind: 'gone', path: '/api/v3/openOrders', times: 12 },
    /^open orders: binance .*Invalid symbol/,
  ],
];

test.each(CASES)(
  '%s: one clear line, nothing ordered on it, state intact, and trading after it',
  async (_, fault, line) => {
    const exchange = await startLoopback();
    onTestFinished(() => exchange.close());
    exchange.setFaults([fault]);
    const said = new Set<string>();
    const script = [
      [1, null],
      [null, null],
      [null, null],
      [0, null],
      [null, null],
    ] as const;
    const ledger = await runScript(exchange, script, {
      folder: temporaryFolder(),
      venue: await loopbackVenue(exchange),
      options: {
        onDoubt: (text) => said.add(text),
        onStanding: (standing) => {
          if (standing.kind !== 'known') {
            said.add(standing.reason);
            expect(exchange.books.orders()).toEqual([]);
          }
          exchange.clock.set(exchange.clock.now() + 10_000);
        },
      },
    });
    expect([...said].filter((text) => line.test(text))).toHaveLength(said.size);
    expect(said.size).toBeGreaterThan(0);
    expect(ledger.state.halt).toBeUndefined();
    expect(exchange.books.fills().length).toBeGreaterThan(0);
    expect(ledger.state.account.positions()).toEqual([]);
    expectTruth(exchange, ledger);
  },
);
