import { useMemo, useState } from 'preact/hooks';
import { amount, count, duration, fixed, money, percent, price, signed, time, tone } from '../format.ts';
import { prices, view } from '../live.ts';
import { CandleChart, CurveChart } from '../parts/charts.tsx';
import type { Bars, Fan, Level, Mark } from '../parts/candle-chart.tsx';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import {
  Badge,
  Choice,
  Empty,
  Fault,
  LOADING,
  Page,
  Panel,
  Stat,
  Stats,
  Synthetic,
  Table,
} from '../parts/ui.tsx';
import { useGet } from '../parts/use.ts';
import { href } from '../router.ts';
import type { PositionView } from '../../../src/app/dashboard/view.ts';
import type { Candles, Overview, SessionHistory, SessionStatus, Signal } from '../types.ts';

interface Signals {
  readonly runId: string;
  readonly exchange: string;
  readonly timeframe: string;
  readonly synthetic: boolean;
  readonly stale: boolean;
  readonly signals: readonly (Signal & {
    readonly quantiles?: readonly { readonly level: number; readonly returnPct: number }[];
    readonly horizonBars: number;
  })[];
}

export function Dashboard() {
  const now = view.value;
  const overview = useGet<Overview>('/overview', now?.session?.sessionId, now?.training?.runId);
  const sessions = useGet<{ sessions: readonly SessionStatus[] }>('/paper', now?.session?.bars);
  const newest = sessions.value?.sessions.find(({ sessionId }) => sessionId === now?.session?.sessionId);
  const history = useGet<SessionHistory>(newest && `/paper/${newest.name}`, now?.session?.bars);
  const { job, result: signals } = useJob<Signals>(({ kind }) => kind === 'signals');
  const market = overview.value?.market;
  const symbols = history.value?.candles?.map((one) => one.symbol) ?? market?.symbols ?? [];
  const [chosen, choose] = useState('');
  const symbol = symbols.includes(chosen) ? chosen : symbols[0];
  const session = now?.session;

  return (
    <Page
      title="Dashboard"
      about={
        market === undefined
          ? ''
          : `${market.exchange} ${market.timeframe} · newest stored bar ${time(overview.value?.newestBar)} UTC`
      }
      actions={
        <>
          {(session?.synthetic ?? signals?.synthetic) === true && <Synthetic />}
          {typeof overview.value?.activeRun === 'string' && (
            <Badge kind="info">{overview.value.activeRun}</Badge>
          )}
        </>
      }
    >
      <Fault error={overview.error} />
      {session === undefined && overview.value !== undefined && <Next overview={overview.value} />}
      {session !== undefined && (
        <Stats>
          <Stat
            label="Equity"
            value={money(session.equity)}
            note={`from ${money(session.equity / (1 + session.changePct / 100))}`}
          />
          <Stat
            label="Since the start"
            value={signed(session.changePct)}
            of={session.changePct}
            note={`${count(session.bars)} bars`}
          />
          <Stat
            label="Drawdown"
            value={percent(session.drawdownPct)}
            note={`worst ${percent(session.maxDrawdownPct)}`}
          />
          <Stat
            label="Closed trades"
            value={count(session.closedTrades)}
            note={
              session.closedTrades === 0
                ? 'none yet'
                : `${percent((100 * session.winningTrades) / session.closedTrades, 0)} won`
            }
          />
          <Stat
            label="Cash"
            value={money(session.cash)}
            note={percent((100 * session.cash) / session.equity, 0)}
          />
          <Stat
            small
            label={session.feed === 'stored' ? 'Replayed to' : 'Last bar'}
            value={time(session.lastBarTime)}
            note={
              session.overdueSeconds === undefined
                ? session.exchange
                : `late by ${duration(session.overdueSeconds)}`
            }
          />
        </Stats>
      )}
      <div class="grid">
        <Panel
          title={
            symbol === undefined ? 'Candles' : `${symbol} ${session?.timeframe ?? market?.timeframe ?? ''}`
          }
          wide
          actions={
            symbols.length > 1 && <Choice label="Pair" value={symbol} options={symbols} onChange={choose} />
          }
        >
          {symbol === undefined ? (
            <Empty>{overview.value === undefined ? LOADING : 'No pair is set.'}</Empty>
          ) : (
            <SymbolChart symbol={symbol} history={history.value} market={market} signals={signals} />
          )}
        </Panel>
        {session !== undefined && (
          <Panel title="Equity beside holding">
            <EquityChart history={history.value} />
          </Panel>
        )}
        {session !== undefined && (
          <Panel
            title="Positions"
            flush
            actions={
              <span class="muted">
                {prices.value === null
                  ? 'at the last close'
                  : `prices of ${prices.value.time.slice(11, 19)} UTC`}
              </span>
            }
          >
            <Positions />
          </Panel>
        )}
        <Panel
          title="Signals"
          wide
          actions={signals && <span class="muted">{time(signals.signals[0]?.time)} UTC</span>}
        >
          <JobPanel
            job={job?.state === 'done' ? undefined : job}
            request={{ kind: 'signals' }}
            label="Ask every model now"
            disabled={overview.value?.runs === 0}
          />
          {signals === undefined ? <LastVotes /> : <Votes signals={signals} />}
        </Panel>
        {now?.training !== undefined && now.training.models.some(({ status }) => status === 'running') && (
          <Panel title={`In training: ${now.training.runId}`} wide>
            <ul class="plain">
              {now.training.models
                .filter(({ status }) => status === 'running')
                .map((model) => (
                  <li key={model.model}>
                    {model.model}: {count(model.step)} of {count(model.steps)} steps, loss{' '}
                    {fixed(model.loss, 4)}, {duration(model.etaSeconds)} left
                  </li>
                ))}
            </ul>
          </Panel>
        )}
      </div>
    </Page>
  );
}

