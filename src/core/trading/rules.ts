import type { AccountRules } from './accounts/account-rules.ts';
import type { PairSymbol } from '../market/symbol.ts';
import type { ExitRules } from './exit-rules.ts';

/** How orders are filled, sized and protected. Percentages are of 100, basis points of 10 000. */
export interface ExecutionRules {
  /** What kind of account trades; `undefined`: spot, on which shorts (if allowed) borrow for free. */
  readonly account: AccountRules | undefined;
  /** Starting capital in quote currency; of an inverse account in the coin. */
  readonly initialBalance: number;
  /** Fee of each fill, on its notional; with tiers what sizes and strategies count with: a taker's at most. */
  readonly feeBps: number;
  /** Fees of makers and takers by turnover, the first from 0 on; `undefined`: `feeBps` for all. */
  readonly feeTiers: readonly FeeTier[] | undefined;
  /** How much worse than the reference price market and stop orders fill. Limit orders (take-profit) do not slip. */
  readonly slippageBps: number;
  /** Slippage from spread, volume and volatility instead of the fixed rate; `undefined`: the rate. */
  readonly impact: ImpactRules | undefined;
  /** Largest position of one symbol, of equity: what a target of 1 or -1 means. */
  readonly maxPositionPct: number;
  /** Largest sum of all positions, of equity. Targets that together want more are scaled down alike, or by `priority`. */
  readonly maxExposurePct: number;
  /** Symbols that are served first, in this order, where all together want more than there is; `undefined`: all get less alike. */
  readonly priority: readonly PairSymbol[] | undefined;
  /** How positions are opened and added to; `undefined`: at the market, at the next open. */
  readonly entry: EntryRules | undefined;
  /** Without it, as on a spot market, a negative target means flat. */
  readonly allowShort: boolean;
  /** A change of position smaller than this share of equity does not trade; closing always does. */
  readonly rebalanceBandPct: number;
  /** Largest share of a bar's volume one order may take; the rest of the order waits for the next bar. */
  readonly maxVolumeSharePct: number | undefined;
  /** Distance from the average entry price. */
  readonly stopLossPct: number | undefined;
  readonly takeProfitPct: number | undefined;
  readonly trailingStop: TrailingStop | undefined;
  /** Further ways out; beside the three above the nearer level holds. */
  readonly exits: ExitRules | undefined;
  /**
   * Which comes first when one bar reaches both stop and target. `nearest-first`: the extreme nearer to the open.
   * `stop-target-trailing`: a fixed stop, then the target, then a trailing stop, as freqtrade checks them.
   */
  readonly intrabarOrder: 'stop-first' | 'target-first' | 'nearest-first' | 'stop-target-trailing';
  /**
   * What fills a take-profit. `beyond`: a price better than its level, since others wait at the level itself and may be
   * served first. `touch`: the level is enough (Grademark).
   */
  readonly takeProfitFill: 'beyond' | 'touch';
  /**
   * Where a stop or target fills in a bar that opens beyond it. `open`: at the open. `level-if-touched`: at its
   * level when the bar comes back to it (freqtrade, Grademark), else a stop at the open and a target at the bar's
   * worst price: for comparison, no exchange pays a stop that.
   */
  readonly gapFill: 'open' | 'level-if-touched';
  /** Whether stop and target already work on the bar of the entry. */
  readonly protectEntryBar: boolean;
  /**
   * After a protective exit. `new-signal`: that side stays closed until its target goes flat or turns.
   * `next-bar`: a target that still stands is entered again at the next open.
   */
  readonly reentry: 'new-signal' | 'next-bar';
  /**
   * A held symbol that has had no bar for longer than this, while others have, counts as delisted: the position is
   * sold at its last close. `undefined`: it is kept and marked there for ever.
   */
  readonly delistedAfterMs: number | undefined;
  /** By how much a sale then fetches less (a purchase costs more) than the last close, in percent; default: 0. */
  readonly delistingHaircutPct?: number | undefined;
}

/**
 * Orders that a decision places instead of buying (or shorting) at the next open. They work from that open on, until they fill, for
 * `bars` bars, or until the next decision, which replaces them. Leaving and making smaller stay at the market.
 */
export interface EntryRules {
  /** `limit`: that much better than the last close. `stop`: at the market once the price has gone that far beyond it. */
  readonly kind: 'limit' | 'stop';
  readonly offsetPct: number;
  /** Of a limit: that many orders of equal amounts, evenly spaced from the close to `offsetPct`. */
  readonly parts: number;
  readonly bars: number;
  /** Of a limit: rejected where it would fill at once. */
  readonly postOnly: boolean;
}

/** Fees from a turnover of `fromQuote` in the 30 days before on. */
export interface FeeTier {
  readonly fromQuote: number;
  readonly makerBps: number;
  readonly takerBps: number;
}

/** Slippage as half the spread plus the square-root law of impact, from bars known at the time (`liquidity.ts`). */
export interface ImpactRules {
  /** Bars of the exponential means of spread, volume and volatility. */
  readonly windowBars: number;
  /** Of the square-root law. Execution pays about two thirds of the peak that a factor of 1 stands for. */
  readonly factor: number;
  /** Half the spread where none is known yet, and the most that the estimate may say. */
  readonly maxHalfSpreadBps: number;
  /** Largest share of a bar's mean volume that one order may take; the rest waits for the next bar. */
  readonly participationPct: number;
}

export interface TrailingStop {
  /** Distance from the best price since entry. */
  readonly distancePct: number;
  /** Profit at the best price from which on it trails. */
  readonly activationPct: number;
  /** What counts as best price: the bar's favourable extreme, or its close. */
  readonly from: 'extreme' | 'close';
  /**
   * `next-bar`: this bar's best price moves the stop of the next bar. `same-bar`: it moves the stop before the
   * bar's other extreme is tested, which flatters tight stops (the extreme need not have come first); on the bar of the
   * entry an exit is priced from the open, as if the price had risen just enough to start trailing.
   */
  readonly ratchet: 'next-bar' | 'same-bar';
}

/** Spot trading, the pessimistic choice wherever a bar leaves room for more than one. */
export const SPOT_RULES: ExecutionRules = {
  account: undefined,
  initialBalance: 10_000,
  feeBps: 10,
  feeTiers: undefined,
  slippageBps: 5,
  impact: undefined,
  maxPositionPct: 100,
  maxExposurePct: 100,
  priority: undefined,
  entry: undefined,
  allowShort: false,
  rebalanceBandPct: 5,
  maxVolumeSharePct: undefined,
  stopLossPct: undefined,
  takeProfitPct: undefined,
  trailingStop: undefined,
  exits: undefined,
  intrabarOrder: 'stop-first',
  takeProfitFill: 'beyond',
  gapFill: 'open',
  protectEntryBar: true,
  reentry: 'new-signal',
  delistedAfterMs: 2 * 86_400_000,
};

/** What a run uses that states no slippage of its own. */
export const MODELLED_IMPACT: ImpactRules = {
  windowBars: 100,
  factor: 1,
  maxHalfSpreadBps: 5,
  participationPct: 10,
};

/** The same rules with freqtrade's fills, for comparison: most of them flatter. Fees, sizes and distances stay. */
export const withFreqtradeFills = ({ trailingStop, ...rules }: ExecutionRules): ExecutionRules => ({
  ...rules,
  intrabarOrder: 'stop-target-trailing',
  takeProfitFill: 'beyond',
  gapFill: 'level-if-touched',
  protectEntryBar: true,
  reentry: 'next-bar',
  trailingStop: trailingStop && { ...trailingStop, ratchet: 'same-bar' },
});
