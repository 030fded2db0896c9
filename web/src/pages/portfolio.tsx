import { useMemo, useState } from 'preact/hooks';
import { amount, count, fixed, money, percent, signed, tone } from '../format.ts';
import { CurveChart } from '../parts/charts.tsx';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import {
  Choice,
  Empty,
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
import { useGet } from '../parts/use.ts';
import type { Dataset } from '../types.ts';

type Weights = Readonly<Record<string, number>>;
interface Optimised {
  readonly strategy: string;
  readonly synthetic: boolean;
  readonly time: string;
  readonly capital: number;
  readonly cashLeft: number;
  readonly volatilityPct: number | null;
  readonly expectedReturnPct: number | null;
  readonly instabilityPct: number | null;
  readonly weights: readonly {
    readonly symbol: string;
    readonly weightPct: number;
    readonly quoteAmount: number;
    readonly baseAmount: number;
    readonly riskPct: number | null;
  }[];
  readonly notes: readonly string[];
}
interface Point {
  readonly expectedReturnPct: number;
  readonly volatilityPct: number;
  readonly weightsPct: Weights;
}
interface Frontier {
  readonly synthetic: boolean;
  readonly frontier: readonly (Point & { readonly resampledVolatilityPct?: readonly number[] })[];
  readonly maxSharpe: Point;
  readonly minVariance: Point;
}
interface Correlation {
  readonly synthetic: boolean;
  readonly symbols: readonly string[];
  readonly correlation: readonly (readonly number[])[];
  readonly tailDependence: readonly (readonly number[])[];
}
interface Compared {
  readonly synthetic: boolean;
  readonly strategies: readonly {
    readonly strategy: string;
    readonly volatilityPct: number | null;
    readonly effectiveAssets: number | null;
    readonly largestRiskPct: number | null;
    readonly instabilityPct: number | null;
    readonly weightsPct: Weights;
  }[];
}
interface Walked {
  readonly synthetic: boolean;
  readonly strategies?: readonly Readonly<Record<string, unknown>>[];
  readonly sentences?: readonly string[];
}

const ACTIONS = [
  { value: 'optimise', text: 'weights now' },
  { value: 'frontier', text: 'frontier' },
  { value: 'correlation', text: 'correlation' },
  { value: 'compare', text: 'compare' },
  { value: 'backtest', text: 'walk forward' },
  { value: 'train', text: 'train an allocator' },
] as const;
type Action = (typeof ACTIONS)[number]['value'];

const STRATEGIES = [
  'equal-weight',
  'inverse-volatility',
  'min-variance',
  'max-sharpe',
  'max-return',
  'risk-parity',
  'max-diversification',
  'min-cvar',
  'mean-cvar',
  'min-cdar',
  'min-semivariance',
  'hrp',
  'herc',
  'nested-clusters',
  'black-litterman',
  'deep',
  'rl',
  'ppo',
  'hybrid',
] as const;
const COVARIANCES = ['ledoit-wolf', 'sample', 'ewma'] as const;

export default function Portfolio() {
  const { value } = useGet<{ readonly datasets: readonly Dataset[] }>('/datasets');
  const timeframes = [...new Set((value?.datasets ?? []).map(({ timeframe }) => timeframe))];
  const [form, setForm] = useState({
    action: 'optimise' as Action,
    symbols: '',
    timeframe: '',
    strategy: 'max-sharpe',
    covariance: 'ledoit-wolf',
    window: '180',
    max: '',
    investment: '10000',
    allocator: 'deep',
    rebalance: '1w',
  });
  const set =
    <K extends keyof typeof form>(key: K) =>
    (next: (typeof form)[K]) =>
      setForm((before) => ({ ...before, [key]: next }));
  const timeframe = form.timeframe || timeframes.at(-1) || '1d';
  const stored = (value?.datasets ?? []).filter((one) => one.timeframe === timeframe);
  const exchange = stored[0]?.exchange;
  const named = form.symbols.split(/[,\s]+/).filter(Boolean);
  const symbols = named.length > 0 ? named : stored.map(({ symbol }) => symbol);
  const walks = form.action === 'backtest' || form.action === 'train';
  const request = {
    kind: 'portfolio',
    action: form.action,
    timeframe,
    symbols,
    ...(exchange !== undefined && { exchange }),
    ...(form.action !== 'train' && { window: Number(form.window), covariance: form.covariance }),
    ...(form.max !== '' && form.action !== 'train' && { max: Number(form.max) }),
    ...(form.action === 'optimise' && { strategy: form.strategy, investment: Number(form.investment) }),
    ...(form.action === 'backtest' && { rebalance: form.rebalance }),
    ...(form.action === 'train' && { allocator: form.allocator }),
  };
  const of = (action: Action) => (one: { readonly kind: string; readonly arguments: readonly string[] }) =>
    one.kind === 'portfolio' && one.arguments[1] === action;
  const { job } = useJob((one) => one.kind === 'portfolio');
  const optimised = useJob<Optimised>(of('optimise')).result;
  const frontier = useJob<Frontier>(of('frontier')).result;
  const correlation = useJob<Correlation>(of('correlation')).result;
  const compared = useJob<Compared>(of('compare')).result;
  const walked = useJob<Walked>(of('backtest')).result;
  return (
    <Page title="Portfolio" about="How much of each asset, and whether any of it beats equal weights.">
      <Panel title="Ask">
        <Choice label="What" value={form.action} options={ACTIONS} onChange={set('action')} />
        <div class="fields">
          <Text
            label="Assets"
            value={form.symbols}
            placeholder={stored.map(({ symbol }) => symbol).join(', ')}
            onChange={set('symbols')}
            hint="Two or more; all that are stored otherwise"
          />
          <Select
            label="Bars"
            value={timeframe}
            options={timeframes.length === 0 ? ['1d'] : timeframes}
            onChange={set('timeframe')}
          />
          {form.action === 'optimise' && (
            <Select label="Strategy" value={form.strategy} options={STRATEGIES} onChange={set('strategy')} />
          )}
          {form.action === 'optimise' && (
            <Text
              label="Capital"
              type="number"
              min={1}
              value={form.investment}
              onChange={set('investment')}
            />
          )}
          {form.action === 'train' && (
            <Select
              label="Allocator"
              value={form.allocator}
              options={['deep', 'rl', 'ppo']}
              onChange={set('allocator')}
            />
          )}
          {form.action === 'backtest' && (
            <Select
              label="Rebalance"
              value={form.rebalance}
              options={['1d', '1w', '2w', '1M', 'threshold']}
              onChange={set('rebalance')}
            />
          )}
          {form.action !== 'train' && (
            <Text label="Window, bars" type="number" min={2} value={form.window} onChange={set('window')} />
          )}
          {form.action !== 'train' && (
            <Select
              label="Covariance"
              value={form.covariance}
              options={COVARIANCES}
              onChange={set('covariance')}
            />
          )}
          {!walks && (
            <Text
              label="Largest weight, %"
              type="number"
              min={0}
              max={100}
              value={form.max}
              placeholder="no limit"
              onChange={set('max')}
            />
          )}
        </div>
        <JobPanel job={job} request={request} label="Compute" disabled={symbols.length < 2} />
      </Panel>
      <div class="grid">
        {optimised !== undefined && <Allocation of={optimised} />}
        {frontier !== undefined && <FrontierPanel of={frontier} />}
        {correlation !== undefined && <CorrelationPanel of={correlation} />}
        {compared !== undefined && <ComparePanel of={compared} />}
        {walked !== undefined && <WalkPanel of={walked} />}
      </div>
    </Page>
  );
}

function Allocation({ of }: { readonly of: Optimised }) {
  const weights = of.weights.toSorted((a, b) => b.weightPct - a.weightPct);
  const most = Math.max(1, ...weights.map(({ weightPct }) => Math.abs(weightPct)));
  return (
    <Panel title={`Weights: ${of.strategy}`} actions={of.synthetic && <Synthetic />}>
      <Stats>
        <Stat
          label="Expected a year"
          value={percent(of.expectedReturnPct, 1)}
          note="from the window: no forecast"
        />
        <Stat label="Volatility a year" value={percent(of.volatilityPct, 1)} />
        <Stat label="Instability" value={percent(of.instabilityPct, 0)} note="had other days happened" />
        <Stat label="Left as cash" value={money(of.cashLeft)} />
      </Stats>
      <Table
        caption="Weights"
        rows={weights}
        keyOf={({ symbol }) => symbol}
        columns={[
          { head: 'Asset', cell: ({ symbol }) => symbol },
          {
            head: 'Share',
            cell: ({ symbol, weightPct }) => (
              <Meter value={Math.abs(weightPct)} most={most} text={`${symbol}: ${weightPct.toFixed(1)} %`} />
            ),
          },
          { head: '%', number: true, cell: ({ weightPct }) => fixed(weightPct, 1) },
          { head: 'Of the risk', number: true, cell: ({ riskPct }) => percent(riskPct, 0) },
          { head: 'Value', number: true, cell: ({ quoteAmount }) => money(quoteAmount) },
          {
            head: 'Amount',
            number: true,
            less: true,
            cell: ({ baseAmount }) => (baseAmount === 0 ? '' : amount(baseAmount)),
          },
        ]}
      />
      {of.notes.map((note) => (
        <p key={note} class="muted">
          {note}
        </p>
      ))}
    </Panel>
  );
}

function FrontierPanel({ of }: { readonly of: Frontier }) {
  const points = useMemo(() => of.frontier.toSorted((a, b) => a.volatilityPct - b.volatilityPct), [of]);
  const curves = useMemo(
    () => [
      {
        name: 'expected return a year',
        values: points.map(({ expectedReturnPct }) => expectedReturnPct),
        points: true,
        colour: 'accent',
      },
    ],
    [points],
  );
  return (
    <Panel title="Efficient frontier" actions={of.synthetic && <Synthetic />}>
      <CurveChart
        x={points.map(({ volatilityPct }) => volatilityPct)}
        curves={curves}
        time={false}
        xLabel="volatility a year, %"
        unit=" %"
        digits={1}
        label="Efficient frontier"
        height={260}
      />
      <Table
        caption="Portfolios on the frontier"
        rows={[
          { name: 'least variance', ...of.minVariance },
          { name: 'best Sharpe ratio', ...of.maxSharpe },
        ]}
        keyOf={({ name }) => name}
        columns={[
          { head: 'Portfolio', cell: ({ name }) => name },
          { head: 'Return', number: true, cell: ({ expectedReturnPct }) => percent(expectedReturnPct, 1) },
          { head: 'Volatility', number: true, cell: ({ volatilityPct }) => percent(volatilityPct, 1) },
          { head: 'Holds', cell: ({ weightsPct }) => weightsText(weightsPct) },
        ]}
      />
      <p class="legend muted">
        Expected returns are means of the window, the least reliable number here: compare with what walking
        forward earned.
      </p>
    </Panel>
  );
}

const weightsText = (weights: Weights): string =>
  Object.entries(weights)
    .filter(([, weight]) => Math.abs(weight) >= 0.5)
    .toSorted(([, a], [, b]) => b - a)
    .map(([symbol, weight]) => `${symbol.replace(/\/.*/, '')} ${weight.toFixed(0)} %`)
    .join(', ') || 'nothing';

function CorrelationPanel({ of }: { readonly of: Correlation }) {
  const [shown, show] = useState<'correlation' | 'tailDependence'>('correlation');
  return (
    <Panel
      title="How they move together"
      flush
      actions={
        <Choice
          label="Measure"
          value={shown}
          options={[
            { value: 'correlation', text: 'correlation' },
            { value: 'tailDependence', text: 'in the worst bars' },
          ]}
          onChange={show}
        />
      }
    >
      <div class="table-wrap" role="group" aria-label="Correlation" tabIndex={0}>
        <table class="heat">
          <caption class="visually-hidden">
            {shown === 'correlation'
              ? 'Correlation of returns'
              : 'Share of the worst bars of one that are among the worst of the other'}
          </caption>
          <thead>
            <tr>
              <th scope="col">Asset</th>
              {of.symbols.map((symbol) => (
                <th key={symbol} scope="col" class="number">
                  {symbol.replace(/\/.*/, '')}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {of.symbols.map((symbol, i) => (
              <tr key={symbol}>
                <th scope="row">{symbol.replace(/\/.*/, '')}</th>
                {of[shown][i].map((value, j) => (
                  <td
                    key={of.symbols[j]}
                    class="number"
                    style={{ '--strength': `${Math.round(Math.abs(value) * 45)}%` }}
                    data-sign={value < 0 ? 'down' : 'same'}
                  >
                    {fixed(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function ComparePanel({ of }: { readonly of: Compared }) {
  return (
    <Panel title="Strategies side by side" wide flush actions={of.synthetic && <Synthetic />}>
      <Table
        caption="Strategies"
        rows={of.strategies}
        keyOf={({ strategy }) => strategy}
        columns={[
          { head: 'Strategy', cell: ({ strategy }) => strategy },
          { head: 'Volatility', number: true, cell: ({ volatilityPct }) => percent(volatilityPct, 1) },
          {
            head: 'Effective assets',
            number: true,
            cell: ({ effectiveAssets }) => fixed(effectiveAssets, 1),
          },
          {
            head: 'Largest risk',
            number: true,
            less: true,
            cell: ({ largestRiskPct }) => percent(largestRiskPct, 0),
          },
          {
            head: 'Instability',
            number: true,
            less: true,
            cell: ({ instabilityPct }) => percent(instabilityPct, 0),
          },
          { head: 'Holds', cell: ({ weightsPct }) => weightsText(weightsPct) },
        ]}
      />
    </Panel>
  );
}

/** The columns are those of `portfolio backtest --json`; whatever it adds is shown too. */
function WalkPanel({ of }: { readonly of: Walked }) {
  const rows = of.strategies ?? [];
  const number = (row: Readonly<Record<string, unknown>>, key: string): number | undefined => {
    const value = row[key];
    return typeof value === 'number' ? value : undefined;
  };
  return (
    <Panel title="Walked forward" wide flush actions={of.synthetic && <Synthetic />}>
      {rows.length === 0 ? (
        <Empty>The document has no strategies.</Empty>
      ) : (
        <Table
          caption="Strategies walked forward"
          rows={rows}
          keyOf={(row) => String(row['strategy'] ?? row['id'])}
          columns={[
            { head: 'Strategy', cell: (row) => String(row['strategy'] ?? row['id']) },
            {
              head: 'Return',
              number: true,
              cell: (row) => (
                <span class={tone(number(row, 'totalReturnPct'))}>
                  {signed(number(row, 'totalReturnPct'))}
                </span>
              ),
            },
            { head: 'Sharpe', number: true, cell: (row) => fixed(number(row, 'sharpe')) },
            { head: 'Drawdown', number: true, cell: (row) => percent(number(row, 'maxDrawdownPct'), 1) },
            {
              head: 'Turnover',
              number: true,
              less: true,
              cell: (row) => count(number(row, 'turnoverPerYear')),
            },
          ]}
        />
      )}
      <ul class="sentences legend">
        {of.sentences?.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </Panel>
  );
}
