import type { AlignedMarket } from '../../core/trading/align.ts';
import { quoteOf } from '../../core/trading/balance-warning.ts';
import type { RejectionReason } from '../../core/trading/events.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { BacktestRun } from '../../core/trading/run.ts';
import type { Strategy } from './strategies.ts';

/** What became of a run, before any figure of it is looked at. Only `traded` has ratios, intervals and tests. */
export type Outcome =
  | { readonly kind: 'traded' }
  /** No order was ever filled; `why` names the setting to change. */
  | { readonly kind: 'never-traded'; readonly why: string }
  /** Nothing was left in the bar that opened at `time`, epoch ms. */
  | { readonly kind: 'ruined'; readonly time: number; readonly shortfallQuote: number }
  /** It traded, but on bars that say nothing. */
  | { readonly kind: 'no-evidence'; readonly why: string };

/** Fewer bars say nothing of a distribution of returns. */
export const LEAST_BARS = 20;

interface Conditions {
  readonly market: AlignedMarket;
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
}

export function outcomeOf(run: BacktestRun, strategy: Strategy, conditions: Conditions): Outcome {
  if (run.ruin !== undefined) {
    const { time, shortfallQuote } = run.ruin;
    return { kind: 'ruined', time, shortfallQuote };
  }
  if (run.fills.length === 0) return { kind: 'never-traded', why: whyNeverTraded(run, strategy, conditions) };
  const bars = conditions.market.time.length;
  if (bars < LEAST_BARS)
    return { kind: 'no-evidence', why: `${bars} bars are too few: ratios need at least ${LEAST_BARS}` };
  if (isStill(conditions.market)) return { kind: 'no-evidence', why: 'no price of this range ever changed' };
  return { kind: 'traded' };
}

function whyNeverTraded({ rejections }: BacktestRun, { targets }: Strategy, conditions: Conditions): string {
  const { market, rules } = conditions;
  const bars = market.time.length;
  if (bars < 2)
    return `${bars === 1 ? 'one bar is' : 'no bar is'} not enough: what is decided at a close is filled at the next open. Choose a longer range with --since and --until`;
  const counts = new Map<RejectionReason, number>();
  for (const { reason } of rejections) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most !== undefined) return whyRejected(most[0], most[1], conditions);

  const filled = targets.map((column) => column.subarray(0, bars - 1));
  const wants = (side: number): boolean => filled.some((column) => column.some((goal) => goal * side > 0));
  if (wants(1))
    return `every change was within trading.rebalanceBandPct (${rules.rebalanceBandPct} % of equity)`;
  if (!wants(-1)) return 'no position was ever wanted that a later bar could fill';
  return rules.allowShort
    ? `every change was within trading.rebalanceBandPct (${rules.rebalanceBandPct} % of equity)`
    : 'only short positions were ever wanted, and trading.allowShort is false';
}

function whyRejected(reason: RejectionReason, count: number, { instruments, rules }: Conditions): string {
  const orders = count === 1 ? 'its only order was' : `${count} orders were`;
  switch (reason) {
    case 'below-min-notional': {
      const { symbol, minNotional } = instruments.reduce((a, b) => (b.minNotional > a.minNotional ? b : a));
      return `${orders} below the least value of an order: trading.minNotional is ${minNotional} ${quoteOf(symbol)} and trading.initialBalance ${rules.initialBalance}`;
    }
    case 'below-amount-step':
      return `${orders} smaller than one trading.amountStep; raise trading.initialBalance or lower the step`;
    case 'insufficient-quote':
      return `${orders} more than the cash there was; raise trading.initialBalance`;
    case 'volume-share':
      return `${orders} more than trading.maxVolumeSharePct of the bar's volume`;
    case 'post-only':
    case 'reduce-only':
    case 'fill-or-kill':
    case 'expired':
      return `${orders} refused or ended by their own terms (${reason})`;
    case 'missing-bar':
      return `${orders} due at a bar that is missing; fetch the missing candles with \`fetch\``;
  }
}

/** Every bar of every symbol at one price. */
const isStill = ({ candles }: AlignedMarket): boolean =>
  candles.every(({ high, low }) => {
    const first = high.findIndex((price) => !Number.isNaN(price));
    if (first < 0) return true;
    const price = high[first];
    return high.every((value, row) => Number.isNaN(value) || (value === price && low[row] === price));
  });
