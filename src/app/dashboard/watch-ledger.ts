import { parseJson } from './parse-json.ts';
import { basename } from 'node:path';
import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { LEDGER_FILE, parseLine } from '../../desk/paper/ledger.ts';
import { BarRecord, SessionRecord } from '../../desk/paper/record.ts';
import { sessionsFolder } from '../../desk/paper/sessions.ts';
import { createHistory } from './history.ts';
import { createTail } from './tail.ts';
import type { PositionView, SessionView, SignalView } from './view.ts';

interface LedgerView {
  readonly session: SessionView | undefined;
  readonly positions: readonly PositionView[];
  readonly signals: readonly SignalView[];
}

/** Of all bars but the last, only these fields are read. */
const Glance = z.object({
  equity: z.number(),
  events: z.array(z.object({ kind: z.string(), profitQuote: z.number().optional() })),
});

/** Follows the paper session whose ledger was written last; never writes. */
export function watchLedger(dataDir: string): { poll(): Promise<void>; view(nowMs: number): LedgerView } {
  let totals = newTotals();
  let session: SessionRecord | undefined;
  let lastLine: string | undefined;
  let last: BarRecord | undefined;
  const tail = createTail(sessionsFolder(dataDir), {
    matches: (name) => basename(name) === LEDGER_FILE && !/^archive[/\\]/.test(name),
    onReset: () => {
      [totals, session, last] = [newTotals(), undefined, undefined];
    },
    onLine: (line) => {
      if (session === undefined) {
        session = parseLine(line, 'line 1', SessionRecord);
        return;
      }
      const { equity, events } = Glance.parse(parseJson(line));
      totals.add(equity, events);
      lastLine = line;
    },
  });
  return {
    poll: async () => {
      lastLine = undefined;
      await tail.poll();
      if (lastLine !== undefined) last = parseLine(lastLine, 'its end', BarRecord);
    },
    view: (nowMs) => ({
      session: session && describe(session, last, totals, nowMs),
      positions: session && last ? positionsOf(session, last) : [],
      signals: session && last ? signalsOf(session, last) : [],
    }),
  };
}

function newTotals() {
  const curve = createHistory();
  const totals = { bars: 0, trades: 0, wins: 0, peak: -Infinity, maxDrawdown: 0 };
  return {
    ...totals,
    curve,
    add(equity: number, events: z.output<typeof Glance>['events']): void {
      curve.add(equity);
      this.bars++;
      this.peak = Math.max(this.peak, equity);
      this.maxDrawdown = Math.max(this.maxDrawdown, 1 - equity / this.peak);
      for (const { kind, profitQuote } of events) {
        if (kind !== 'trade') continue;
        this.trades++;
        if (profitQuote !== undefined && profitQuote > 0) this.wins++;
      }
    },
  };
}

function describe(
  session: SessionRecord,
  last: BarRecord | undefined,
  totals: ReturnType<typeof newTotals>,
  nowMs: number,
): SessionView {
  const { sessionId, exchange, timeframe, feed, synthetic, rules } = session;
  const equity = last?.equity ?? rules.initialBalance;
  return {
    sessionId,
    exchange,
    timeframe,
    feed,
    synthetic,
    bars: totals.bars,
    lastBarTime: last && formatTime(last.timeMs),
    overdueSeconds: feed === 'exchange' && last ? overdueSeconds(session, last, nowMs) : undefined,
    equity,
    cash: last?.cash ?? rules.initialBalance,
    changePct: 100 * (equity / rules.initialBalance - 1),
    drawdownPct: totals.bars === 0 ? 0 : 100 * (1 - equity / totals.peak),
    maxDrawdownPct: 100 * totals.maxDrawdown,
    closedTrades: totals.trades,
    winningTrades: totals.wins,
    equityCurve: totals.curve.points(),
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
    if (held === undefined) {
      const markPrice = last.candles[s]?.[3];
      return { symbol, side: 'flat', baseAmount: 0, markPrice, pendingTarget, ...NOTHING_HELD };
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
    bySymbol: session.instruments.map(({ symbol }, s) => {
      const [position, confidence] = opinions[s] ?? [];
      return { symbol, position, confidence: Number.isNaN(confidence) ? undefined : confidence };
    }),
  }));
}
