import { amount, fixed, money, price, time } from '../format.ts';
import { Badge, Empty, Fault, LOADING, LongTable, Page, Panel, Stat, Stats, Table } from '../parts/ui.tsx';
import { useEvery, useGet } from '../parts/use.ts';
import type { Position } from '../types.ts';

interface LiveSession {
  readonly name: string;
  readonly exchange: string;
  readonly sandbox: boolean;
  readonly account: string;
  readonly state: 'running' | 'stopped';
  readonly pid?: number;
  readonly fault?: string;
  readonly halted?: string;
  readonly equity: number;
  readonly cash: number;
  readonly lastBarTime?: string;
  readonly decision?: string;
  readonly positions: readonly Position[];
  readonly orders: readonly Order[];
}
interface Order {
  readonly clientId: string;
  readonly time: string;
  readonly symbol: string;
  readonly side: string;
  readonly baseAmount: number;
  readonly price?: number;
  readonly state: string;
  readonly filled: number;
  readonly reason?: string;
}

const ASK_EVERY_MS = 10_000;

export default function LiveTrading() {
  const turn = useEvery(ASK_EVERY_MS);
  const { value, error } = useGet<{ readonly sessions: readonly LiveSession[] }>('/live-sessions', turn);
  return (
    <Page
      title="Live"
      about="Trading at an exchange, to look at. It is started, paused and ended in a terminal alone."
    >
      <Fault error={error} />
      {value === undefined ? (
        error === undefined && <Empty>{LOADING}</Empty>
      ) : value.sessions.length === 0 ? (
        <Panel title="Nothing trades live">
          <p>Orders go to an exchange only after somebody has read and confirmed the terms in a terminal:</p>
          <Commands />
        </Panel>
      ) : (
        value.sessions.map((session) => <Session key={session.name} session={session} />)
      )}
    </Page>
  );
}

const Commands = () => (
  <ul class="sentences">
    <li>
      <code>crypto-trader live plan</code>{' '}
      <span class="muted">exchange, account and limits; sends nothing</span>
    </li>
    <li>
      <code>crypto-trader live start</code>{' '}
      <span class="muted">plans orders, and sends them once execution.dryRun is off</span>
    </li>
    <li>
      <code>crypto-trader live pause</code>, <code>live resume</code>, <code>live flatten</code>{' '}
      <span class="muted">steer it while it runs</span>
    </li>
  </ul>
);

function Session({ session }: { readonly session: LiveSession }) {
  const { name, state, fault, halted, sandbox, positions, orders } = session;
  return (
    <div class="grid">
      <Panel
        title={name}
        wide
        actions={
          <>
            <Badge kind={sandbox ? 'info' : 'warn'}>{sandbox ? 'playground' : 'REAL MONEY'}</Badge>
            <Badge {...(state === 'running' && { kind: 'good' })}>{state}</Badge>
            {halted !== undefined && <Badge kind="bad">STOPPED</Badge>}
          </>
        }
      >
        {fault !== undefined && (
          <p class="fault" role="status">
            <strong>Look at it:</strong> {fault}.
          </p>
        )}
        <Stats>
          <Stat label="Equity" value={money(session.equity)} />
          <Stat label="Cash" value={money(session.cash)} />
          <Stat small label="Account" value={session.account} note={session.exchange} />
          <Stat small label="Last bar" value={time(session.lastBarTime)} note={session.decision ?? ''} />
        </Stats>
        <details>
          <summary>Commands for a terminal</summary>
          <Commands />
        </details>
      </Panel>
      <Panel title="Positions" wide flush>
        {positions.length === 0 ? (
          <Empty>Nothing is held.</Empty>
        ) : (
          <Table
            caption={`Positions of ${name}`}
            rows={positions}
            keyOf={({ symbol }) => symbol}
            columns={[
              { head: 'Pair', cell: (one) => one.symbol },
              { head: 'Amount', number: true, cell: (one) => amount(one.baseAmount) },
              { head: 'Entry', number: true, cell: (one) => price(one.entryPrice) },
              { head: 'Now', number: true, cell: (one) => price(one.markPrice) },
              {
                head: 'Stop',
                number: true,
                cell: (one) => (one.stopPrice === undefined ? '' : price(one.stopPrice)),
              },
            ]}
          />
        )}
      </Panel>
      <Panel title="Orders" wide flush>
        {orders.length === 0 ? (
          <Empty>None yet.</Empty>
        ) : (
          <LongTable<Order>
            caption={`Orders of ${name}, newest first`}
            rows={orders.toReversed()}
            columns={[
              { head: 'Time', width: '9.5em', cell: (one) => time(one.time) },
              { head: 'Pair', width: 'minmax(6em, 1fr)', cell: (one) => one.symbol },
              { head: 'Side', width: '4em', cell: (one) => one.side },
              { head: 'Amount', width: '7em', number: true, cell: (one) => amount(one.baseAmount) },
              { head: 'Filled', width: '7em', number: true, cell: (one) => amount(one.filled) },
              { head: 'Price', width: '7em', number: true, cell: (one) => fixed(one.price, 2) },
              { head: 'State', width: '7em', cell: (one) => <Badge>{one.state}</Badge> },
              { head: 'Why', width: 'minmax(8em, 2fr)', cell: (one) => one.reason ?? '' },
            ]}
          />
        )}
      </Panel>
    </div>
  );
}
