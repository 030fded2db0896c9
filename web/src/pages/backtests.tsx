import { useMemo, useState } from 'preact/hooks';
import {
  amount,
  count,
  day,
  duration,
  fixed,
  money,
  percent,
  price,
  signed,
  time,
  tone,
  known,
  NONE,
} from '../format.ts';
import { jobs } from '../live.ts';
import { CandleChart, CurveChart } from '../parts/charts.tsx';
import type { Mark } from '../parts/candle-chart.tsx';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import {
  Badge,
  Check,
  Choice,
  Empty,
  Fault,
  LOADING,
  LongTable,
  Page,
  Panel,
  Select,
  Stat,
  Stats,
  Synthetic,
  Table,
  Text,
} from '../parts/ui.tsx';
import { useGet } from '../parts/use.ts';
import { go, route } from '../router.ts';
import { type Fold, Folds } from '../parts/folds.tsx';
import type { Candles } from '../types.ts';

interface Summary {
  readonly id: string;
  readonly time: string;
  readonly strategy?: string;
  readonly synthetic?: boolean;
  readonly symbols?: readonly string[];
  readonly timeframe?: string;
  readonly trainedBy?: string;
  readonly range?: { readonly from: string; readonly to: string };
  readonly metrics?: {
    readonly totalReturnPct: number | null;
    readonly sharpe: number | null;
    readonly maxDrawdownPct: number | null;
    readonly tradeCount: number | null;
  };
  readonly damaged?: boolean;
  readonly why?: string;
}

interface Trade {
  readonly symbol: string;
  readonly side: string;
  readonly entryTime: string;
  readonly exitTime: string;
  readonly entryPrice?: number;
  readonly exitPrice?: number;
  readonly baseAmount?: number;
  readonly profitQuote: number;
  readonly profitPct: number;
  readonly exit?: string;
}

interface Interval {
  readonly low: number;
  readonly high: number;
}
type Figures = Readonly<Record<string, number | null>>;

interface Document extends Omit<Summary, 'metrics'> {
  readonly exchange: string;
  readonly timeframe: string;
  readonly bars: number;
  readonly sentences: readonly string[];
  readonly metrics: Figures & { readonly conventions?: unknown };
  readonly benchmark: Figures & { readonly name: string };
  readonly models: readonly { readonly model: string; readonly metrics: Figures }[];
  readonly trades: readonly Trade[];
  readonly costTerms: string;
  readonly costs: {
    readonly curve?:
      | readonly {
          readonly costBps: number;
          readonly totalReturnPct: number;
          readonly sharpe: number | null;
        }[]
      | null;
    readonly breakEvenBps?: number | null;
    readonly feesQuote?: number;
    readonly slippageQuote?: number;
  };
  readonly confidence: {
    readonly deflatedSharpe?: number | null;
    readonly deflatedSharpeAllTrials?: number | null;
    readonly sharpe95?: Interval | null;
    readonly totalReturnPct95?: Interval | null;
    readonly trials?: number;
  };
  readonly folds?: readonly Fold[];
  readonly rules: { readonly initialBalance: number };
  readonly seed?: number;
  readonly dataFingerprint?: string;
}

