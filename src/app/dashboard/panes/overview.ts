import { amount, percent, price, signed, target } from '../format.ts';
import { accent, bold, dim, gain, type Line, plain, type Room, type Span, table, wrap } from '../lines.ts';
import { NO_SESSION, type Pane, WAITING_FOR_BAR } from '../pane.ts';
import { sparkline } from '../sparkline.ts';
import type { DashboardView, PositionView, SessionView, SignalView } from '../view.ts';

const CURVE_ROWS = 6;

export const equityPane: Pane = {
  id: 'equity',
  title: 'Equity',
  least: 3,
  anchor: 'top',
  lines: ({ session }, room) => {
    if (session === undefined) return [[dim(NO_SESSION)]];
    const figures = [standing(session), account(session)];
    if (room.spoken) return figures;
    const curve = sparkline(
      session.equityCurve,
      room.width,
      Math.max(1, Math.min(CURVE_ROWS, room.rows - 2)),
    );
    return [
      ...figures,
      ...curve.map((text): Line => [{ text, colour: session.changePct < 0 ? 'bad' : 'good' }]),
    ];
  },
};

const standing = (session: SessionView): Line => [
  bold(price(session.equity)),
  plain(' '),
  gain(session.changePct, percent(session.changePct)),
  dim('  today '),
  gain(session.dayPnl, `${signed(session.dayPnl)} (${percent(session.dayPnlPct)})`),
  dim('  drawdown '),
  plain(`${session.drawdownPct.toFixed(2)} %`),
  dim(` (worst ${session.maxDrawdownPct.toFixed(2)} %)`),
];

const account = (session: SessionView): Line => [
  dim('exposure '),
  plain(`${session.exposurePct.toFixed(1)} %`),
  dim('  cash '),
  plain(price(session.cash)),
  dim(`  won ${session.winningTrades} of ${session.closedTrades}`),
  dim(`  strategy ${session.strategy}`),
  ...(session.runId === undefined ? [] : [dim(`  run ${session.runId}`)]),
];

export const positionsPane: Pane = {
  id: 'positions',
  title: 'Positions',
  least: 2,
  anchor: 'top',
  head: 1,
  lines: ({ session, positions }, room) => {
    if (session === undefined) return [[dim(NO_SESSION)]];
    if (positions.length === 0) return [[dim(WAITING_FOR_BAR)]];
    const head = [
      'symbol',
      'side',
      'amount',
      'entry',
      'last',
      'unrealised',
      '',
      'stop',
      'target',
      'next open',
    ];
    return table(head, positions.map(positionCells), room);
  },
};

function positionCells(position: PositionView): readonly Span[] {
  const known = (value: number | undefined): Span => plain(value === undefined ? '' : price(value));
  const { unrealizedPnl: pnl, unrealizedPct: pct, pendingTarget } = position;
  return [
    bold(position.symbol),
    plain(position.side),
    plain(position.side === 'flat' ? '' : amount(position.baseAmount)),
    known(position.entryPrice),
    known(position.markPrice),
    pnl === undefined ? plain('') : gain(pnl, signed(pnl)),
    pct === undefined ? plain('') : gain(pct, percent(pct)),
    known(position.stopPrice),
    known(position.takePrice),
    pendingTarget === undefined ? plain('') : accent(target(pendingTarget)),
  ];
}

export const signalsPane: Pane = {
  id: 'signals',
  title: 'Signals at the last close (confidence)',
  least: 2,
  anchor: 'top',
  head: 1,
  lines: ({ session, signals }, room) => {
    if (session === undefined) return [[dim(NO_SESSION)]];
    if (signals.length === 0) return [[dim(WAITING_FOR_BAR)]];
    const weighed = signals.some(({ weight }) => weight !== undefined);
    const head = [
      'model',
      ...(weighed ? ['weight'] : []),
      ...signals[0].bySymbol.map(({ symbol }) => symbol),
    ];
    const order = signals.toSorted((a, b) => rank(b) - rank(a));
    return table(
      head,
      order.map((signal) => signalCells(signal, weighed)),
      room,
    );
  },
};

/** The ensemble, then the models by what they count for, then those without a vote. */
const rank = ({ model, weight = 0, noSkill }: SignalView): number =>
  model === 'ensemble' ? 2 : noSkill ? -1 : weight;

function signalCells({ model, noSkill, weight, bySymbol }: SignalView, weighed: boolean): readonly Span[] {
  return [
    model === 'ensemble' ? bold(model) : plain(noSkill ? `${model} (no skill)` : model),
    ...(weighed ? [plain(weight === undefined ? '' : `${(100 * weight).toFixed(0)} %`)] : []),
    ...bySymbol.map(({ position, confidence }) => {
      if (position === undefined) return dim('no opinion');
      const sure = confidence === undefined ? '' : ` (${Math.round(100 * confidence)} %)`;
      return gain(position, `${target(position)}${sure}`);
    }),
  ];
}

export const reasonsPane: Pane = {
  id: 'reasons',
  title: ({ session }) => `Why${session === undefined ? '' : `: ${session.strategy}`}`,
  least: 1,
  anchor: 'top',
  lines: reasonLines,
};

function reasonLines({ session, positions }: DashboardView, { width, spoken }: Room): readonly Line[] {
  if (session === undefined) return [[dim(NO_SESSION)]];
  const known = positions.filter(({ reason }) => reason !== undefined);
  if (known.length === 0) return [[dim('The session has no reason on record.')]];
  return known.flatMap(({ symbol, reason = '' }): readonly Line[] => {
    const lines = wrap(`${symbol}: ${reason}`, spoken ? Infinity : width);
    return lines.map((text) => [plain(text)]);
  });
}
