import { useMemo, useState } from 'preact/hooks';
import { post } from '../api.ts';
import { amount, count, fixed, money, percent, price, signed, time, tone } from '../format.ts';
import { view } from '../live.ts';
import { CurveChart } from '../parts/charts.tsx';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import {
  Badge,
  Check,
  Choice,
  Empty,
  Fault,
  LOADING,
  LongTable,
  Meter,
  Page,
  Panel,
  Select,
  Stat,
  Stats,
  Synthetic,
  Table,
  Text,
} from '../parts/ui.tsx';
import { useAction, useGet } from '../parts/use.ts';
import { go, route } from '../router.ts';
import type { SessionEvent, SessionHistory, SessionStatus } from '../types.ts';

const MODES = { trade: 'trading', pause: 'paused', flatten: 'flattened' } as const;

export default function Paper() {
  const bars = view.value?.session?.bars;
  const [changes, setChanges] = useState(0);
  const { value, error } = useGet<{ readonly sessions: readonly SessionStatus[] }>('/paper', bars, changes);
  const sessions = value?.sessions ?? [];
  const chosen = sessions.find(({ name }) => name === route.value[1]) ?? sessions[0];
  return (
    <Page
      title="Paper"
      about="Closed bars, traded on paper by the same core as a backtest; every bar is in a ledger chained by hash."
    >
      <Fault error={error} />
      {sessions.length > 1 && (
        <Choice
          label="Session"
          value={chosen?.name ?? ''}
          options={sessions.map(({ name }) => name)}
          onChange={(name) => go('paper', name)}
        />
      )}
      {chosen === undefined ? (
        <Empty>{value === undefined ? LOADING : 'There is no session yet.'}</Empty>
      ) : (
        <Session key={chosen.name} status={chosen} changed={() => setChanges(changes + 1)} />
      )}
      <StartForm sessions={sessions} />
    </Page>
  );
}

function Session({ status, changed }: { readonly status: SessionStatus; readonly changed: () => void }) {
  const { name } = status;
  const path = `/paper/${encodeURIComponent(name)}`;
  const { value, error } = useGet<SessionHistory>(path, view.value?.session?.bars, status.mode);
  const capital = value?.session?.rules.initialBalance;
  const curves = useMemo(
    () => [
      { name: 'session', values: value?.equity ?? [], colour: 'accent' },
      { name: 'equal parts held', values: value?.hold ?? [], colour: 'muted', dashed: true },
    ],
    [value?.bars],
  );
  const drawdown = useMemo(() => drawdowns(value?.equity ?? []), [value?.bars]);
  const trades = (value?.events ?? []).filter(({ kind }) => kind === 'trade');
  return (
    <div class="grid">
      <Panel
        title={name}
        wide
        actions={
          <>
            {status.synthetic && <Synthetic />}
            <Badge {...(status.state === 'running' && { kind: 'good' })}>{status.state}</Badge>
            <Badge {...(status.mode !== 'trade' && { kind: 'warn' })}>{MODES[status.mode]}</Badge>
          </>
        }
      >
        <Fault error={error} />
        <Stats>
          <Stat
            label="Equity"
            value={money(status.equity)}
            note={capital === undefined ? '' : `of ${money(capital)}`}
          />
          <Stat
            label="Since the start"
            value={signed(capital === undefined ? undefined : 100 * (status.equity / capital - 1))}
            of={capital === undefined ? undefined : status.equity - capital}
            note={`${count(value?.bars)} bars`}
          />
          <Stat label="Drawdown" value={percent(drawdown.now)} note={`worst ${percent(drawdown.worst)}`} />
          <Stat
            label="Trades"
            value={count(trades.length)}
            note={`${count(trades.filter(({ profitQuote = 0 }) => profitQuote > 0).length)} won`}
          />
          <Stat
            small
            label={status.feed === 'stored' ? 'Replayed to' : 'Last bar'}
            value={time(status.lastBarTime)}
            note={status.feed === 'stored' ? 'stored bars: the past' : status.exchange}
          />
          <Stat small label="Models of" value={status.runId ?? '–'} />
        </Stats>
        <Controls status={status} changed={changed} />
      </Panel>
      <Panel title="Equity beside holding" wide>
        {(value?.curveTime?.length ?? 0) < 2 ? (
          <Empty>{value === undefined ? LOADING : 'Two bars make a curve.'}</Empty>
        ) : (
          <CurveChart x={value?.curveTime ?? []} curves={curves} label="Equity" height={220} />
        )}
      </Panel>
      <Risk history={value} drawdown={drawdown} />
      <Panel title="Positions" flush>
        {status.positions.length === 0 ? (
          <Empty>Nothing is held.</Empty>
        ) : (
          <Table
            caption="Positions"
            rows={status.positions}
            keyOf={({ symbol }) => symbol}
            columns={[
              { head: 'Pair', cell: ({ symbol }) => symbol },
              { head: 'Amount', number: true, cell: ({ baseAmount }) => amount(baseAmount) },
              { head: 'Entry', number: true, cell: ({ entryPrice }) => price(entryPrice) },
              { head: 'Now', number: true, cell: ({ markPrice }) => price(markPrice) },
              {
                head: 'Profit',
                number: true,
                cell: ({ baseAmount, entryPrice, markPrice }) => (
                  <span class={tone(baseAmount * (markPrice - entryPrice))}>
                    {money(baseAmount * (markPrice - entryPrice))}
                  </span>
                ),
              },
              {
                head: 'Stop',
                number: true,
                cell: ({ stopPrice }) => (stopPrice === undefined ? '' : price(stopPrice)),
              },
              {
                head: 'Target',
                number: true,
                less: true,
                cell: ({ takePrice }) => (takePrice === undefined ? '' : price(takePrice)),
              },
            ]}
          />
        )}
      </Panel>
      <Ledger history={value} />
      <Explained path={path} />
      <Parity path={path} />
    </div>
  );
}