function Next({ overview: { next, runs, market } }: { readonly overview: Overview }) {
  const page = next.command.includes('fetch')
    ? 'markets'
    : next.command.includes('train') || next.command.includes('models')
      ? 'training'
      : 'paper';
  return (
    <Panel title="Next">
      <p>
        {next.why} {market.missing.length > 0 && `Missing: ${market.missing.join(', ')}. `}
        {runs > 0 ? `${runs} training ${runs === 1 ? 'run' : 'runs'}. ` : ''}
      </p>
      <p class="row">
        <a class="button primary" href={href(page)}>
          Open {page}
        </a>
        <code>{next.command}</code>
      </p>
    </Panel>
  );
}

function SymbolChart({
  symbol,
  history,
  market,
  signals,
}: {
  readonly symbol: string;
  readonly history: SessionHistory | undefined;
  readonly market: Overview['market'] | undefined;
  readonly signals: Signals | undefined;
}) {
  const own = history?.candles?.find((one) => one.symbol === symbol);
  const stored = useGet<Candles>(
    own !== undefined || market === undefined
      ? undefined
      : `/candles?exchange=${market.exchange}&symbol=${encodeURIComponent(symbol)}&timeframe=${market.timeframe}&limit=3000`,
  );
  const bars = useMemo<Bars | undefined>(() => {
    if (own === undefined) return stored.value;
    const rows = own.bars.flatMap((bar, i) => (bar === null ? [] : [{ ms: history?.time?.[i] ?? 0, bar }]));
    const column = (at: number): readonly number[] => rows.map(({ bar }) => bar[at]);
    return {
      time: rows.map(({ ms }) => ms),
      open: column(0),
      high: column(1),
      low: column(2),
      close: column(3),
      volume: column(4),
    };
  }, [own, stored.value, history?.bars]);
  const marks = useMemo<readonly Mark[]>(
    () =>
      (history?.events ?? []).flatMap((event) =>
        event.kind === 'fill' && event.symbol === symbol
          ? [
              {
                timeMs: event.barMs,
                side: event.side === 'buy' ? ('buy' as const) : ('sell' as const),
                text: event.cause === 'target' ? '' : (event.cause ?? ''),
              },
            ]
          : [],
      ),
    [history?.bars, symbol],
  );
  const levels = useMemo<readonly Level[]>(() => {
    const held = history?.status.positions.find((one) => one.symbol === symbol);
    if (held === undefined) return [];
    return [
      { price: held.entryPrice, text: 'entry', kind: 'entry' as const },
      ...(held.stopPrice === undefined
        ? []
        : [{ price: held.stopPrice, text: 'stop', kind: 'stop' as const }]),
      ...(held.takePrice === undefined
        ? []
        : [{ price: held.takePrice, text: 'target', kind: 'take' as const }]),
    ];
  }, [history?.bars, symbol]);
  const fan = useMemo(() => fanOf(symbol, bars, signals), [symbol, bars, signals]);
  if (bars === undefined)
    return stored.error === undefined ? <Empty>{LOADING}</Empty> : <Fault error={stored.error} />;
  if (bars.time.length === 0) return <Empty>No bar yet.</Empty>;
  return (
    <>
      <CandleChart
        label={symbol}
        bars={bars}
        marks={marks}
        levels={levels}
        fan={fan?.fan}
        live={prices.value?.bySymbol[symbol]}
        averages={AVERAGES}
      />
      <p class="legend muted">
        Moving averages of <span class="one">{AVERAGES[0]}</span> and <span class="two">{AVERAGES[1]}</span>{' '}
        bars.{' '}
        {fan !== undefined &&
          `Dotted: the quantiles that ${fan.model} states over ${fan.horizon}; solid: its median.`}
      </p>
    </>
  );
}
const AVERAGES = [24, 168] as const;