export default function Backtests() {
  const done = jobs.value.filter(({ kind, state }) => kind === 'backtest' && state === 'done').length;
  const { value, error } = useGet<{ readonly backtests: readonly Summary[] }>('/backtests', done);
  const all = (value?.backtests ?? []).toReversed();
  const chosen = route.value[1] ?? all[0]?.id;
  const [other, setOther] = useState('');
  return (
    <Page
      title="Backtests"
      about="Decided at a bar's close, filled at the next open, costs always on; every one is counted."
    >
      <Fault error={error} />
      <div class="grid">
        <BacktestForm />
        <Panel title="History" wide flush>
          {all.length === 0 ? (
            <Empty>{value === undefined ? LOADING : 'No backtest is kept yet.'}</Empty>
          ) : (
            <Table<Summary>
              caption="Kept backtests"
              rows={all}
              keyOf={({ id }) => id}
              selected={chosen}
              onRow={({ id }) => go('backtests', id)}
              columns={[
                {
                  head: 'Backtest',
                  cell: ({ id, synthetic }) => (
                    <>
                      {id} {synthetic === true && <Synthetic />}
                    </>
                  ),
                },
                {
                  head: 'Strategy',
                  less: true,
                  cell: ({ strategy, damaged, why }) =>
                    damaged === true ? <span class="down">{why}</span> : strategy,
                },
                {
                  head: 'Models of',
                  less: true,
                  cell: ({ trainedBy }) => (
                    <span class="cut" title={trainedBy}>
                      {trainedBy?.replace('training run ', '')}
                    </span>
                  ),
                },
                {
                  head: 'Range',
                  less: true,
                  cell: ({ range }) =>
                    range === undefined ? (
                      ''
                    ) : (
                      <span class="nowrap">
                        {day(range.from)} – {day(range.to)}
                      </span>
                    ),
                },
                {
                  head: 'Return',
                  number: true,
                  cell: ({ metrics }) => (
                    <span class={tone(metrics?.totalReturnPct)}>{signed(metrics?.totalReturnPct)}</span>
                  ),
                },
                { head: 'Sharpe', number: true, cell: ({ metrics }) => fixed(metrics?.sharpe) },
                {
                  head: 'Drawdown',
                  number: true,
                  less: true,
                  cell: ({ metrics }) => percent(metrics?.maxDrawdownPct, 1),
                },
                { head: 'Trades', number: true, cell: ({ metrics }) => count(metrics?.tradeCount) },
              ]}
            />
          )}
        </Panel>
        {chosen !== undefined && <OneBacktest key={chosen} id={chosen} />}
        {all.length > 1 && chosen !== undefined && (
          <Panel title="Compare" wide>
            <Select
              label={`What differs between ${chosen} and`}
              value={other}
              options={[
                { value: '', text: 'choose one' },
                ...all.filter(({ id }) => id !== chosen).map(({ id }) => id),
              ]}
              onChange={setOther}
            />
            {other !== '' && other !== chosen && <Compare a={chosen} b={other} />}
          </Panel>
        )}
      </div>
    </Page>
  );
}

const STRATEGIES = ['cost-aware', 'threshold', 'quantile', 'sign', 'own'] as const;

function BacktestForm() {
  const runs = useGet<{ readonly runs: readonly { readonly runId: string; readonly complete: boolean }[] }>(
    '/runs',
  );
  const [form, setForm] = useState({
    how: 'trained' as 'trained' | 'walk-forward',
    run: '',
    strategy: '',
    since: '',
    until: '',
    feeBps: '',
    slippageBps: '',
    folds: '5',
    models: '',
    band: false,
  });
  const set =
    <K extends keyof typeof form>(key: K) =>
    (value: (typeof form)[K]) =>
      setForm((before) => ({ ...before, [key]: value }));
  const { job } = useJob(({ kind }) => kind === 'backtest');
  const models = form.models.split(/[,\s]+/).filter(Boolean);
  const request = {
    kind: 'backtest',
    ...(form.how === 'walk-forward'
      ? { walkForward: true, folds: Number(form.folds) }
      : form.run !== '' && { run: form.run }),
    ...(form.strategy !== '' && { strategy: form.strategy }),
    ...(form.since !== '' && { since: form.since }),
    ...(form.until !== '' && { until: form.until }),
    ...(form.feeBps !== '' && { feeBps: Number(form.feeBps) }),
    ...(form.slippageBps !== '' && { slippageBps: Number(form.slippageBps) }),
    ...(models.length > 0 && { models }),
    ...(form.band && { intrabarBand: true }),
  };
  return (
    <Panel title="Run" wide>
      <Choice
        label="Forecasts of"
        value={form.how}
        options={[
          { value: 'trained', text: 'a trained run' },
          { value: 'walk-forward', text: 'models refitted before every fold' },
        ]}
        onChange={set('how')}
      />
      <div class="fields">
        {form.how === 'trained' ? (
          <Select
            label="Run"
            value={form.run}
            options={[
              { value: '', text: 'the active one' },
              ...(runs.value?.runs.filter(({ complete }) => complete).map(({ runId }) => runId) ?? []),
            ]}
            onChange={set('run')}
          />
        ) : (
          <Text label="Folds" type="number" min={1} max={100} value={form.folds} onChange={set('folds')} />
        )}
        <Select
          label="Strategy"
          value={form.strategy}
          options={[{ value: '', text: 'as set' }, ...STRATEGIES]}
          onChange={set('strategy')}
        />
        <Text label="Models" value={form.models} placeholder="all" onChange={set('models')} />
        <Text label="Since" type="date" value={form.since} onChange={set('since')} />
        <Text label="Until" type="date" value={form.until} onChange={set('until')} />
        <Text
          label="Fee, bp per side"
          type="number"
          min={0}
          step="any"
          value={form.feeBps}
          placeholder="as set"
          onChange={set('feeBps')}
        />
        <Text
          label="Slippage, bp per side"
          type="number"
          min={0}
          step="any"
          value={form.slippageBps}
          placeholder="modelled"
          onChange={set('slippageBps')}
        />
      </div>
      <Check
        label="Also the interval of the profit over the paths that prices may take inside a bar"
        checked={form.band}
        onChange={set('band')}
      />
      <JobPanel job={job} request={request} label="Run the backtest" />
    </Panel>
  );
}