function drawdowns(equity: readonly number[]): { readonly now: number; readonly worst: number } {
  let [peak, worst, now] = [-Infinity, 0, 0];
  for (const value of equity) {
    peak = Math.max(peak, value);
    now = 100 * (1 - value / peak);
    worst = Math.max(worst, now);
  }
  return { now, worst };
}

function Controls({
  status: { name, mode, state },
  changed,
}: {
  readonly status: SessionStatus;
  readonly changed: () => void;
}) {
  const { busy, error, run } = useAction();
  const [sure, setSure] = useState(false);
  const set = (next: SessionStatus['mode']) => () => {
    setSure(false);
    run(() => post(`/paper/${encodeURIComponent(name)}/control`, { mode: next }).then(changed));
  };
  const { job } = useJob(
    ({ kind, arguments: words, state: at }) =>
      kind === 'paper' &&
      (at === 'running' || at === 'queued') &&
      words.some((word) => word === `--name=${name}`),
  );
  return (
    <div class="controls">
      <div class="row">
        {mode === 'trade' ? (
          <button type="button" disabled={busy} onClick={set('pause')}>
            Pause
          </button>
        ) : (
          <button type="button" class="primary" disabled={busy} onClick={set('trade')}>
            Resume trading
          </button>
        )}
        {sure ? (
          <>
            <button type="button" class="danger" disabled={busy} onClick={set('flatten')}>
              Yes, close everything
            </button>
            <button type="button" disabled={busy} onClick={() => setSure(false)}>
              No
            </button>
          </>
        ) : (
          <button
            type="button"
            class="danger"
            disabled={busy || mode === 'flatten'}
            onClick={() => setSure(true)}
          >
            Close everything
          </button>
        )}
        <span class="muted">
          {mode === 'trade'
            ? 'Orders are placed.'
            : mode === 'pause'
              ? 'Nothing is ordered; positions keep their stops.'
              : 'Positions are closed at the next open; nothing is ordered after that.'}{' '}
          {state === 'stopped' && 'No process runs it now: this holds from its next start on.'}
        </span>
      </div>
      <Fault error={error} />
      {job !== undefined && <JobPanel job={job} label="" />}
    </div>
  );
}

