import { basename, dirname } from 'node:path';
import { describeReason } from '../../core/strategy/reason.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { LEDGER_FILE } from '../../desk/paper/ledger.ts';
import { type BarRecord, type SessionRecord, strategyOf } from '../../desk/paper/record.ts';
import { sessionsFolder } from '../../desk/paper/sessions.ts';
import { followLedger, type LedgerState, type OrderDecision } from './follow-ledger.ts';
import type { DecisionView, PositionView, SessionView, SignalView, TradeView } from './view.ts';

interface LedgerView {
  readonly session: SessionView | undefined;
  readonly positions: readonly PositionView[];
  readonly signals: readonly SignalView[];
}

/** Follows the paper session called `name`, or the one whose ledger was written last; never writes. */
export function watchLedger(
  dataDir: string,
  name: string | undefined,
): {
  poll(): Promise<boolean>;
  view(nowMs: number): LedgerView;
  trades(): readonly TradeView[];
  state(): LedgerState | undefined;
  /** Name of the session that is followed. */
  name(): string | undefined;
} {
  const ledger = followLedger(sessionsFolder(dataDir), (file) =>
    name === undefined
      ? basename(file) === LEDGER_FILE && !/^archive[/\\]/.test(file)
      : file.replace('\\', '/') === `${name}/${LEDGER_FILE}`,
  );
  let state: LedgerState | undefined;
  return {
    poll: async () => {
      const changed = await ledger.poll();
      if (changed) state = ledger.state();
      return changed;
    },
    state: () => state,
    name: () => {
      const path = ledger.path();
      return path && basename(dirname(path));
    },
    view: (nowMs) => ({
      session: state && describe(state, nowMs),
      positions: state?.last === undefined ? [] : positionsOf(state.session, state.last),
      signals: state?.last === undefined ? [] : signalsOf(state.session, state.last),
    }),
    trades: () => (state === undefined ? [] : tradesOf(state)),
  };
}

function describe(state: LedgerState, nowMs: number): SessionView {
  const { session, last, bars, peak, dayEquity } = state;
  const { sessionId, exchange, timeframe, feed, synthetic, rules } = session;
  const equity = last?.equity ?? rules.initialBalance;
  const held = last?.positions ?? [];
  const value = held.reduce((sum, { baseAmount, markPrice }) => sum + Math.abs(baseAmount * markPrice), 0);
  return {
    sessionId,
    exchange,
    timeframe,
    feed,
    synthetic,
    runId: last?.runId ?? session.runId,
    strategy: strategyOf(session).id,
    bars,
    lastBarTime: last && formatTime(last.timeMs),
    overdueSeconds: feed === 'exchange' && last ? overdueSeconds(session, last, nowMs) : undefined,
    equity,
    cash: last?.cash ?? rules.initialBalance,
    changePct: 100 * (equity / rules.initialBalance - 1),
    dayPnl: equity - dayEquity,
    dayPnlPct: 100 * (equity / dayEquity - 1),
    exposurePct: equity > 0 ? (100 * value) / equity : 0,
    drawdownPct: bars === 0 ? 0 : 100 * (1 - equity / peak),
    maxDrawdownPct: 100 * state.maxDrawdown,
    closedTrades: state.trades,
    winningTrades: state.wins,
    equityCurve: state.curve.equity,
  };
}

/** A bar is here when the one after it has closed, at the latest; then the exchange or the program is late. */
function overdueSeconds(session: SessionRecord, last: BarRecord, nowMs: number): number | undefined {
  const dueMs = last.timeMs + 3 * TIMEFRAME_MS[session.timeframe];
  return nowMs > dueMs ? (nowMs - dueMs) / 1000 : undefined;
}

function positionsOf(session: SessionRecord, last: BarRecord): readonly PositionView[] {
  return session.instruments.map(({ symbol }, s) => {
    const held = last.positions.find((position) => position.symbol === symbol);
    const target = last.decision === 'placed' ? (last.targets[s] ?? undefined) : undefined;
    const pendingTarget = target === undefined || session.rules.allowShort ? target : Math.max(0, target);
    const why = last.reasons?.[s] ?? undefined;
    const reason = why && describeReason(why);
    if (held === undefined) {
      const markPrice = last.candles[s]?.[3];
      return { symbol, side: 'flat', baseAmount: 0, markPrice, pendingTarget, reason, ...NOTHING_HELD };
    }
    const { baseAmount, entryPrice, markPrice, stopPrice, takePrice } = held;
    return {
      symbol,
      side: baseAmount > 0 ? 'long' : 'short',
      baseAmount,
      entryPrice,
      markPrice,
      unrealizedPnl: baseAmount * (markPrice - entryPrice),
      unrealizedPct: 100 * Math.sign(baseAmount) * (markPrice / entryPrice - 1),
      stopPrice,
      takePrice,
      pendingTarget,
      reason,
    };
  });
}

const NOTHING_HELD = {
  entryPrice: undefined,
  unrealizedPnl: undefined,
  unrealizedPct: undefined,
  stopPrice: undefined,
  takePrice: undefined,
} as const;

function signalsOf(session: SessionRecord, last: BarRecord): readonly SignalView[] {
  const ensemble = (last.wanted ?? last.targets).map((target): [number, number] | null =>
    target === null ? null : [target, NaN],
  );
  return [...Object.entries(last.models), ['ensemble', ensemble] as const].map(([model, opinions]) => ({
    model,
    noSkill: last.noSkill?.includes(model) ?? false,
    weight: last.ensemble?.weights[model],
    bySymbol: session.instruments.map(({ symbol }, s) => {
      const [position, confidence] = opinions[s] ?? [];
      return { symbol, position, confidence: Number.isNaN(confidence) ? undefined : confidence };
    }),
  }));
}

function tradesOf({ events, decisions }: LedgerState): readonly TradeView[] {
  const byOrder = new Map(decisions.map((one) => [`${one.symbol} ${one.barMs}`, one]));
  const decisionAt = (symbol: string, barMs: number): DecisionView | undefined => {
    const found = byOrder.get(`${symbol} ${barMs}`);
    return found && decisionView(found);
  };
  return events.flatMap((event): readonly TradeView[] => {
    if (event.kind !== 'trade') return [];
    const { kind: _, barMs, entryTime, exitTime, ...trade } = event;
    return [
      {
        ...trade,
        entryTime: formatTime(entryTime),
        exitTime: formatTime(exitTime),
        entered: decisionAt(trade.symbol, entryTime),
        left: trade.exit === 'target' ? decisionAt(trade.symbol, barMs) : undefined,
      },
    ];
  });
}

const decisionView = ({ decidedMs, reason, target, votes }: OrderDecision): DecisionView => ({
  time: formatTime(decidedMs),
  reason: reason === null ? undefined : describeReason(reason),
  target: target ?? undefined,
  votes: votes.map(({ model, said: [position, confidence] }) => ({ model, position, confidence })),
});
