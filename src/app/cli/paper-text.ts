import { formatMinute, formatTime } from '../../core/foundation/time.ts';
import type { Account } from '../../desk/paper/account.ts';
import { describeReason } from '../../core/strategy/reason.ts';
import { type BarRecord, type SessionRecord, strategyOf } from '../../desk/paper/record.ts';
import type { RunSummary } from '../../desk/paper/run.ts';
import type { PaperSession } from '../../desk/paper/session.ts';
import type { TradingEvent } from '../../core/trading/events.ts';
import { isWorthAnOrder } from '../../core/trading/open.ts';
import { less } from './table.ts';

/** `bought 0.0123 BTC/USDT at 66000.00 (stop-loss)`. */
export function eventText(event: TradingEvent): string {
  switch (event.kind) {
    case 'fill': {
      const verb = event.side === 'buy' ? 'bought' : 'sold';
      return `${verb} ${event.baseAmount} ${event.symbol} at ${short(event.price)} (${event.cause})`;
    }
    case 'rejected':
      return `could not ${event.side} ${short(event.baseAmount)} ${event.symbol}: ${event.reason}`;
    case 'trade':
      return `${event.symbol} ${event.side} closed with ${event.profitQuote.toFixed(2)} (${event.profitPct.toFixed(2)} %)`;
    case 'payment':
      return `${event.symbol}: ${event.reason} of ${event.quote.toFixed(2)}`;
    case 'ruin':
      return 'RUINED: nothing of the account is left, and it trades no more';
  }
}

/** Says when the account ended; nothing while there is one. */
export function ruinText({ portfolio: { ruinedAt } }: Account): string | undefined {
  return Number.isNaN(ruinedAt)
    ? undefined
    : `RUINED in the bar of ${formatMinute(ruinedAt)}: nothing of the account is left, and it trades no more. Start another with \`paper --fresh\`.`;
}

/** What the next bar's open is going to trade, by the prices of the last close, one line per symbol. */
export const waiting = (session: SessionRecord, account: Account): readonly string[] =>
  pending(session, account)
    .filter(({ trades }) => trades)
    .map(({ symbol, target }) => `${symbol} to ${(100 * target).toFixed(0)} % at the next open`);

/** Why the last decision was what it was, one line per symbol: what a session without orders owes its reader. */
export const reasonLines = (
  { instruments }: SessionRecord,
  { reasons }: Pick<BarRecord, 'reasons'>,
): readonly string[] =>
  instruments.flatMap(({ symbol }, s) => {
    const reason = reasons?.[s];
    return reason ? [`${symbol}: ${describeReason(reason)}`] : [];
  });

export const POSITION_HEAD = [
  'symbol',
  'amount',
  less('entry', 3),
  'last',
  'unrealised',
  less('stop', 1),
  less('target', 2),
];

export const positionRows = (account: Account): readonly (readonly string[])[] =>
  account
    .positions()
    .map(({ symbol, baseAmount, entryPrice, markPrice, stopPrice, takePrice }) => [
      symbol,
      String(baseAmount),
      short(entryPrice),
      short(markPrice),
      (baseAmount * (markPrice - entryPrice)).toFixed(2),
      stopPrice === undefined ? '' : short(stopPrice),
      takePrice === undefined ? '' : short(takePrice),
    ]);

/**
 * `paper --json`. `orders`: what was filled, rejected or is waiting since this run of the command began.
 * `realizedPnl`: all that equity has gained or lost since the session began, less what open positions would.
 */
export function paperDocument(running: PaperSession, summary: RunSummary, records: readonly BarRecord[]) {
  const { session, account, recovery, last } = running;
  const positions = account.positions().map((position) => ({
    ...position,
    unrealizedPnl: position.baseAmount * (position.markPrice - position.entryPrice),
  }));
  const unrealizedPnl = positions.reduce((sum, position) => sum + position.unrealizedPnl, 0);
  const equity = account.equity();
  return {
    sessionId: session.sessionId,
    feed: session.feed,
    feedState: summary.feed.kind,
    exchange: session.exchange,
    timeframe: session.timeframe,
    synthetic: session.synthetic,
    strategy: strategyOf(session),
    cycles: summary.cycles,
    barsProcessed: summary.barsProcessed,
    missedDecisions: records.filter((record) => record.decision === 'missed').length,
    orders: [...records.flatMap((record) => record.events.flatMap(order)), ...pendingOrders(running)],
    positions,
    equity,
    ruinedAt: Number.isNaN(account.portfolio.ruinedAt) ? null : formatTime(account.portfolio.ruinedAt),
    cash: account.portfolio.cash,
    realizedPnl: equity - session.rules.initialBalance - unrealizedPnl,
    unrealizedPnl,
    feesQuote: account.portfolio.feesQuote,
    feeBps: session.rules.feeBps,
    slippageBps: session.rules.impact === undefined ? session.rules.slippageBps : null,
    lastBarTime: last && formatTime(last.timeMs),
    reasons: last?.reasons,
    recovered: recovery.recovered,
    barsReplayed: recovery.barsReplayed,
    tornBytes: recovery.tornBytes,
  };
}

function order(event: TradingEvent): readonly object[] {
  if (event.kind !== 'fill' && event.kind !== 'rejected') return [];
  const { kind, time, ...rest } = event;
  return [{ status: kind === 'fill' ? 'filled' : 'rejected', time: formatTime(time), ...rest }];
}

const pendingOrders = ({ session, account, last }: PaperSession): readonly object[] =>
  pending(session, account).map(({ symbol, target, trades }) => ({
    status: 'pending',
    decidedAtCloseOf: last && formatTime(last.timeMs),
    symbol,
    targetPosition: target,
    withinBand: !trades,
  }));

/**
 * Targets that the trading core holds for the next open; without shorts, below zero means flat. `trades`: at the prices of
 * the last close, before costs and the exposure limit, the change is not one that the rebalancing band leaves alone.
 */
function pending({ instruments, rules }: SessionRecord, account: Account) {
  const { target, amount, mark } = account.portfolio.columns;
  const equity = account.equity();
  return instruments.flatMap(({ symbol }, s) => {
    if (Number.isNaN(target[s])) return [];
    const goal = rules.allowShort ? target[s] : Math.max(0, target[s]);
    const held = amount[s] === 0 ? 0 : amount[s] * mark[s];
    const wanted = (goal * equity * rules.maxPositionPct) / 100;
    const band = (equity * rules.rebalanceBandPct) / 100;
    return [{ symbol, target: goal, trades: isWorthAnOrder(amount[s], wanted, wanted - held, band) }];
  });
}

const short = (value: number): string =>
  Math.abs(value) >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(5)));
