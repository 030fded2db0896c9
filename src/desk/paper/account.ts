import type { TradingEvent } from '../../core/trading/events.ts';
import { createPortfolio, equity, type Portfolio } from '../../core/trading/portfolio.ts';
import { type PortfolioSnapshot, restore, snapshot } from '../../core/trading/snapshot.ts';
import { advance, setTarget } from '../../core/trading/step.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type Bar, createRowMarket } from './bar.ts';
import type { PositionRecord, SessionRecord } from './record.ts';

/** The simulated account of a session: the trading core, fed one bar at a time. */
export interface Account {
  readonly portfolio: Portfolio;
  /** Fills what waits, runs stops and targets, marks at the close. */
  see(bar: Bar): readonly TradingEvent[];
  /** Targets in the order of the instruments for the next bar's open; null leaves what is held. */
  place(targets: readonly (number | null)[]): void;
  equity(): number;
  positions(): PositionRecord[];
  snapshot(): PortfolioSnapshot;
}

/** A new account, or the one that `saved` was taken of. */
export function openAccount(session: SessionRecord, saved?: PortfolioSnapshot): Account {
  const { instruments, rules } = session;
  const portfolio =
    saved === undefined ? createPortfolio(instruments, rules) : restore(saved, instruments, rules);
  const row = createRowMarket(instruments.length, TIMEFRAME_MS[session.timeframe]);
  return {
    portfolio,
    see(bar) {
      row.show(bar);
      return advance(portfolio, row.market, 0);
    },
    place(targets) {
      targets.forEach((target, s) => setTarget(portfolio, s, target ?? NaN));
    },
    equity: () => equity(portfolio),
    positions: () => positions(portfolio),
    snapshot: () => snapshot(portfolio),
  };
}

function positions({ instruments, columns }: Portfolio): PositionRecord[] {
  const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
  return instruments.flatMap(({ symbol }, s) =>
    columns.amount[s] === 0
      ? []
      : [
          {
            symbol,
            baseAmount: columns.amount[s],
            entryPrice: columns.entryPrice[s],
            markPrice: columns.mark[s],
            stopPrice: finite(columns.stopPrice[s]),
            takePrice: finite(columns.takePrice[s]),
          },
        ],
  );
}
