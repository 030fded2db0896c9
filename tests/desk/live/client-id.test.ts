import { expect, test } from 'vitest';
import { normaliseOrder } from '../../../src/core/trading/orders/normalise.ts';
import { clientOrderId, type OrderIdentity } from '../../../src/desk/live/client-id.ts';

const ORDER: OrderIdentity = { sessionId: 's', barMs: 0, symbol: 'BTC/USDT', leg: 0, attempt: 0 };

/** What the exchanges' manuals allow. */
const ALLOWED = {
  binance: /^[.A-Z:/a-z0-9_-]{1,36}$/,
  okx: /^[A-Za-z0-9]{1,32}$/,
  bybit: /^[A-Za-z0-9_-]{1,36}$/,
  kraken: /^.{1,18}$/,
  kucoin: /^[A-Za-z0-9_-]{1,40}$/,
  gate: /^[A-Za-z0-9._-]{1,28}$/,
};

test('an id is valid on every exchange, the same every time, and another for any other order', () => {
  const others: readonly OrderIdentity[] = [
    ORDER,
    { ...ORDER, sessionId: 't' },
    { ...ORDER, barMs: 3_600_000 },
    { ...ORDER, symbol: 'ETH/USDT' },
    { ...ORDER, leg: 1 },
    { ...ORDER, attempt: 1 },
    // Parts that run together must not make the same text.
    { ...ORDER, leg: 11, attempt: 1 },
    { ...ORDER, leg: 1, attempt: 11 },
  ];
  const ids = others.map(clientOrderId);
  expect(new Set(ids).size).toBe(others.length);
  expect(others.map(clientOrderId)).toEqual(ids);
  for (const id of ids) for (const pattern of Object.values(ALLOWED)) expect(id).toMatch(pattern);
});

test('five bits a letter, from the first bit of the digest on', () => {
  // printf '["s",0,"BTC/USDT",0,0]' | sha256sum | xxd -r -p | base32 | tr A-Z a-z | cut -c1-16
  expect(clientOrderId(ORDER)).toBe('ctzcyqrvbbcnpf74tt');
});

const RULES = { symbol: 'BTC/USDT', amountStep: 0.001, priceTick: 0.5, minNotional: 10 } as const;

test.each([
  ['buy', 0.0019999, 20_000.7, { kind: 'order', baseAmount: 0.001, price: 20_000.5 }],
  ['sell', 0.0019999, 20_000.7, { kind: 'order', baseAmount: 0.001, price: 20_001 }],
  // 0.3 / 0.1 = 2.9999999999999996 steps are three.
  ['sell', 0.003, 20_000, { kind: 'order', baseAmount: 0.003, price: 20_000 }],
  ['buy', 0.0009, 20_000, { kind: 'rejected', reason: 'below-amount-step' }],
  ['buy', 0.001, 9_999.9, { kind: 'rejected', reason: 'below-min-notional' }],
  ['buy', 0.001, NaN, { kind: 'rejected', reason: 'below-min-notional' }],
] as const)('%s %d at %d as the market allows it', (side, baseAmount, price, expected) => {
  expect(normaliseOrder(RULES, { side, baseAmount, price })).toEqual(expected);
});
