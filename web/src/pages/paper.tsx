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
import type { GaugeView, RiskView } from '../../../src/app/dashboard/view.ts';
import type { SessionEvent, SessionHistory, SessionStatus } from '../types.ts';

const MODES = { trade: 'trading', pause: 'paused', flatten: 'flattened' } as const;

export default function Paper() {
  const bars = view.value?.session?.bars;
  const [changes, setChanges] = useState(0);
  const { value, error } = useGet<{ readonly sessions: readonly SessionStatus[] }>('/paper', bars, changes);
  const sessions = value?.sessions ?? [];
  const chosen =
    sessions.find(({ name }) => name === route.value[1]) ??
    sessions.find(({ sessionId }) => sessionId === view.value?.session?.sessionId) ??
    sessions[0];
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
      <Risk risk={value?.risk} />
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
              { head: 'Amount', number: true, less: true, cell: ({ baseAmount }) => amount(baseAmount) },
              { head: 'Entry', number: true, less: true, cell: ({ entryPrice }) => price(entryPrice) },
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
      <Decisions history={value} />
      <Ledger history={value} />
      <Explained path={path} />
      <Parity path={path} />
    </div>
  );
}

/** What was decided at the last close, pair by pair. */
function Decisions({ history }: { readonly history: SessionHistory | undefined }) {
  const { last, why = [], candles = [] } = history ?? {};
  return (
    <Panel title={`Decided at the close of the bar of ${time(last?.timeMs)}`} wide flush>
      {last === undefined ? (
        <Empty>{history === undefined ? LOADING : 'No bar has closed yet.'}</Empty>
      ) : (
        <Table
          caption="Decisions at the last close"
          rows={candles.map(({ symbol }, i) => ({ symbol, target: last.targets[i], why: why[i] }))}
          keyOf={({ symbol }) => symbol}
          columns={[
            { head: 'Pair', cell: ({ symbol }) => symbol },
            {
              head: 'Target',
              number: true,
              cell: ({ target }) => (
                <span class={tone(target)}>
                  {target === null || target === undefined ? 'as it is' : signed(100 * target, 0)}
                </span>
              ),
            },
            { head: 'Why', cell: ({ why: reason }) => reason ?? last.decision },
          ]}
        />
      )}
    </Panel>
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

function Risk({ risk }: { readonly risk: RiskView | undefined }) {
  return (
    <Panel
      title="Risk"
      actions={risk?.killed === true && <Badge kind="bad">KILL SWITCH: everything is closed</Badge>}
    >
      {risk === undefined ? (
        <Empty>{LOADING}</Empty>
      ) : (
        <>
          <dl class="gauges">
            {risk.gauges.map((gauge) => (
              <div key={gauge.name} class="contents">
                <dt>{gauge.name}</dt>
                <dd>
                  <Gauge of={gauge} />
                </dd>
              </div>
            ))}
          </dl>
          {risk.protections.map((text) => (
            <p key={text} class="muted">
              {text}
            </p>
          ))}
          {risk.newest.length === 0 ? (
            <p class="muted">The rules have refused nothing in this session.</p>
          ) : (
            <details>
              <summary>
                Refused or cut: {risk.verdicts.map(({ rule, count: times }) => `${rule} ${times}`).join(', ')}
              </summary>
              <ul class="sentences">
                {risk.newest.slice(0, 20).map(({ time: at, text }, i) => (
                  <li key={i}>
                    <span class="muted">{time(at)}</span> {text}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </Panel>
  );
}

/** Green, then orange from four fifths of the limit on, red at it; the words say the same. */
function Gauge({ of: { name, value, limit, unit, kind } }: { readonly of: GaugeView }) {
  const figure = (one: number): string =>
    unit === '%' ? percent(one) : unit === 'quote' ? money(one) : count(one);
  if (limit === undefined)
    return (
      <>
        {figure(value)} <span class="muted">no limit is set</span>
      </>
    );
  const share = kind === 'ceiling' ? value / limit : value <= 0 ? 1 : limit / value;
  return (
    <>
      <Meter
        value={share}
        kind={share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : 'good'}
        text={`${name}: ${figure(value)}, ${kind === 'ceiling' ? 'at most' : 'at least'} ${figure(limit)}`}
      />{' '}
      {figure(value)}{' '}
      <span class="muted">
        {kind === 'ceiling' ? 'of' : 'at least'} {figure(limit)}
        {share >= 1 && (kind === 'ceiling' ? ', REACHED' : ', BELOW')}
      </span>
    </>
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
        <LongTable<Order>
          caption="Newest orders; choose one to see what led to it"
          rows={list.value.orders}
          onRow={({ number }) => setOrder(number)}
          height={280}
          columns={[
            { head: 'Order', width: '5em', cell: ({ number }) => String(number) },
            { head: 'Bar', width: '9.5em', cell: ({ time: at }) => time(at) },
            { head: 'Pair', width: 'minmax(6em, 1fr)', cell: ({ symbol }) => symbol },
            { head: 'Side', width: '4em', cell: ({ side }) => side },
            { head: 'Status', width: '6em', cell: ({ status }) => status },
            { head: 'Cause', width: 'minmax(6em, 1fr)', cell: ({ cause }) => cause },
          ]}
        />
      )}
      <Fault error={one.error} />
      {one.value !== undefined && order !== undefined && <Reasons number={order} of={one.value} />}
    </Panel>
  );
}

interface Explanation {
  readonly decision?: {
    readonly time: string;
    readonly runId: string;
    readonly decision: string;
    readonly why?: string;
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
    readonly why: string;
  }[];
}

function Reasons({
  number,
  of: { decision, riskVerdicts },
}: {
  readonly number: number;
  readonly of: Explanation;
}) {
  if (decision === undefined) return <p>An exit inside the bar: no decision asked for it.</p>;
  return (
    <>
      <h3>Order {number}</h3>
      <p>
        Decided at the close of the bar of {time(decision.time)} by the models of {decision.runId}: target{' '}
        {decision.targetPosition === undefined ? 'none' : percent(100 * decision.targetPosition, 0)},{' '}
        {decision.decision}; equity {money(decision.equity)}.
      </p>
      {decision.why !== undefined && (
        <p>
          <b>Strategy:</b> {decision.why}.
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
          { head: 'Confidence', number: true, cell: ({ confidence }) => fixed(confidence) },
        ]}
      />
      {riskVerdicts.map(({ rule, why }) => (
        <p key={rule}>
          <Badge kind="warn">{rule}</Badge> {why}
        </p>
      ))}
    </>
  );
}

interface Parity {
  readonly bars: number;
  readonly sessionTrades?: number;
  readonly backtestTrades?: number;
  readonly sessionEquity?: number;
  readonly backtestEquity?: number;
  readonly affectedBars?: Readonly<Record<string, number>>;
  readonly differences: readonly {
    readonly symbol: string;
    readonly entryTime: string;
    readonly session?: { readonly profitQuote: number };
    readonly backtest?: { readonly profitQuote: number };
    readonly causes: readonly string[];
  }[];
}

const CAUSES: Readonly<Record<string, string>> = {
  'missed-bars': 'decisions missed while the program was away',
  paused: 'decisions held back by pause or close everything',
  candles: 'stored candles that differ from those the session saw',
  forecasts: 'forecasts that differ when they are computed from the whole store',
  'changed-models': 'bars decided by another training run',
  'exchange-steps': "the exchange's steps and minimums in place of the configured ones",
};

function Parity({ path }: { readonly path: string }) {
  const [asked, ask] = useState(false);
  const { value, error, loading } = useGet<Parity>(asked ? `${path}/parity` : undefined);
  const affected = Object.entries(value?.affectedBars ?? {}).filter(([, bars]) => bars > 0);
  return (
    <Panel title="Same as a backtest?" wide>
      <p class="muted">The bars of the ledger through the backtest, trade by trade.</p>
      {!asked ? (
        <button type="button" onClick={() => ask(true)}>
          Compare
        </button>
      ) : loading ? (
        <Empty>Replaying…</Empty>
      ) : null}
      <Fault error={error} />
      {value !== undefined && (
        <>
          <Stats>
            <Stat label="Bars" value={count(value.bars)} />
            <Stat
              label="Trades"
              value={count(value.sessionTrades)}
              note={`backtest ${count(value.backtestTrades)}`}
            />
            <Stat
              label="Equity"
              value={money(value.sessionEquity)}
              note={`backtest ${money(value.backtestEquity)}`}
            />
            <Stat
              label="Trades that differ"
              value={count(value.differences.length)}
              note={value.differences.length === 0 ? 'the same to the bit' : 'causes below'}
            />
          </Stats>
          <ul class="sentences">
            {affected.map(([cause, bars]) => (
              <li key={cause}>
                {count(bars)} bars: {CAUSES[cause] ?? cause}.
              </li>
            ))}
          </ul>
          {value.differences.length > 0 && (
            <Table
              caption="Trades that differ"
              rows={value.differences}
              keyOf={({ symbol, entryTime }) => `${symbol} ${entryTime}`}
              columns={[
                { head: 'Entry', cell: (one) => time(one.entryTime) },
                { head: 'Pair', cell: (one) => one.symbol },
                { head: 'Session', number: true, cell: (one) => money(one.session?.profitQuote) },
                { head: 'Backtest', number: true, cell: (one) => money(one.backtest?.profitQuote) },
                { head: 'Cause', cell: ({ causes }) => causes.join(', ') },
              ]}
            />
          )}
        </>
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
            { value: '', text: 'its own, or active' },
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
