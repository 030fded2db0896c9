import type { Controls } from '../controls.ts';
import { amount, minute, percent, price, signed, target } from '../format.ts';
import { bold, dim, gain, type Line, plain, type Room, table, wrap } from '../lines.ts';
import { NO_SESSION, type Pane } from '../pane.ts';
import type { DashboardView, DecisionView, TradeView } from '../view.ts';

/** As they are filtered and sorted. */
function tradesShown(view: DashboardView, controls: Controls): readonly TradeView[] {
  const { filter, order, reversed } = controls;
  const words = filter.toLowerCase().split(' ').filter(Boolean);
  const passes = (trade: TradeView): boolean => {
    const text =
      `${trade.symbol} ${trade.side} ${trade.exit} ${trade.profitQuote > 0 ? 'won' : 'lost'}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const by: Readonly<Record<Controls['order'], (a: TradeView, b: TradeView) => number>> = {
    closed: (a, b) => b.exitTime.localeCompare(a.exitTime),
    profit: (a, b) => b.profitQuote - a.profitQuote,
    'profit %': (a, b) => b.profitPct - a.profitPct,
    held: (a, b) => b.barsHeld - a.barsHeld,
    symbol: (a, b) => a.symbol.localeCompare(b.symbol),
  };
  const sorted = (view.trades ?? []).filter(passes).toSorted(by[order]);
  return reversed ? sorted.toReversed() : sorted;
}

export const tradesPane: Pane = {
  id: 'trades',
  title: (view, controls) => {
    const shown = tradesShown(view, controls);
    const sum = shown.reduce((total, { profitQuote }) => total + profitQuote, 0);
    const won = shown.filter(({ profitQuote }) => profitQuote > 0).length;
    const filter = controls.filter === '' ? '' : ` with "${controls.filter}"`;
    return `${shown.length} closed trades${filter}, won ${won}, ${signed(sum)}; by ${controls.order}${controls.reversed ? ', reversed' : ''}`;
  },
  least: 3,
  anchor: 'cursor',
  head: 1,
  count: (view, controls) => tradesShown(view, controls).length,
  lines: (view, room, controls) => {
    if (view.session === undefined) return [[dim(NO_SESSION)]];
    const trades = tradesShown(view, controls);
    if (trades.length === 0)
      return [
        [
          dim(
            controls.filter === '' ? 'No trade is closed yet.' : 'No trade passes the filter: esc clears it.',
          ),
        ],
      ];
    const head = ['symbol', 'side', 'closed', 'held', 'entry', 'exit', 'profit', '', 'by'];
    return table(head, trades.map(cells), room, controls.cursor);
  },
};

const cells = (trade: TradeView) => [
  bold(trade.symbol),
  plain(trade.side),
  plain(minute(trade.exitTime)),
  plain(`${trade.barsHeld} ${trade.barsHeld === 1 ? 'bar' : 'bars'}`),
  plain(price(trade.entryPrice)),
  plain(price(trade.exitPrice)),
  gain(trade.profitQuote, signed(trade.profitQuote)),
  gain(trade.profitPct, percent(trade.profitPct)),
  plain(trade.exit),
];

/** Of the chosen trade: what was said at the close that opened it and at the one that ended it. */
export const whyPane: Pane = {
  id: 'why',
  title: 'Why',
  least: 4,
  anchor: 'top',
  lines: (view, room, controls) => {
    const trade = tradesShown(view, controls)[controls.cursor];
    if (trade === undefined) return [[dim('Choose a trade.')]];
    const { symbol, side, baseAmount, feeQuote } = trade;
    return [
      [
        bold(`${symbol} ${side} ${amount(baseAmount)}`),
        dim(`  opened ${minute(trade.entryTime)}, closed ${minute(trade.exitTime)}, fees ${price(feeQuote)}`),
      ],
      ...decisionLines('Opened', trade.entered, NOT_KEPT, room),
      ...decisionLines(
        'Closed',
        trade.left,
        trade.exit === 'target'
          ? NOT_KEPT
          : `${trade.exit}: an exit inside the bar, no decision asked for it`,
        room,
      ),
    ];
  },
};

const NOT_KEPT = 'decided too long ago to be kept here; `crypto-trader paper explain` reads the whole ledger';

function decisionLines(
  verb: string,
  decision: DecisionView | undefined,
  otherwise: string,
  { width, spoken }: Room,
): readonly Line[] {
  const broken = (text: string): readonly Line[] =>
    wrap(text, spoken ? Infinity : width).map((line) => [plain(line)]);
  if (decision === undefined) return broken(`${verb}: ${otherwise}.`);
  const { time, reason, target: wanted, votes } = decision;
  const what = wanted === undefined ? '' : ` to ${target(wanted)}`;
  const said = votes.map(
    ({ model, position, confidence }) => `${model} ${target(position)} (${Math.round(100 * confidence)} %)`,
  );
  return [
    ...broken(
      `${verb}${what} at the close of the bar of ${minute(time)}: ${reason ?? 'no reason on record'}.`,
    ),
    ...(said.length === 0 ? [] : broken(`Votes: ${said.join(', ')}.`)),
  ];
}
