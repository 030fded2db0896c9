import type { PairSymbol } from '../../market/symbol.ts';

/**
 * Limits that stand above the strategy. The largest position per symbol and in total are `ExecutionRules`'; these say when
 * nothing may be opened, and when everything is closed. A limit that is `undefined` is off. Reducing and closing
 * are never refused. Percentages are of 100.
 */
export interface RiskRules {
  /** Loss of equity from its peak at which everything is closed and nothing is opened again in this session. */
  readonly maxDrawdownPct: number | undefined;
  /** Loss of equity since the end of the UTC day before at which nothing is opened until the day ends. */
  readonly maxDailyLossPct: number | undefined;
  /** Largest increase of one position by one decision, of equity. */
  readonly maxTradePct: number | undefined;
  /** Openings and increases that one minute may bring: one decision, since no bar is shorter. */
  readonly maxOrdersPerMinute: number | undefined;
  /** Distance between a close and the next open beyond which nothing is opened there. */
  readonly priceCollarPct: number | undefined;
  /** Cash that purchases leave, in quote currency. */
  readonly minBalance: number | undefined;
  readonly protections: readonly Protection[];
}

/**
 * freqtrade's protections (docs/includes/protections.md), on closed trades and in bars. A lock begins where the last of the
 * trades that caused it was closed, and lasts for `stopBars` bars.
 */
export type Protection =
  /** After any trade its symbol rests. */
  | { readonly kind: 'cooldown'; readonly stopBars: number }
  /** `tradeLimit` trades that a stop ended below `requiredProfitPct` within `lookbackBars` stop all, or that symbol or side. */
  | {
      readonly kind: 'stop-loss-guard';
      readonly lookbackBars: number;
      readonly tradeLimit: number;
      readonly stopBars: number;
      readonly requiredProfitPct: number;
      readonly onlyPerSymbol: boolean;
      readonly onlyPerSide: boolean;
    }
  /** The largest fall of the summed profits of all trades within `lookbackBars`, when there are `tradeLimit` of them. */
  | {
      readonly kind: 'max-drawdown';
      readonly lookbackBars: number;
      readonly tradeLimit: number;
      readonly stopBars: number;
      readonly maxDrawdownPct: number;
    }
  /** `tradeLimit` trades of a symbol within `lookbackBars` that together made less than `requiredProfitPct`. */
  | {
      readonly kind: 'low-profit';
      readonly lookbackBars: number;
      readonly tradeLimit: number;
      readonly stopBars: number;
      readonly requiredProfitPct: number;
    };

/** What a rule made of a decision. */
export interface Verdict {
  readonly symbol: PairSymbol;
  readonly rule:
    | 'drawdown-kill-switch'
    | 'daily-loss'
    | 'trade-size'
    | 'orders-per-minute'
    | 'price-collar'
    | 'minimum-balance'
    | 'stale-forecast'
    | Protection['kind'];
  /** Target position that was decided, in [-1, 1]. */
  readonly wanted: number;
  /** What is placed instead; `undefined`: nothing, what is held stays. */
  readonly allowed: number | undefined;
}
