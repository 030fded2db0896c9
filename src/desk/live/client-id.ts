import { hash } from 'node:crypto';
import type { PairSymbol } from '../../core/market/symbol.ts';

/** What makes an order this one and no other. */
export interface OrderIdentity {
  readonly sessionId: string;
  /** Open of the bar at whose close it was decided. */
  readonly barMs: number;
  readonly symbol: PairSymbol;
  /** Which of the orders of that decision, from 0 on, or what it protects; `pair`: a stop and a target as one. */
  readonly leg: number | 'stop' | 'take' | 'pair';
  /** Which try at it, from 0 on. */
  readonly attempt: number;
}

/** Every order of this program begins with it, so that one that nobody remembers is recognised as ours. */
export const OUR_PREFIX = 'ct';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const HASHED = 16;

/**
 * The id that an order is sent with. The same order has the same id after any crash, so that it can be asked for, and an
 * exchange that sees it twice can tell. 18 small letters and digits, a letter first, 80 bits of SHA-256: within what
 * Binance (36 of [.A-Z:/a-z0-9_-]), OKX (32 letters and digits), Bybit (36 of letters, digits, dashes), Kraken (18
 * characters of free text), KuCoin (40) and Gate (28 behind `t-`) allow.
 */
export function clientOrderId({ sessionId, barMs, symbol, leg, attempt }: OrderIdentity): string {
  const digest = hash('sha256', JSON.stringify([sessionId, barMs, symbol, leg, attempt]), 'buffer');
  return OUR_PREFIX + Array.from({ length: HASHED }, (_, i) => ALPHABET[fiveBits(digest, i)]).join('');
}

/** Number `i` of the digest's bits, five at a time. */
function fiveBits(digest: Buffer, i: number): number {
  const bit = 5 * i;
  const pair = (digest[bit >> 3] << 8) | digest[(bit >> 3) + 1];
  return (pair >> (11 - (bit & 7))) & 31;
}
