import { minute, price } from '../format.ts';
import { bold, dim, type Line, plain, type Span, table, warn } from '../lines.ts';
import type { Pane } from '../pane.ts';
import type { LiveView } from '../view.ts';

const NO_LIVE = 'No live session: docs/live.md says how one is planned and confirmed.';

export const livePane: Pane = {
  id: 'live',
  title: 'Live trading (started and steered by `crypto-trader live`)',
  least: 4,
  anchor: 'cursor',
  head: 1,
  count: ({ live }) => live?.length ?? 0,
  lines: ({ live }, room, { cursor, view }) => {
    if (live === undefined) return [[dim('Reading the live sessions ...')]];
    if (live.length === 0) return [[dim(NO_LIVE)]];
    return [
      ...table(HEAD, live.map(cells), room, view === 'live' ? cursor : undefined),
      ...live.flatMap(({ name, fault }): Line[] =>
        fault === undefined ? [] : [[warn(`${name}: ${fault}`)]],
      ),
    ];
  },
};

const HEAD = ['session', 'account', 'money', 'process', 'last bar', 'equity', 'cash'];

function cells({ name, exchange, account, sandbox, pid, ...session }: LiveView): readonly Span[] {
  return [
    bold(name),
    plain(`${exchange} ${account}`),
    sandbox ? plain('playground') : warn('REAL'),
    pid === undefined ? warn('stopped') : plain(String(pid)),
    plain(session.lastBarTime === undefined ? 'none yet' : minute(session.lastBarTime)),
    plain(price(session.equity)),
    plain(price(session.cash)),
  ];
}

export const livePositionsPane: Pane = {
  id: 'live-positions',
  title: ({ live }, { cursor }) =>
    `Positions${live?.[cursor] === undefined ? '' : ` of ${live[cursor].name}`}`,
  least: 2,
  anchor: 'top',
  head: 1,
  lines: ({ live }, room, { cursor }): readonly Line[] => {
    const positions = live?.[cursor]?.positions ?? [];
    if (positions.length === 0) return [[dim('Nothing is held.')]];
    return table(
      ['symbol', 'amount', 'entry', 'now'],
      positions.map(({ symbol, baseAmount, entryPrice, markPrice }) => [
        bold(symbol),
        plain(String(Number(baseAmount.toPrecision(6)))),
        plain(price(entryPrice)),
        plain(price(markPrice)),
      ]),
      room,
    );
  },
};

export const liveOrdersPane: Pane = {
  id: 'live-orders',
  title: 'Orders, the newest first',
  least: 3,
  anchor: 'top',
  head: 1,
  lines: ({ live }, room, { cursor }): readonly Line[] => {
    const orders = live?.[cursor]?.orders ?? [];
    if (orders.length === 0) return [[dim('No order yet.')]];
    return table(
      ['time', 'symbol', 'side', 'amount', 'filled', 'price', 'state', 'why'],
      orders.map((order) => [
        plain(minute(order.time)),
        bold(order.symbol),
        plain(order.side),
        plain(String(Number(order.baseAmount.toPrecision(6)))),
        plain(String(Number(order.filled.toPrecision(6)))),
        plain(order.price === undefined ? '' : price(order.price)),
        plain(order.state),
        plain(order.reason ?? ''),
      ]),
      room,
    );
  },
};
