/** How a position is left beyond a fixed stop, target and trailing stop in percent. What is `undefined` is off. */
export interface ExitRules {
  /** Bars of Wilder's average true range. A level measured in it waits until so many bars have been seen. */
  readonly atrBars: number;
  /** Distance of the stop from the average entry price, in ATR as of the close before the entry. */
  readonly stopLossAtr: number | undefined;
  readonly takeProfitAtr: number | undefined;
  /** Distance of a trailing stop from the best price, in ATR as of the last close. It never moves back. */
  readonly trailingStopAtr: number | undefined;
  readonly breakEven: BreakEven | undefined;
  /** Left at the open of the bar that comes so many bars after the bar of the entry. */
  readonly maxBars: number | undefined;
  /** Left at the first open at which the position is so old, in ms. */
  readonly maxHeldMs: number | undefined;
  /** In the order of their distance. What they sold is not bought back before the target goes flat or turns. */
  readonly partialTargets: readonly PartialTarget[];
  /** Take-profit by age, in the order of it; before the first there is none of these. */
  readonly timedTargets: readonly TimedTarget[];
}

/** From `triggerPct` of profit at the best price on, the stop lies `lockPct` beyond the entry price, from the next bar on. */
export interface BreakEven {
  readonly triggerPct: number;
  readonly lockPct: number;
}

/** At `atPct` of profit, `sharePct` of all that was opened is sold, by a limit order. */
export interface PartialTarget {
  readonly atPct: number;
  readonly sharePct: number;
}

/** From the age of `afterMs` on the take-profit lies at `pct` of profit; -100 leaves at any price. */
export interface TimedTarget {
  readonly afterMs: number;
  readonly pct: number;
}
