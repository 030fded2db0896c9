import type { TradingEvent } from '../../core/trading/events.ts';
import { createPortfolio, equity, type Portfolio } from '../../core/trading/portfolio.ts';
import { type PortfolioSnapshot, restore, snapshot } from '../../core/trading/snapshot.ts';
import { createGuard } from '../../core/trading/risk/guard.ts';
import type { RiskState } from '../../core/trading/risk/gate.ts';
import type { Verdict } from '../../core/trading/risk/rules.ts';
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
  /** What the risk rules made of the last bar and of what was placed at its close; `undefined`: there are none. */
  verdicts(): readonly Verdict[] | undefined;
  equity(): number;
  positions(): PositionRecord[];
  snapshot(): PortfolioSnapshot;
  /** What the risk rules remember; `undefined`: there are none. */
  riskState(): RiskState | undefined;
}

/** An account as it was kept. */
interface SavedAccount {
  readonly portfolio: PortfolioSnapshot;
  readonly risk: RiskState | undefined;
}

/** A new account, or the one that `saved` was taken of. */
export function openAccount(session: SessionRecord, saved?: SavedAccount): Account {
  const { instruments, rules } = session;
  const portfolio =
    saved === undefined ? createPortfolio(instruments, rules) : restore(saved.portfolio, instruments, rules);
  const barMs = TIMEFRAME_MS[session.timeframe];
  const guard = session.risk && createGuard(session.risk, portfolio, barMs, saved?.risk);
  const row = createRowMarket(instruments.length, barMs);
  let verdicts: readonly Verdict[] = [];
  return {
    portfolio,
    see(bar) {
      row.show(bar);
      verdicts = guard?.before(row.market, 0) ?? [];
      const events = advance(portfolio, row.market, 0);
      guard?.after(row.market, 0, events);
      return events;
    },
    place(targets) {
      if (guard !== undefined) verdicts = [...verdicts, ...guard.place(targets)];
      else targets.forEach((target, s) => setTarget(portfolio, s, target ?? NaN));
    },
    verdicts: () => (guard === undefined ? undefined : verdicts),
    riskState: () => guard?.state(),
    equity: () => equity(portfolio),
    positions: () => positions(portfolio),
    snapshot: () => snapshot(portfolio),
  };
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

function positions({ instruments, columns }: Portfolio): PositionRecord[] {
  const held: PositionRecord[] = [];
  for (let s = 0; s < instruments.length; s++) {
    if (columns.amount[s] === 0) continue;
    held.push({
      symbol: instruments[s].symbol,
      baseAmount: columns.amount[s],
      entryPrice: columns.entryPrice[s],
      markPrice: columns.mark[s],
      stopPrice: finite(columns.stopPrice[s]),
      takePrice: finite(columns.takePrice[s]),
    });
  }
  return held;
}
