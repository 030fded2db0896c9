import type { Verdict } from './rules.ts';

/** `risk rule trade-size: BTC/USDT to 40 % instead of 100 %`. */
export function describeVerdict({ rule, symbol, wanted, allowed }: Verdict): string {
  const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;
  const outcome =
    allowed === undefined
      ? `not to ${percent(wanted)}`
      : `to ${percent(allowed)} instead of ${percent(wanted)}`;
  return `risk rule ${rule}: ${symbol} ${outcome}`;
}