const LIMITS: Readonly<Record<string, string>> = {
  maxDrawdownPct: 'Drawdown',
  maxDailyLossPct: 'Loss of a day',
  maxTradePct: 'One trade',
  maxOrdersPerMinute: 'Orders a minute',
  priceCollarPct: 'Price collar',
  minBalance: 'Least balance',
};

function Risk({
  history,
  drawdown,
}: {
  readonly history: SessionHistory | undefined;
  readonly drawdown: { readonly now: number };
}) {
  const limits = Object.entries(history?.session?.risk ?? {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  const verdicts = history?.last?.verdicts ?? [];
  const status = history?.status;
  const exposure =
    status === undefined || status.equity === 0 ? 0 : (100 * (status.equity - status.cash)) / status.equity;
  return (
    <Panel title="Risk">
      <dl class="gauges">
        <dt>Invested</dt>
        <dd>
          <Meter
            value={Math.abs(exposure)}
            most={100}
            text={`${exposure.toFixed(0)} % of equity is invested`}
          />{' '}
          {percent(exposure, 0)}
        </dd>
        {limits.map(([key, limit]) => (
          <div key={key} class="contents">
            <dt>{LIMITS[key] ?? key}</dt>
            <dd>
              {key === 'maxDrawdownPct' ? (
                <Meter
                  value={drawdown.now}
                  most={limit}
                  kind={drawdown.now > 0.8 * limit ? 'bad' : 'good'}
                  text={`${drawdown.now.toFixed(1)} of ${limit} %`}
                />
              ) : null}{' '}
              at most {fixed(limit, limit % 1 === 0 ? 0 : 2)}
              {key.endsWith('Pct') ? ' %' : ''}
            </dd>
          </div>
        ))}
      </dl>
      {limits.length === 0 && (
        <p class="muted">
          This session has no limits above its strategy: see the settings under risk, before its start.
        </p>
      )}
      {verdicts.length > 0 && (
        <ul class="sentences">
          {verdicts.map(({ symbol, rule, wanted, allowed }) => (
            <li key={`${symbol} ${rule}`}>
              <Badge kind="warn">{rule}</Badge> {symbol}: wanted {percent(100 * wanted, 0)},{' '}
              {allowed === undefined ? 'refused' : `allowed ${percent(100 * allowed, 0)}`}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Ledger({ history }: { readonly history: SessionHistory | undefined }) {
  const [kind, setKind] = useState<'all' | 'fill' | 'trade' | 'rejected'>('all');
  const events = useMemo(
    () => (history?.events ?? []).filter((event) => kind === 'all' || event.kind === kind).toReversed(),
    [history?.bars, kind],
  );
  return (
    <Panel
      title="Ledger"
      wide
      flush
      actions={
        <Choice
          label="Show"
          value={kind}
          options={[
            { value: 'all', text: 'all' },
            { value: 'fill', text: 'fills' },
            { value: 'trade', text: 'trades' },
            { value: 'rejected', text: 'rejected' },
          ]}
          onChange={setKind}
        />
      }
    >
      {events.length === 0 ? (
        <Empty>{history === undefined ? LOADING : 'Nothing of this kind happened.'}</Empty>
      ) : (
        <LongTable<SessionEvent>
          caption="What happened, newest first"
          rows={events}
          height={300}
          columns={[
            { head: 'Bar', width: '9.5em', cell: ({ barMs }) => time(barMs) },
            {
              head: 'What',
              width: '6em',
              cell: ({ kind: what }) => (
                <Badge
                  {...(what === 'rejected' || what === 'ruin'
                    ? { kind: 'bad' as const }
                    : what === 'trade'
                      ? { kind: 'info' as const }
                      : {})}
                >
                  {what}
                </Badge>
              ),
            },
            { head: 'Pair', width: 'minmax(6em, 1fr)', cell: ({ symbol }) => symbol ?? '' },
            { head: 'Side', width: '4em', cell: ({ side }) => side ?? '' },
            {
              head: 'Amount',
              width: '7em',
              number: true,
              cell: ({ baseAmount }) => (baseAmount === undefined ? '' : amount(baseAmount)),
            },
            {
              head: 'Price',
              width: '7.5em',
              number: true,
              cell: ({ price: filled, exitPrice }) =>
                filled === undefined && exitPrice === undefined ? '' : price(filled ?? exitPrice),
            },
            {
              head: 'Fee',
              width: '5.5em',
              number: true,
              cell: ({ feeQuote }) => (feeQuote === undefined ? '' : money(feeQuote)),
            },
            {
              head: 'Profit',
              width: '6.5em',
              number: true,
              cell: ({ profitQuote }) =>
                profitQuote === undefined ? '' : <span class={tone(profitQuote)}>{money(profitQuote)}</span>,
            },
            {
              head: 'Why',
              width: 'minmax(7em, 1fr)',
              cell: ({ cause, reason, exit }) => cause ?? reason ?? exit ?? '',
            },
          ]}
        />
      )}
    </Panel>
  );
}

interface Order {
  readonly number: number;
  readonly time: string;
  readonly symbol: string;
  readonly side: string;
  readonly status: string;
  readonly cause: string;
}

function Explained({ path }: { readonly path: string }) {
  const [asked, ask] = useState(false);
  const [order, setOrder] = useState<number>();
  const list = useGet<{ readonly orders: readonly Order[] }>(asked ? `${path}/orders` : undefined);
  const one = useGet<Explanation>(order === undefined ? undefined : `${path}/orders/${order}`);
  return (
    <Panel title="Why was it ordered?" wide>
      {!asked && (
        <button type="button" onClick={() => ask(true)}>
          Show the newest orders
        </button>
      )}
      <Fault error={list.error} />
      {list.value !== undefined && (
        <Table<Order>
          caption="Newest orders; choose one to see what led to it"
          rows={list.value.orders}
          keyOf={({ number }) => String(number)}
          selected={order === undefined ? undefined : String(order)}
          onRow={({ number }) => setOrder(number)}
          columns={[
            { head: 'Order', cell: ({ number }) => String(number) },
            { head: 'Bar', cell: ({ time: at }) => time(at) },
            { head: 'Pair', cell: ({ symbol }) => symbol },
            { head: 'Side', cell: ({ side }) => side },
            { head: 'Status', cell: ({ status }) => status },
            { head: 'Cause', cell: ({ cause }) => cause },
          ]}
        />
      )}
      <Fault error={one.error} />
      {one.value !== undefined && <Reasons of={one.value} />}
    </Panel>
  );
}

interface Explanation {
  readonly decision?: {
    readonly time: string;
    readonly runId: string;
    readonly decision: string;
    readonly reason?: Readonly<Record<string, unknown>>;
    readonly targetPosition?: number;
    readonly forecasts: readonly {
      readonly model: string;
      readonly position?: number;
      readonly confidence?: number;
      readonly noSkill?: string;
    }[];
    readonly equity: number;
  };
  readonly riskVerdicts: readonly {
    readonly rule: string;
    readonly wanted: number;
    readonly allowed?: number;
  }[];
}

function Reasons({ of: { decision, riskVerdicts } }: { readonly of: Explanation }) {
  if (decision === undefined) return <p>An exit inside the bar: no decision asked for it.</p>;
  return (
    <>
      <p>
        Decided at the close of the bar of {time(decision.time)} by the models of {decision.runId}: target{' '}
        {decision.targetPosition === undefined ? 'none' : percent(100 * decision.targetPosition, 0)},{' '}
        {decision.decision}; equity {money(decision.equity)}.
      </p>
      {decision.reason !== undefined && (
        <p>
          <code>{JSON.stringify(decision.reason)}</code>
        </p>
      )}
      <Table
        caption="What every model said"
        rows={decision.forecasts}
        keyOf={({ model }) => model}
        columns={[
          {
            head: 'Model',
            cell: ({ model, noSkill }) => (
              <span class={noSkill === undefined ? '' : 'muted'}>
                {noSkill === undefined ? model : `${model} (no vote)`}
              </span>
            ),
          },
          {
            head: 'Position',
            number: true,
            cell: ({ position }) => <span class={tone(position)}>{fixed(position)}</span>,
          },
          { head: 'Sure', number: true, cell: ({ confidence }) => fixed(confidence) },
        ]}
      />
      {riskVerdicts.map(({ rule, wanted, allowed }) => (
        <p key={rule}>
          <Badge kind="warn">{rule}</Badge> wanted {percent(100 * wanted, 0)},{' '}
          {allowed === undefined ? 'refused' : `allowed ${percent(100 * allowed, 0)}`}
        </p>
      ))}
    </>
  );
}

function Parity({ path }: { readonly path: string }) {
  const [asked, ask] = useState(false);
  const { value, error, loading } = useGet<Readonly<Record<string, unknown>>>(
    asked ? `${path}/parity` : undefined,
  );
  const scalars = Object.entries(value ?? {}).filter(([, one]) => typeof one !== 'object');
  return (
    <Panel title="Same as a backtest?">
      <p class="muted">The bars of the ledger through the backtest, trade by trade.</p>
      {!asked ? (
        <button type="button" onClick={() => ask(true)}>
          Compare
        </button>
      ) : loading ? (
        <Empty>Replaying…</Empty>
      ) : null}
      <Fault error={error} />
      {scalars.length > 0 && (
        <dl class="gauges">
          {scalars.map(([key, one]) => (
            <div key={key} class="contents">
              <dt>{key}</dt>
              <dd>{typeof one === 'number' ? String(Number(one.toPrecision(8))) : String(one)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Panel>
  );
}

function StartForm({ sessions }: { readonly sessions: readonly SessionStatus[] }) {
  const [form, setForm] = useState({
    bars: 'exchange' as 'exchange' | 'stored',
    name: '',
    run: '',
    strategy: '',
    intervalSeconds: '',
    maxCycles: '',
    fresh: false,
  });
  const runs = useGet<{ readonly runs: readonly { readonly runId: string; readonly complete: boolean }[] }>(
    '/runs',
  );
  const set =
    <K extends keyof typeof form>(key: K) =>
    (value: (typeof form)[K]) =>
      setForm((before) => ({ ...before, [key]: value }));
  const { job } = useJob(({ kind }) => kind === 'paper');
  const request = {
    kind: 'paper',
    bars: form.bars,
    ...(form.name !== '' && { name: form.name }),
    ...(form.run !== '' && { run: form.run }),
    ...(form.strategy !== '' && { strategy: form.strategy }),
    ...(form.intervalSeconds !== '' && { intervalSeconds: Number(form.intervalSeconds) }),
    ...(form.maxCycles !== '' && { maxCycles: Number(form.maxCycles) }),
    ...(form.fresh && { fresh: true }),
  };
  return (
    <Panel title="Start, or resume">
      <Choice
        label="Bars"
        value={form.bars}
        options={[
          { value: 'exchange', text: 'of the exchange, as they close' },
          { value: 'stored', text: 'that are stored: a replay of the past' },
        ]}
        onChange={set('bars')}
      />
      <div class="fields">
        <Text
          label="Name"
          value={form.name}
          placeholder={sessions[0]?.name ?? 'exchange-timeframe'}
          onChange={set('name')}
        />
        <Select
          label="Run"
          value={form.run}
          options={[
            { value: '', text: 'its own, or the active one' },
            ...(runs.value?.runs.filter(({ complete }) => complete).map(({ runId }) => runId) ?? []),
          ]}
          onChange={set('run')}
        />
        <Select
          label="Strategy"
          value={form.strategy}
          options={[{ value: '', text: 'as set' }, 'cost-aware', 'threshold', 'quantile', 'sign', 'own']}
          onChange={set('strategy')}
        />
        <Text
          label="Seconds between cycles"
          type="number"
          min={0}
          value={form.intervalSeconds}
          placeholder="as set"
          onChange={set('intervalSeconds')}
        />
        <Text
          label="Stop after cycles"
          type="number"
          min={1}
          value={form.maxCycles}
          placeholder="never"
          onChange={set('maxCycles')}
        />
      </div>
      <Check
        label="Archive the session of that name and start another"
        checked={form.fresh}
        onChange={set('fresh')}
      />
      <p class="muted">Paper only: nothing here sends an order to an exchange.</p>
      <JobPanel job={job} request={request} label="Start" />
    </Panel>
  );
}
