import { useMemo, useState } from 'preact/hooks';
import { count, fixed, percent, signed, time, tone } from '../format.ts';
import { jobs } from '../live.ts';
import {
  Badge,
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
} from '../parts/ui.tsx';
import { CurveChart } from '../parts/charts.tsx';
import { JobPanel, useJob } from '../parts/jobs.tsx';
import { useGet } from '../parts/use.ts';

interface Given {
  readonly givenAt: string;
  readonly time: string;
  readonly runId: string;
  readonly symbol: string;
  readonly model: string;
  readonly action: 'buy' | 'sell' | 'hold';
  readonly position?: number;
  readonly confidence?: number;
  readonly lean?: number;
  readonly horizonBars: number;
  readonly late: boolean;
  readonly synthetic: boolean;
  readonly realisedPct?: number;
  readonly hit?: boolean;
}
interface ModelRecord {
  readonly model: string;
  readonly symbol: string;
  readonly given: number;
  readonly late: number;
  readonly judged: number;
  readonly hits: number;
  readonly meanConfidence?: number;
  readonly meanReturnBps?: number;
}
interface Predictions {
  readonly count: number;
  readonly signals: readonly Given[];
  readonly records: readonly ModelRecord[];
}

export default function PredictionsPage() {
  const asked = jobs.value.filter(({ kind, state }) => kind === 'signals' && state === 'done').length;
  const { value, error } = useGet<Predictions>('/predictions?last=20000', asked);
  const { job } = useJob(({ kind }) => kind === 'signals');
  const [model, setModel] = useState('all');
  const all = value?.signals ?? [];
  const models = [...new Set(all.map((one) => one.model))].sort();
  const shown = useMemo(
    () => all.filter((one) => model === 'all' || one.model === model).toReversed(),
    [value, model],
  );
  const judged = useMemo(() => shown.filter(({ hit }) => hit !== undefined), [shown]);
  const hits = judged.filter(({ hit }) => hit === true).length;
  const late = shown.filter((one) => one.late).length;
  return (
    <Page
      title="Predictions"
      about="Every signal that was given, beside what has happened since."
      actions={all.some(({ synthetic }) => synthetic) && <Synthetic />}
    >
      <Fault error={error} />
      <Panel title="Ask now">
        <JobPanel job={job} request={{ kind: 'signals' }} label="Ask every model on the newest bar" />
        <p class="muted">What they say is put on record; nothing is traded.</p>
      </Panel>
      {all.length === 0 ? (
        <Empty>{value === undefined ? LOADING : 'No signal is on record.'}</Empty>
      ) : (
        <>
          <div class="row">
            <Select label="Model" value={model} options={['all', ...models]} onChange={setModel} />
          </div>
          <Stats>
            <Stat
              label="Given"
              value={count(shown.length)}
              note={late === 0 ? 'all in time' : `${count(late)} late`}
            />
            <Stat label="Judged" value={count(judged.length)} note="their horizon is over" />
            <Stat
              label="Hits"
              value={judged.length === 0 ? '–' : percent((100 * hits) / judged.length, 1)}
              note={judged.length === 0 ? 'nothing to count' : `95 %: ${interval(hits, judged.length)}`}
            />
          </Stats>
          <div class="grid">
            <Panel title="Record by model and pair" flush>
              <Table
                caption="Record by model and pair"
                rows={(value?.records ?? []).filter((one) => model === 'all' || one.model === model)}
                keyOf={(one) => `${one.model} ${one.symbol}`}
                columns={[
                  { head: 'Model', cell: (one) => one.model },
                  { head: 'Pair', cell: (one) => one.symbol },
                  { head: 'Given', number: true, cell: (one) => count(one.given) },
                  { head: 'Judged', number: true, cell: (one) => count(one.judged) },
                  {
                    head: 'Hits',
                    number: true,
                    cell: (one) => (one.judged === 0 ? '–' : percent((100 * one.hits) / one.judged, 0)),
                  },
                  { head: 'Confidence', number: true, less: true, cell: (one) => fixed(one.meanConfidence) },
                  {
                    head: 'Return',
                    number: true,
                    cell: (one) => (
                      <span class={tone(one.meanReturnBps)}>{signed(one.meanReturnBps, 1, ' bp')}</span>
                    ),
                  },
                ]}
              />
            </Panel>
            <Calibration judged={judged} />
            <Panel title="History" wide flush>
              <LongTable
                caption="Signals on record, newest first"
                rows={shown}
                columns={[
                  { head: 'Bar ended', width: '9.5em', cell: (one) => time(one.time) },
                  { head: 'Pair', width: 'minmax(6em, 1fr)', cell: (one) => one.symbol },
                  { head: 'Model', width: 'minmax(8em, 1.4fr)', cell: (one) => one.model },
                  {
                    head: 'Direction',
                    width: '5em',
                    cell: (one) =>
                      one.lean === undefined ? (
                        ''
                      ) : (
                        <span class={tone(one.lean)}>
                          {one.lean > 0 ? 'up' : one.lean < 0 ? 'down' : 'flat'}
                        </span>
                      ),
                  },
                  { head: 'Confidence', width: '6.5em', number: true, cell: (one) => fixed(one.confidence) },
                  {
                    head: 'Realised',
                    width: '6em',
                    number: true,
                    cell: (one) => <span class={tone(one.realisedPct)}>{signed(one.realisedPct)}</span>,
                  },
                  {
                    head: 'Hit',
                    width: '4.5em',
                    cell: (one) =>
                      one.hit === undefined ? (
                        <span class="muted">open</span>
                      ) : one.hit ? (
                        <Badge kind="good">yes</Badge>
                      ) : (
                        <Badge kind="bad">no</Badge>
                      ),
                  },
                ]}
              />
            </Panel>
          </div>
        </>
      )}
    </Page>
  );
}

