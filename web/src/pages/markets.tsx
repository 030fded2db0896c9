import { useMemo, useState } from 'preact/hooks';
import { count, day, time } from '../format.ts';
import { jobs } from '../live.ts';
import { CandleChart } from '../parts/charts.tsx';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import { Badge, Empty, Fault, LOADING, Page, Panel, Select, Synthetic, Table, Text } from '../parts/ui.tsx';
import { useGet } from '../parts/use.ts';
import { go, route } from '../router.ts';
import type { Candles, Dataset, Overview } from '../types.ts';

const keyOf = ({ exchange, symbol, timeframe }: Dataset): string => `${exchange} ${symbol} ${timeframe}`;

export default function Markets() {
  const done = jobs.value.filter(({ kind, state }) => kind === 'fetch' && state === 'done').length;
  const { value, error } = useGet<{ datasets: readonly Dataset[] }>('/datasets', done);
  const datasets = value?.datasets ?? [];
  const chosen = datasets.find((one) => keyOf(one) === route.value[1]) ?? datasets[0];
  return (
    <Page title="Markets" about="Stored candles: what is there, what is missing, and where it came from.">
      <Fault error={error} />
      <div class="grid">
        <Panel title="Coverage" wide flush>
          {datasets.length === 0 ? (
            <Empty>{value === undefined ? LOADING : 'Nothing is stored yet.'}</Empty>
          ) : (
            <Calendar datasets={datasets} chosen={chosen} />
          )}
        </Panel>
        {chosen !== undefined && <OneMarket dataset={chosen} />}
        <FetchForm datasets={datasets} />
        <VerifyPanel />
      </div>
    </Page>
  );
}