const between = (ends: Interval | null | undefined, digits: number, unit = ''): string =>
  ends?.low === undefined
    ? 'no interval'
    : `95 %: ${fixed(ends.low, digits)} to ${fixed(ends.high, digits)}${unit}`;

function OneBacktest({ id }: { readonly id: string }) {
  const { value: found, error } = useGet<Document>(`/backtests/${encodeURIComponent(id)}`);
  const curves = useGet<{
    readonly time: readonly number[];
    readonly curves: Readonly<Record<string, readonly number[]>>;
  }>(`/backtests/${encodeURIComponent(id)}/equity`);
  const [all, setAll] = useState(false);
  const equity = useMemo(() => {
    const names = Object.keys(curves.value?.curves ?? {}).filter((name) => name !== 'exposure');
    const main = ['ensemble', 'buy-and-hold'];
    return names
      .filter((name) => all || main.includes(name))
      .map((name) => ({
        name,
        values: curves.value?.curves[name] ?? [],
        ...(name === 'ensemble'
          ? { colour: 'accent' }
          : name === 'buy-and-hold'
            ? { colour: 'muted', dashed: true }
            : {}),
      }));
  }, [curves.value, all]);
  const drawdown = useMemo(() => {
    const values = curves.value?.curves['ensemble'] ?? [];
    let peak = -Infinity;
    return [
      {
        name: 'drawdown',
        colour: 'down',
        filled: true,
        values: values.map((one) => ((peak = Math.max(peak, one)), 100 * (one / peak - 1))),
      },
    ];
  }, [curves.value]);
  if (error !== undefined) return <Fault error={error} />;
  if (found === undefined) return <Empty>{LOADING}</Empty>;
  const { metrics, benchmark, confidence } = found;
  return (
    <>
      <Panel title={`Result of ${id}`} wide actions={found.synthetic === true && <Synthetic />}>
        <Stats>
          <Stat
            label="Return"
            value={signed(metrics['totalReturnPct'])}
            of={metrics['totalReturnPct']}
            note={between(confidence.totalReturnPct95, 1, ' %')}
          />
          <Stat
            label="Holding"
            value={signed(benchmark['totalReturnPct'])}
            of={benchmark['totalReturnPct']}
            note="same bars and costs"
          />
          <Stat label="Sharpe" value={fixed(metrics['sharpe'])} note={between(confidence.sharpe95, 2)} />
          <Stat
            label="Deflated Sharpe"
            value={known(confidence.deflatedSharpe) ? percent(100 * confidence.deflatedSharpe, 0) : NONE}
            note={`after ${count(confidence.trials)} trials`}
          />
          <Stat
            label="Worst drawdown"
            value={percent(metrics['maxDrawdownPct'], 1)}
            note={`holding ${percent(benchmark['maxDrawdownPct'], 1)}`}
          />
          <Stat
            label="Trades"
            value={count(metrics['tradeCount'])}
            note={
              known(metrics['winRatePct']) ? `${percent(metrics['winRatePct'], 0)} won` : 'none won or lost'
            }
          />
          <Stat
            label="Exposure"
            value={percent(metrics['exposureTimePct'], 0)}
            note="share of bars with a position"
          />
          <Stat
            label="Break-even cost"
            value={known(found.costs.breakEvenBps) ? `${fixed(found.costs.breakEvenBps, 1)} bp` : NONE}
            note="per side"
          />
        </Stats>
        <ul class="sentences">
          {found.sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        <p class="muted">Charged: {found.costTerms}.</p>
      </Panel>
      <Panel title="Equity" wide actions={<Check label="every model" checked={all} onChange={setAll} />}>
        {curves.value === undefined ? (
          <Empty>{LOADING}</Empty>
        ) : (
          <>
            <CurveChart x={curves.value.time} curves={equity} label="Equity" height={280} />
            <CurveChart x={curves.value.time} curves={drawdown} label="Drawdown" height={120} unit=" %" />
          </>
        )}
      </Panel>
      {curves.value !== undefined && (
        <Months time={curves.value.time} equity={curves.value.curves['ensemble'] ?? []} />
      )}
      {found.folds !== undefined && (
        <Panel title={`${found.folds.length} folds, refitted before each`} wide flush>
          <Folds folds={found.folds} />
        </Panel>
      )}
      <Panel title="Models" flush>
        <Table
          caption="Every model traded alone"
          rows={found.models}
          keyOf={({ model }) => model}
          columns={[
            { head: 'Model', cell: ({ model }) => model },
            {
              head: 'Return',
              number: true,
              cell: ({ metrics: own }) => (
                <span class={tone(own['totalReturnPct'])}>{signed(own['totalReturnPct'])}</span>
              ),
            },
            { head: 'Sharpe', number: true, cell: ({ metrics: own }) => fixed(own['sharpe']) },
            { head: 'Trades', number: true, cell: ({ metrics: own }) => count(own['tradeCount']) },
          ]}
        />
      </Panel>
      {(found.costs.curve?.length ?? 0) > 0 && (
        <Panel title="What costs do" flush>
          <Table
            caption="The same decisions at other costs"
            rows={found.costs.curve ?? []}
            keyOf={({ costBps }) => String(costBps)}
            columns={[
              { head: 'Cost per side', cell: ({ costBps }) => `${costBps} bp` },
              {
                head: 'Return',
                number: true,
                cell: ({ totalReturnPct }) => (
                  <span class={tone(totalReturnPct)}>{signed(totalReturnPct)}</span>
                ),
              },
              { head: 'Sharpe', number: true, cell: ({ sharpe }) => fixed(sharpe) },
            ]}
          />
        </Panel>
      )}
      <Trades document={found} />
    </>
  );
}

/** Return by calendar month, from the last equity of one to the last of the next. */
function Months({
  time: times,
  equity,
}: {
  readonly time: readonly number[];
  readonly equity: readonly number[];
}) {
  const returns = new Map<string, number>();
  let before = equity[0];
  times.forEach((ms, i) => {
    const month = new Date(ms).toISOString().slice(0, 7);
    const next = i + 1 < times.length ? new Date(times[i + 1]).toISOString().slice(0, 7) : '';
    if (next === month) return;
    returns.set(month, 100 * (equity[i] / before - 1));
    before = equity[i];
  });
  const years = [...new Set([...returns.keys()].map((month) => month.slice(0, 4)))];
  const months = Array.from({ length: 12 }, (_, i) => String(i + 1).padStart(2, '0'));
  const most = Math.max(0.01, ...[...returns.values()].map(Math.abs));
  return (
    <Panel title="By month" wide flush>
      <div class="table-wrap" role="group" aria-label="Return by month" tabIndex={0}>
        <table class="heat">
          <caption class="visually-hidden">Return of the ensemble by month, in percent</caption>
          <thead>
            <tr>
              <th scope="col">Year</th>
              {months.map((month) => (
                <th key={month} scope="col" class="number">
                  {month}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {years.map((year) => (
              <tr key={year}>
                <th scope="row">{year}</th>
                {months.map((month) => {
                  const value = returns.get(`${year}-${month}`);
                  const strength = value === undefined ? 0 : Math.round((100 * Math.abs(value)) / most);
                  return (
                    <td
                      key={month}
                      class="number"
                      style={value === undefined ? {} : { '--strength': `${Math.round(strength * 0.35)}%` }}
                      data-sign={value === undefined || value === 0 ? '' : value > 0 ? 'up' : 'down'}
                    >
                      {value === undefined ? '' : fixed(value, 1)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

const DAY = 86_400_000;

function Trades({ document: { trades, exchange, timeframe } }: { readonly document: Document }) {
  const [chosen, choose] = useState<Trade>();
  const path =
    chosen === undefined
      ? undefined
      : `/candles?exchange=${exchange}&symbol=${encodeURIComponent(chosen.symbol)}&timeframe=${timeframe}&since=${new Date(Date.parse(chosen.entryTime) - 10 * DAY).toISOString().slice(0, 10)}&until=${new Date(Date.parse(chosen.exitTime) + 10 * DAY).toISOString().slice(0, 10)}`;
  const candles = useGet<Candles>(path);
  const marks = useMemo<readonly Mark[]>(
    () =>
      chosen === undefined
        ? []
        : [
            {
              timeMs: Date.parse(chosen.entryTime),
              side: chosen.side === 'long' ? 'buy' : 'sell',
              text: 'entry',
            },
            {
              timeMs: Date.parse(chosen.exitTime),
              side: chosen.side === 'long' ? 'sell' : 'buy',
              text: chosen.exit ?? 'exit',
            },
          ],
    [chosen],
  );
  const focus = useMemo<readonly [number, number] | undefined>(() => {
    if (chosen === undefined) return undefined;
    const [from, to] = [Date.parse(chosen.entryTime), Date.parse(chosen.exitTime)];
    const around = Math.max(to - from, 20 * 3_600_000);
    return [from - around, to + around];
  }, [chosen]);
  return (
    <>
      <Panel title={`${count(trades.length)} trades`} wide flush>
        {trades.length === 0 ? (
          <Empty>Nothing was bought and sold.</Empty>
        ) : (
          <LongTable
            caption="Trades; choose one to see it on the chart"
            rows={trades}
            onRow={choose}
            columns={[
              { head: 'Entry', width: '9.5em', cell: (one) => time(one.entryTime) },
              { head: 'Exit', width: '9.5em', cell: (one) => time(one.exitTime) },
              { head: 'Pair', width: 'minmax(6em, 1fr)', cell: (one) => one.symbol },
              { head: 'Side', width: '4em', cell: (one) => one.side },
              {
                head: 'Held',
                width: '5em',
                number: true,
                cell: (one) => duration((Date.parse(one.exitTime) - Date.parse(one.entryTime)) / 1000),
              },
              { head: 'Amount', width: '6em', number: true, cell: (one) => amount(one.baseAmount) },
              { head: 'In', width: '7em', number: true, cell: (one) => price(one.entryPrice) },
              { head: 'Out', width: '7em', number: true, cell: (one) => price(one.exitPrice) },
              {
                head: 'Profit',
                width: '6em',
                number: true,
                cell: (one) => <span class={tone(one.profitQuote)}>{money(one.profitQuote)}</span>,
              },
              {
                head: '%',
                width: '5em',
                number: true,
                cell: (one) => <span class={tone(one.profitPct)}>{signed(one.profitPct, 2, '')}</span>,
              },
              { head: 'Left by', width: 'minmax(6em, 1fr)', cell: (one) => <Badge>{one.exit ?? ''}</Badge> },
            ]}
          />
        )}
      </Panel>
      {chosen !== undefined && (
        <Panel
          title={`${chosen.side} ${chosen.symbol}, ${time(chosen.entryTime)} – ${time(chosen.exitTime)}`}
          wide
        >
          <Fault error={candles.error} />
          {candles.value === undefined ? (
            <Empty>{LOADING}</Empty>
          ) : (
            <CandleChart
              label={chosen.symbol}
              bars={candles.value}
              marks={marks}
              focusMs={focus}
              height={320}
            />
          )}
        </Panel>
      )}
    </>
  );
}

interface Difference {
  readonly settings: readonly Changed[];
  readonly figures: readonly Changed[];
  readonly trades?: {
    readonly same: number;
    readonly onlyA: readonly unknown[];
    readonly onlyB: readonly unknown[];
    readonly changed: readonly unknown[];
  };
  readonly earned?: {
    readonly bars: number;
    readonly returnPctPerYear: number;
    readonly returnInterval?: Interval;
    readonly sharpe?: number;
    readonly sharpeInterval?: Interval;
  } | null;
}
interface Changed {
  readonly path?: string;
  readonly a?: unknown;
  readonly b?: unknown;
}
interface Curves {
  readonly time: readonly number[];
  readonly curves: Readonly<Record<string, readonly number[]>>;
}

function Compare({ a, b }: { readonly a: string; readonly b: string }) {
  const { value, error } = useGet<Difference>(
    `/backtests/${encodeURIComponent(a)}/compare/${encodeURIComponent(b)}`,
  );
  const first = useGet<Curves>(`/backtests/${encodeURIComponent(a)}/equity`).value;
  const second = useGet<Curves>(`/backtests/${encodeURIComponent(b)}/equity`).value;
  const both = useMemo(() => first && second && joined(first, second), [first, second]);
  const curves = useMemo(
    () =>
      both === undefined
        ? []
        : [
            { name: a, values: both.a, colour: 'series-1' },
            { name: b, values: both.b, colour: 'series-2' },
          ],
    [both],
  );
  if (error !== undefined) return <Fault error={error} />;
  if (value === undefined) return <Empty>{LOADING}</Empty>;
  const { trades } = value;
  const earning = value.earned ?? undefined;
  const rows = [
    ...value.settings.map((one) => ({ ...one, of: 'setting' })),
    ...value.figures.map((one) => ({ ...one, of: 'result' })),
  ];
  return (
    <>
      {both !== undefined && (
        <CurveChart x={both.time} curves={curves} label="Return of both" unit=" %" height={220} />
      )}
      <Stats>
        {earning !== undefined && (
          <Stat
            label="The second earns more, per year"
            value={signed(earning.returnPctPerYear, 1)}
            of={earning.returnPctPerYear}
            note={between(earning.returnInterval, 1, ' %')}
          />
        )}
        {earning !== undefined && (
          <Stat
            label="Its Sharpe ratio is higher by"
            value={fixed(earning.sharpe)}
            note={between(earning.sharpeInterval, 2)}
          />
        )}
        {trades !== undefined && (
          <Stat
            label="Trades they share"
            value={count(trades.same)}
            note={`${count(trades.changed.length)} entered alike, then different`}
          />
        )}
        {trades !== undefined && (
          <Stat
            label="Trades of one alone"
            value={`${count(trades.onlyA.length)} and ${count(trades.onlyB.length)}`}
            note="of the first, of the second"
          />
        )}
      </Stats>
      {earning === undefined && (
        <p class="muted">Their bars differ, so no interval says which earned more.</p>
      )}
      {rows.length === 0 ? (
        <Empty>Nothing differs: every setting and every figure is the same.</Empty>
      ) : (
        <Table
          caption="Differences"
          rows={rows}
          keyOf={({ of, path }, i) => `${of} ${path ?? i}`}
          columns={[
            { head: 'Of', cell: ({ of }) => of },
            { head: 'What', cell: ({ path }) => path },
            { head: a, cell: ({ a: one }) => <code>{shown(one)}</code> },
            { head: b, cell: ({ b: one }) => <code>{shown(one)}</code> },
          ]}
        />
      )}
    </>
  );
}

/** Two curves over the times of both, as returns since their own starts. */
function joined(a: Curves, b: Curves) {
  const time = [...new Set([...a.time, ...b.time])].sort((x, y) => x - y);
  const along = ({ time: own, curves }: Curves): readonly (number | null)[] => {
    const equity = curves['ensemble'] ?? [];
    const at = new Map(own.map((ms, i) => [ms, 100 * (equity[i] / equity[0] - 1)]));
    return time.map((ms) => at.get(ms) ?? null);
  };
  return { time, a: along(a), b: along(b) };
}

const shown = (value: unknown): string =>
  value === undefined
    ? '–'
    : typeof value === 'number'
      ? String(Number(value.toPrecision(8)))
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