/** Wilson 1927: the interval of a share, sound for few trials too. */
function interval(hits: number, of: number): string {
  const z = 1.96;
  const share = hits / of;
  const centre = share + (z * z) / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const [low, high] = [centre - half, centre + half].map((one) => (100 * one) / (1 + (z * z) / of));
  return `${low.toFixed(0)} – ${high.toFixed(0)} %`;
}

/** How often those who were so sure were right. */
function Calibration({ judged }: { readonly judged: readonly Given[] }) {
  const bins = useMemo(
    () =>
      Array.from({ length: BINS }, (_, i) => {
        const inside = judged.filter(
          ({ confidence }) =>
            confidence !== undefined && Math.min(BINS - 1, Math.floor(confidence * BINS)) === i,
        );
        const sure =
          inside.reduce((sum, { confidence = 0 }) => sum + confidence, 0) / Math.max(1, inside.length);
        return {
          from: i / BINS,
          until: (i + 1) / BINS,
          sure: 100 * sure,
          inside,
          hits: inside.filter(({ hit }) => hit === true).length,
        };
      }).filter(({ inside }) => inside.length > 0),
    [judged],
  );
  const curves = useMemo(
    () => [
      {
        name: 'hit rate',
        values: bins.map(({ inside, hits }) => (100 * hits) / inside.length),
        points: true,
        colour: 'accent',
      },
      {
        name: 'perfectly calibrated',
        values: bins.map(({ sure }) => sure),
        dashed: true,
        colour: 'muted',
      },
    ],
    [bins],
  );
  return (
    <Panel title="Calibration">
      {bins.length > 1 && (
        <CurveChart
          x={bins.map(({ sure }) => sure)}
          curves={curves}
          time={false}
          unit=" %"
          digits={0}
          xLabel="stated confidence, %"
          label="Hit rate by stated confidence"
          height={200}
        />
      )}
      {bins.length === 0 ? (
        <Empty>
          {judged.length === 0 ? 'No horizon is over yet.' : 'None of these models states a confidence.'}
        </Empty>
      ) : (
        <Table
          caption="Hit rate by stated confidence"
          rows={bins}
          keyOf={({ from }) => String(from)}
          columns={[
            { head: 'Confidence', cell: ({ from, until }) => `${from.toFixed(1)} – ${until.toFixed(1)}` },
            { head: 'Judged', number: true, cell: ({ inside }) => count(inside.length) },
            {
              head: 'Hit',
              number: true,
              cell: ({ inside, hits }) => percent((100 * hits) / inside.length, 0),
            },
            { head: '95 %', number: true, cell: ({ inside, hits }) => interval(hits, inside.length) },
          ]}
        />
      )}
    </Panel>
  );
}
const BINS = 10;