/** The quantiles of a model that states some on the newest bar in sight. */
function fanOf(
  symbol: string,
  bars: Bars | undefined,
  signals: Signals | undefined,
): { readonly fan: Fan; readonly model: string; readonly horizon: string } | undefined {
  const said = signals?.signals.filter((one) => one.symbol === symbol && (one.quantiles?.length ?? 0) >= 3);
  const one = said?.find(({ model }) => model === 'ensemble') ?? said?.[0];
  const [last, before] = [bars?.time.at(-1), bars?.time.at(-2)];
  if (one?.quantiles === undefined || last === undefined || before === undefined) return undefined;
  const step = last - before;
  // Said at the close of the last bar; about another bar it would stand in the wrong place.
  if (Date.parse(one.time) !== last + step) return undefined;
  const close = bars?.close.at(-1) ?? 0;
  return {
    model: one.model,
    horizon: one.horizon,
    fan: {
      fromMs: last,
      steps: one.horizonBars,
      stepMs: step,
      close,
      prices: one.quantiles.map(({ returnPct }) => close * (1 + returnPct / 100)),
    },
  };
}

function EquityChart({ history }: { readonly history: SessionHistory | undefined }) {
  const curves = useMemo(
    () => [
      { name: 'session', values: history?.equity ?? [], colour: 'accent', filled: false },
      { name: 'equal parts held', values: history?.hold ?? [], colour: 'muted', dashed: true },
    ],
    [history?.bars],
  );
  if ((history?.curveTime?.length ?? 0) < 2)
    return <Empty>{history === undefined ? LOADING : 'Two bars make a curve.'}</Empty>;
  return (
    <>
      <CurveChart x={history?.curveTime ?? []} curves={curves} label="Equity" height={230} />
      <p class="legend muted">Held: the same capital in equal parts from the first close on, before costs.</p>
    </>
  );
}

function Positions() {
  const positions = view.value?.positions ?? [];
  if (positions.length === 0) return <Empty>Nothing is traded yet.</Empty>;
  return (
    <Table
      caption="Positions"
      rows={positions}
      keyOf={({ symbol }) => symbol}
      columns={[
        { head: 'Pair', cell: ({ symbol }) => symbol },
        {
          head: 'Side',
          cell: ({ side }) => (
            <Badge {...(side !== 'flat' && { kind: side === 'long' ? 'good' : 'bad' })}>{side}</Badge>
          ),
        },
        {
          head: 'Amount',
          number: true,
          less: true,
          cell: ({ baseAmount }) => (baseAmount === 0 ? '' : amount(baseAmount)),
        },
        {
          head: 'Entry',
          number: true,
          less: true,
          cell: ({ entryPrice }) => (entryPrice === undefined ? '' : price(entryPrice)),
        },
        {
          head: 'Now',
          number: true,
          cell: ({ symbol, markPrice }) => price(prices.value?.bySymbol[symbol] ?? markPrice),
        },
        {
          head: 'Profit',
          number: true,
          cell: (held) => {
            const { unrealizedPnl, unrealizedPct } = atLastPrice(held);
            return unrealizedPnl === undefined ? (
              ''
            ) : (
              <span
                class={`nowrap ${tone(unrealizedPnl)}`}
              >{`${money(unrealizedPnl)} (${signed(unrealizedPct, 1)})`}</span>
            );
          },
        },
        {
          head: 'Stop',
          number: true,
          cell: ({ stopPrice }) => (stopPrice === undefined ? '' : price(stopPrice)),
        },
        {
          head: 'Next open',
          number: true,
          less: true,
          cell: ({ pendingTarget }) => (pendingTarget === undefined ? '' : percent(100 * pendingTarget, 0)),
        },
      ]}
    />
  );
}