function Calendar({ datasets, chosen }: { readonly datasets: readonly Dataset[]; readonly chosen: Dataset }) {
  const months = useMemo(() => {
    const all = datasets.flatMap((one) => one.months.map(({ month }) => month)).sort();
    const last = all.at(-1) ?? '';
    const found: string[] = [];
    for (let month = all[0] ?? ''; month !== '' && month <= last; month = following(month)) found.push(month);
    return found;
  }, [datasets]);
  const years = [...new Set(months.map((month) => month.slice(0, 4)))];
  return (
    <div class="table-wrap" role="group" aria-label="Coverage by month" tabIndex={0}>
      <table class="calendar">
        <caption class="visually-hidden">Share of the bars of each month that is stored</caption>
        <thead>
          <tr>
            <th scope="col">Market</th>
            <th scope="col" class="number less">
              Bars
            </th>
            <th scope="col" class="less">
              Range
            </th>
            <th scope="col">Months</th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((one) => (
            <tr
              key={keyOf(one)}
              class={`pick${one === chosen ? ' selected' : ''}`}
              onClick={() => go('markets', keyOf(one))}
            >
              <th scope="row">
                <button type="button" class="link" onClick={() => go('markets', keyOf(one))}>
                  {one.symbol}{' '}
                  <span class="muted">
                    {one.timeframe} {one.exchange}
                  </span>
                </button>{' '}
                {one.synthetic && <Synthetic />}
              </th>
              <td class="number less">{count(one.rows)}</td>
              <td class="muted nowrap less">
                {day(one.firstTime)} – {day(one.lastTime)}
              </td>
              <td>
                <div class="years">
                  {years.map((year) => (
                    <div key={year}>
                      <small class="muted">{year}</small>
                      <div class="months">
                        {months
                          .filter((month) => month.startsWith(year))
                          .map((month) => {
                            const found = one.months.find((stored) => stored.month === month);
                            const share =
                              found === undefined || found.bars === 0 ? undefined : found.rows / found.bars;
                            const text = `${month}: ${found === undefined ? 'nothing' : `${found.rows} of ${found.bars} bars`}`;
                            return (
                              <i
                                key={month}
                                title={text}
                                class={
                                  share === undefined
                                    ? 'none'
                                    : share >= 1
                                      ? 'whole'
                                      : share > 0.98
                                        ? 'most'
                                        : 'part'
                                }
                              />
                            );
                          })}
                      </div>
                    </div>
                  ))}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="legend muted">
        <i class="key whole" /> whole <i class="key most" /> a gap <i class="key part" /> more missing{' '}
        <i class="key none" /> outside its range
      </p>
    </div>
  );
}

const following = (month: string): string => {
  const [year, index] = month.split('-').map(Number);
  return index === 12 ? `${year + 1}-01` : `${year}-${String(index + 1).padStart(2, '0')}`;
};

function OneMarket({ dataset }: { readonly dataset: Dataset }) {
  const { exchange, symbol, timeframe, gaps } = dataset;
  const path = `/candles?exchange=${encodeURIComponent(exchange)}&symbol=${encodeURIComponent(symbol)}&timeframe=${timeframe}&limit=50000`;
  const { value, error } = useGet<Candles>(path, dataset.sha256);
  return (
    <>
      <Panel title={`${symbol} ${timeframe}`} wide actions={<span class="muted">{dataset.source}</span>}>
        <Fault error={error} />
        {value === undefined ? (
          <Empty>{LOADING}</Empty>
        ) : (
          <CandleChart label={symbol} bars={value} averages={LENGTHS} height={420} />
        )}
        <p class="legend muted">
          Moving averages of <span class="one">{LENGTHS[0]}</span> and <span class="two">{LENGTHS[1]}</span>{' '}
          bars · SHA-256 <code>{dataset.sha256.slice(0, 16)}</code>
        </p>
      </Panel>
      {gaps.length > 0 && <GapCalendar dataset={dataset} />}
      {gaps.length > 0 && (
        <Panel title={`${count(gaps.length)} ${gaps.length === 1 ? 'gap' : 'gaps'}`} flush>
          <Table
            caption="Gaps"
            rows={gaps.toReversed()}
            keyOf={({ from }) => from}
            columns={[
              { head: 'From', cell: ({ from }) => time(from) },
              { head: 'To', cell: ({ to }) => time(to) },
              { head: 'Bars', number: true, cell: ({ bars }) => count(bars) },
              {
                head: 'Source asked',
                cell: ({ checked }) => (checked ? <Badge>it has none</Badge> : <Badge kind="warn">no</Badge>),
              },
            ]}
          />
        </Panel>
      )}
    </>
  );
}
const LENGTHS = [24, 168] as const;

const DAY_MS = 86_400_000;

/** Every day of the months that have gaps, by how many of its bars are missing. */
function GapCalendar({ dataset: { gaps, timeframe, firstTime, lastTime } }: { readonly dataset: Dataset }) {
  const stepMs = 60_000 * (MINUTES[timeframe] ?? 60);
  const missing = useMemo(() => {
    const byDay = new Map<string, number>();
    for (const { from, bars } of gaps)
      for (let bar = 0; bar < bars; bar++) {
        const name = day(Date.parse(from) + bar * stepMs);
        byDay.set(name, (byDay.get(name) ?? 0) + 1);
      }
    return byDay;
  }, [gaps]);
  const months = [...new Set([...missing.keys()].map((name) => name.slice(0, 7)))].sort().reverse();
  const perDay = Math.max(1, DAY_MS / stepMs);
  return (
    <Panel title="Days with gaps">
      <div class="gap-months">
        {months.slice(0, MOST_MONTHS).map((month) => (
          <div key={month}>
            <small class="muted">{month}</small>
            <div class="days" role="img" aria-label={monthText(month, missing)}>
              {daysOf(month).map((name, i) => {
                const lost = missing.get(name) ?? 0;
                const outside = name < day(firstTime) || name > day(lastTime);
                return (
                  <i
                    key={name}
                    title={outside ? `${name}: outside` : `${name}: ${lost} of ${perDay} bars missing`}
                    style={i === 0 ? { gridColumnStart: String(weekday(name)) } : {}}
                    class={outside ? 'none' : lost === 0 ? 'whole' : lost < perDay / 4 ? 'most' : 'part'}
                  />
                );
              })}
            </div>
          </div>
        ))}
      </div>
      <p class="legend muted">
        A row per week, Monday first. <i class="key whole" /> whole <i class="key most" /> less than a quarter
        missing <i class="key part" /> more
        {months.length > MOST_MONTHS && `; the newest ${MOST_MONTHS} of ${months.length} months with gaps`}
      </p>
    </Panel>
  );
}
const MOST_MONTHS = 24;

const daysOf = (month: string): readonly string[] => {
  const start = Date.parse(`${month}-01`);
  return Array.from({ length: 31 }, (_, i) => day(start + i * DAY_MS)).filter((name) =>
    name.startsWith(month),
  );
};

/** From 1, Monday. */
const weekday = (name: string): number => ((new Date(name).getUTCDay() + 6) % 7) + 1;

const monthText = (month: string, missing: ReadonlyMap<string, number>): string =>
  `${month}: ${[...missing]
    .filter(([name]) => name.startsWith(month))
    .map(([name, bars]) => `${bars} bars missing on ${name}`)
    .join(', ')}`;

const MINUTES: Readonly<Record<string, number>> = {
  '1m': 1,
  '5m': 5,
  '15m': 15,
  '30m': 30,
  '1h': 60,
  '4h': 240,
  '1d': 1440,
};

function FetchForm({ datasets }: { readonly datasets: readonly Dataset[] }) {
  const overview = useGet<Overview>('/overview');
  const market = overview.value?.market;
  const [form, setForm] = useState({
    exchange: '',
    symbols: '',
    timeframe: '',
    since: '',
    until: '',
    source: 'auto' as 'auto' | 'exchange' | 'yahoo',
  });
  const set = (key: keyof typeof form) => (value: string) =>
    setForm((before) => ({ ...before, [key]: value }));
  const timeframe = form.timeframe || market?.timeframe || '1h';
  const symbols = form.symbols
    .split(/[,\s]+/)
    .map((one) => one.trim())
    .filter(Boolean);
  const pairs = symbols.length > 0 ? symbols : (market?.symbols ?? []);
  const stored = datasets
    .filter((one) => one.timeframe === timeframe && pairs.includes(one.symbol))
    .reduce((sum, one) => sum + one.rows, 0);
  const span =
    (form.until === '' ? Date.now() : Date.parse(form.until) + 86_400_000) - Date.parse(form.since);
  const bars =
    Number.isFinite(span) && span > 0
      ? Math.ceil(span / 60_000 / (MINUTES[timeframe] ?? 60)) * pairs.length
      : undefined;
  const { job } = useJob(({ kind }) => kind === 'fetch');
  const request = {
    kind: 'fetch',
    source: form.source,
    ...(form.exchange !== '' && { exchange: form.exchange }),
    ...(symbols.length > 0 && { symbols }),
    ...(form.timeframe !== '' && { timeframe: form.timeframe }),
    ...(form.since !== '' && { since: form.since }),
    ...(form.until !== '' && { until: form.until }),
  };
  return (
    <Panel title="Fetch">
      <div class="fields">
        <Text
          label="Pairs"
          value={form.symbols}
          placeholder={market?.symbols.join(', ') ?? ''}
          onChange={set('symbols')}
          hint="Separated by commas"
        />
        <Text
          label="Exchange"
          value={form.exchange}
          placeholder={market?.exchange ?? ''}
          onChange={set('exchange')}
        />
        <Select label="Bars" value={timeframe} options={Object.keys(MINUTES)} onChange={set('timeframe')} />
        <Select
          label="From"
          value={form.source}
          options={['auto', 'exchange', 'yahoo']}
          onChange={set('source')}
          hint="auto: the exchange, else Yahoo"
        />
        <Text label="Since" type="date" value={form.since} onChange={set('since')} />
        <Text label="Until" type="date" value={form.until} onChange={set('until')} />
      </div>
      <p class="muted">
        {bars === undefined
          ? 'From the newest stored bar, or market.since, to now. Only what is missing is asked for.'
          : `${count(bars)} candles in that range, about ${count(Math.ceil(bars / 1000))} requests of 1,000 at most; ${count(stored)} of these pairs are stored.`}
      </p>
      <JobPanel job={job} request={request} label="Fetch" />
    </Panel>
  );
}

function VerifyPanel() {
  const { job, result } = useJob<{
    readonly ok?: boolean;
    readonly datasets?: readonly { readonly problems?: readonly string[] }[];
  }>(({ kind }) => kind === 'verify');
  return (
    <Panel title="Verify">
      <p class="muted">Every file against its hash, every bar against what a market can do.</p>
      <JobPanel job={job} request={{ kind: 'verify' }} label="Verify everything" />
      {result?.ok === true && <p class="up">All is well.</p>}
    </Panel>
  );
}