/** What a position has gained at the last price of the exchange; at the last close where none is known. */
function atLastPrice(held: PositionView): Pick<PositionView, 'unrealizedPnl' | 'unrealizedPct'> {
  const { symbol, baseAmount, entryPrice } = held;
  const now = prices.value?.bySymbol[symbol];
  if (now === undefined || entryPrice === undefined || baseAmount === 0) return held;
  const change = now / entryPrice - 1;
  return {
    unrealizedPnl: baseAmount * (now - entryPrice),
    unrealizedPct: 100 * (baseAmount < 0 ? -change : change),
  };
}

const ARROWS = { buy: '▲ buy', sell: '▼ sell', hold: '· hold' } as const;

function Votes({ signals }: { readonly signals: Signals }) {
  const symbols = [...new Set(signals.signals.map(({ symbol }) => symbol))];
  const models = [...new Set(signals.signals.map(({ model }) => model))].reverse();
  const decided = signals.signals.filter(({ model }) => model === 'ensemble');
  return (
    <>
      {signals.stale && (
        <p class="warn-text">These are of an old bar: they say nothing about the next open. Fetch first.</p>
      )}
      <ul class="sentences">
        {decided.map((one) => (
          <li key={one.symbol}>
            <b>{one.symbol}</b>{' '}
            <span class={one.action === 'buy' ? 'up' : one.action === 'sell' ? 'down' : 'muted'}>
              {ARROWS[one.action]}
            </span>{' '}
            {one.sentence}
          </li>
        ))}
      </ul>
      <Table
        caption="What every model wants"
        rows={models}
        keyOf={(model) => model}
        columns={[
          {
            head: 'Model',
            cell: (model) => {
              const silent = signals.signals.find((one) => one.model === model)?.noSkill;
              return (
                <span class={typeof silent !== 'string' ? '' : 'muted'} title={silent ?? undefined}>
                  {model}
                  {typeof silent !== 'string' ? '' : ' (no vote)'}
                </span>
              );
            },
          },
          ...symbols.map((symbol) => ({
            head: symbol,
            cell: (model: string) => {
              const one = signals.signals.find((said) => said.model === model && said.symbol === symbol);
              if (one === undefined) return '';
              return (
                <span class="nowrap" title={one.sentence}>
                  <span class={one.action === 'buy' ? 'up' : one.action === 'sell' ? 'down' : 'muted'}>
                    {ARROWS[one.action]}
                  </span>{' '}
                  <span class="muted">
                    {[
                      ...(one.probabilityUp === undefined
                        ? []
                        : [`${percent(100 * one.probabilityUp, 0)} up`]),
                      ...(one.expectedReturnPct === undefined ? [] : [signed(one.expectedReturnPct, 2)]),
                    ].join(', ')}
                  </span>
                </span>
              );
            },
          })),
        ]}
      />
    </>
  );
}

/** What the paper session recorded at its last bar, where nobody asked the models since. */
function LastVotes() {
  const said = view.value?.signals ?? [];
  if (said.length === 0) return <Empty>No model has been asked yet.</Empty>;
  const symbols = said[0].bySymbol.map(({ symbol }) => symbol);
  return (
    <Table
      caption="What every model said at the session's last bar"
      rows={said.toReversed()}
      keyOf={({ model }) => model}
      columns={[
        {
          head: 'Model',
          cell: ({ model, noSkill }) => (
            <span class={noSkill ? 'muted' : ''}>{noSkill ? `${model} (no vote)` : model}</span>
          ),
        },
        ...symbols.map((symbol, s) => ({
          head: symbol,
          cell: ({ bySymbol }: (typeof said)[number]) => {
            const { position, confidence } = bySymbol[s];
            return position === undefined || position === null ? (
              <span class="muted">no opinion</span>
            ) : (
              <span class={`nowrap ${tone(position)}`}>
                {signed(100 * position, 0)}{' '}
                <span class="muted">{confidence === undefined ? '' : `confidence ${fixed(confidence)}`}</span>
              </span>
            );
          },
        })),
      ]}
    />
  );
}
