import { useEffect, useMemo, useState } from 'preact/hooks';
import { post } from '../api.ts';
import { count, day, duration, percent, signed, tone } from '../format.ts';
import { jobs, view } from '../live.ts';
import { CurveChart } from '../parts/charts.tsx';
import { type Fold, Folds } from '../parts/folds.tsx';
import { Network } from '../parts/network.tsx';
import { isLive, JobPanel, useJob } from '../parts/jobs.tsx';
import {
  Badge,
  Check,
  Choice,
  Empty,
  Fault,
  LOADING,
  Meter,
  Page,
  Panel,
  Select,
  Synthetic,
  Table,
  Text,
} from '../parts/ui.tsx';
import { useAction, useGet } from '../parts/use.ts';
import { go, route } from '../router.ts';
import type { ExplanationPart } from '../../../src/core/forecast/explanation.ts';
import type { NetworkLayers } from '../../../src/core/forecast/layers.ts';
import type { Job, Run, Runs, TrainingCurve } from '../types.ts';

interface Model {
  readonly id: string;
  readonly kind: string;
  readonly summary: string;
  readonly source: string;
  readonly plugin?: string;
}

export default function Training() {
  const trained = jobs.value.filter(({ kind, endedAt }) => kind === 'train' && endedAt !== undefined).length;
  const runs = useGet<Runs>('/runs', trained, view.value?.training?.runId);
  const all = (runs.value?.runs ?? []).toReversed();
  const live = view.value?.training;
  const chosen = route.value[1] ?? live?.runId ?? all[0]?.runId;
  return (
    <Page
      title="Training"
      about="Models are trained on the oldest bars, compared on later ones, and never see the newest."
    >
      <Fault error={runs.error} />
      <div class="grid">
        <RunList runs={runs.value} chosen={chosen} reload={runs.reload} />
        {chosen !== undefined && (
          <Curves key={chosen} runId={chosen} run={all.find(({ runId }) => runId === chosen)} />
        )}
        <TrainForm />
        <WalkForward />
        <TuneForm />
      </div>
    </Page>
  );
}

const inTraining = (runId: string): boolean => {
  const live = view.value?.training;
  return live?.runId === runId && live.models.some(({ status }) => status === 'running');
};

function RunList({
  runs,
  chosen,
  reload,
}: {
  readonly runs: Runs | undefined;
  readonly chosen: string | undefined;
  readonly reload: () => void;
}) {
  const { busy, error, run } = useAction();
  const change = (runId: string, verb: string) => () =>
    run(() => post(`/runs/${encodeURIComponent(runId)}/${verb}`).then(reload));
  const all = (runs?.runs ?? []).toReversed();
  return (
    <Panel title="Runs" wide flush>
      <Fault error={error} />
      {all.length === 0 ? (
        <Empty>{runs === undefined ? LOADING : 'Nothing is trained yet.'}</Empty>
      ) : (
        <Table<Run>
          caption="Training runs"
          rows={all}
          keyOf={({ runId }) => runId}
          selected={chosen}
          onRow={({ runId }) => go('training', runId)}
          columns={[
            { head: 'Run', cell: ({ runId }) => runId },
            {
              head: 'State',
              cell: ({ runId, active, complete, synthetic }) => (
                <>
                  {active && <Badge kind="good">active</Badge>}{' '}
                  {!complete &&
                    (inTraining(runId) ? (
                      <Badge kind="info">training</Badge>
                    ) : (
                      <Badge kind="warn">not complete</Badge>
                    ))}{' '}
                  {synthetic && <Synthetic />}
                </>
              ),
            },
            {
              head: 'Market',
              less: true,
              cell: ({ exchange, timeframe, symbols }) => `${exchange} ${timeframe}, ${symbols.length} pairs`,
            },
            { head: 'Trained until', less: true, cell: ({ trainUntil }) => day(trainUntil) },
            {
              head: 'Models',
              number: true,
              less: true,
              cell: ({ models, noSkill }) =>
                models === undefined
                  ? ''
                  : `${models.length - Object.keys(noSkill ?? {}).filter((id) => models.includes(id)).length} of ${models.length} vote`,
            },
            {
              head: 'Hit rate',
              number: true,
              cell: ({ ensemble }) => percent(ensemble?.metrics.directionalAccuracyPct, 1),
            },
            {
              head: 'Net return',
              number: true,
              cell: ({ ensemble }) => (
                <span class={tone(ensemble?.metrics.netReturnPct)}>
                  {signed(ensemble?.metrics.netReturnPct, 1)}
                </span>
              ),
            },
            {
              head: 'Holding',
              number: true,
              less: true,
              cell: ({ baselines }) => signed(baselines?.['buy-and-hold']?.netReturnPct, 1),
            },
            {
              head: 'Actions',
              cell: ({ runId, active, complete }) => (
                <span class="row tight">
                  {complete && !active && (
                    <button
                      type="button"
                      disabled={busy}
                      onClick={(event) => (event.stopPropagation(), change(runId, 'activate')())}
                    >
                      Activate
                    </button>
                  )}
                  {!complete && !inTraining(runId) && (
                    <button
                      type="button"
                      disabled={busy}
                      onClick={(event) => (
                        event.stopPropagation(),
                        run(() => post('/jobs', { kind: 'train', mode: 'resume', run: runId }))
                      )}
                    >
                      Resume
                    </button>
                  )}
                  {!active && !inTraining(runId) && (
                    <button
                      type="button"
                      class="quiet"
                      disabled={busy}
                      onClick={(event) => (event.stopPropagation(), change(runId, 'delete')())}
                    >
                      Delete
                    </button>
                  )}
                </span>
              ),
            },
          ]}
        />
      )}
      <p class="legend muted">
        Hit rate and net return: the ensemble on the run's own validation bars, beside buy and hold there.
        Runs compare only where those bars are the same.
      </p>
      {(runs?.deletedRuns.length ?? 0) > 0 && (
        <p class="legend row">
          <span class="muted">In the trash:</span>
          {runs?.deletedRuns.map((runId) => (
            <button key={runId} type="button" disabled={busy} onClick={change(runId, 'restore')}>
              Bring {runId} back
            </button>
          ))}
        </p>
      )}
      {runs?.damagedRuns.map(({ runId, reason }) => (
        <p key={runId} class="warn-text legend">
          {runId} cannot be used. {reason}
        </p>
      ))}
    </Panel>
  );
}

function Curves({ runId, run }: { readonly runId: string; readonly run: Run | undefined }) {
  const live = view.value?.training;
  const running = live?.runId === runId && live.models.some(({ status }) => status === 'running');
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setTick((before) => before + 1), 2000);
    return () => clearInterval(timer);
  }, [running]);
  const { value, error } = useGet<{ readonly models: readonly TrainingCurve[] }>(
    `/runs/${encodeURIComponent(runId)}/training`,
    tick,
    running,
  );
  const [chosen, choose] = useState('');
  const models = value?.models ?? [];
  const drawn = models.filter(
    ({ step, loss, trialPct }) =>
      step.length > 1 && [loss, trialPct].some((column) => column.some((one) => one !== null)),
  );
  const current =
    models.find(({ model }) => model === chosen) ??
    drawn.find(({ status }) => status === 'running') ??
    drawn[0];
  const curves = useMemo(() => {
    if (current === undefined) return [];
    const agent = current.trialPct.some((one) => one !== null);
    return [
      { name: 'training loss', values: current.loss, colour: 'series-1' },
      ...(agent
        ? []
        : [
            {
              name: 'validation loss',
              values: current.validationLoss,
              colour: 'series-2',
              points: current.validationLoss.filter((one) => one !== null).length < 60,
            },
          ]),
    ];
  }, [current]);
  const trials = useMemo(
    () =>
      current?.trialPct.some((one) => one !== null) === true
        ? [
            {
              name: 'trial on the validation bars',
              values: current.trialPct,
              colour: 'series-3',
              points: true,
            },
          ]
        : undefined,
    [current],
  );
  const rewards = useMemo(
    () =>
      current?.meanReward.some((one) => one !== null) === true
        ? [{ name: 'mean reward of an episode', values: current.meanReward, colour: 'series-4' }]
        : undefined,
    [current],
  );
  const score = (curve: TrainingCurve): number | undefined => curve.metrics?.netReturnPct;
  return (
    <>
      <Panel title={`Models of ${runId}`} flush>
        {error?.status === 404 ? (
          <Empty>Its training log is gone; the figures of the run are above.</Empty>
        ) : (
          <Fault error={error} />
        )}
        <Table<TrainingCurve>
          caption="Models of the run"
          rows={models}
          keyOf={({ model }) => model}
          selected={current?.model}
          onRow={({ model }) => choose(model)}
          columns={[
            { head: 'Model', cell: ({ model }) => model },
            {
              head: 'State',
              cell: ({ status, step, steps, reason, noSkill, model }) =>
                status === 'running' && steps !== undefined ? (
                  <Meter
                    value={step.at(-1) ?? 0}
                    most={steps}
                    text={`${step.at(-1) ?? 0} of ${steps} steps`}
                  />
                ) : status === 'skipped' ? (
                  <span title={reason}>skipped</span>
                ) : (noSkill ?? run?.noSkill?.[model]) !== undefined ? (
                  <span class="muted" title={noSkill ?? run?.noSkill?.[model]}>
                    no skill
                  </span>
                ) : (
                  status
                ),
            },
            {
              head: 'Took',
              number: true,
              less: true,
              cell: ({ seconds, etaSeconds }) =>
                seconds === undefined
                  ? etaSeconds === undefined
                    ? ''
                    : `${duration(etaSeconds)} left`
                  : duration(seconds),
            },
            {
              head: 'Hit rate',
              number: true,
              cell: ({ metrics }) => percent(metrics?.directionalAccuracyPct, 1),
            },
            {
              head: 'Net return',
              number: true,
              cell: (curve) => <span class={tone(score(curve))}>{signed(score(curve), 1)}</span>,
            },
            {
              head: 'Weights',
              less: true,
              cell: ({ weightHash }) =>
                weightHash === undefined ? '' : <code title={weightHash}>{weightHash.slice(0, 8)}</code>,
            },
          ]}
        />
      </Panel>
      <Panel
        title={current === undefined ? 'Loss' : `Loss of ${current.model}`}
        actions={running && <Badge kind="info">live</Badge>}
      >
        {current === undefined || !drawn.includes(current) ? (
          <Empty>
            {value === undefined && error === undefined
              ? LOADING
              : current === undefined
                ? 'No model of this run has steps: they were fitted at once.'
                : 'It was fitted at once: there is no curve.'}
          </Empty>
        ) : (
          <>
            <CurveChart
              x={current.step}
              curves={curves}
              time={false}
              xLabel="step"
              digits={5}
              label={`Loss of ${current.model}`}
              height={trials === undefined ? 300 : 160}
            />
            {rewards !== undefined && (
              <CurveChart
                x={current.step}
                curves={rewards}
                time={false}
                xLabel="step"
                digits={4}
                label={`Rewards of ${current.model}`}
                height={140}
              />
            )}
            {trials !== undefined && (
              <CurveChart
                x={current.step}
                curves={trials}
                time={false}
                xLabel="step"
                unit=" %"
                label={`Trials of ${current.model}`}
                height={140}
              />
            )}
            <p class="legend muted">
              {count(current.step.at(-1))} steps
              {current.samplesPerSecond === undefined
                ? ''
                : `, ${count(current.samplesPerSecond)} samples a second`}
              .
            </p>
          </>
        )}
      </Panel>
      {current !== undefined && <ModelFacts key={current.model} runId={runId} model={current.model} />}
    </>
  );
}

interface Learned {
  readonly summary: string;
  readonly source: string;
  readonly network?: NetworkLayers;
  readonly checkpoint?: {
    readonly trainedAt: string;
    readonly seed: number;
    readonly weightHash: string;
    readonly dataFingerprint: string;
    readonly planSha256: string;
    readonly features: readonly string[];
    readonly params: Readonly<Record<string, unknown>>;
    readonly report?: Readonly<Record<string, unknown>>;
    readonly explanation?: readonly ExplanationPart[];
  };
}

/** Loading a checkpoint takes a process of its own: it is asked for. */
function ModelFacts({ runId, model }: { readonly runId: string; readonly model: string }) {
  const [asked, ask] = useState(false);
  const { value, error } = useGet<Learned>(
    asked ? `/models/${model}?run=${encodeURIComponent(runId)}` : undefined,
  );
  const checkpoint = value?.checkpoint;
  const facts: readonly (readonly [string, unknown])[] =
    checkpoint === undefined
      ? []
      : [
          ['trained', checkpoint.trainedAt],
          ['seed', checkpoint.seed],
          ['weights, SHA-256', checkpoint.weightHash],
          ['candles, SHA-256', checkpoint.dataFingerprint],
          ['plan, SHA-256', checkpoint.planSha256],
          ['features', checkpoint.features.join(', ') || 'none'],
          ...Object.entries(checkpoint.params).filter(([name]) => name !== 'features'),
          ...Object.entries(checkpoint.report ?? {}).filter(([, one]) => typeof one !== 'object'),
        ];
  return (
    <Panel title={`What ${model} is made of`} wide>
      {!asked && (
        <button type="button" onClick={() => ask(true)}>
          Show its network, parameters, lineage and what it learned
        </button>
      )}
      <Fault error={error} />
      {asked && value === undefined && error === undefined && <Empty>{LOADING}</Empty>}
      {value !== undefined && (
        <p class="muted">
          {value.summary}. {value.source}
        </p>
      )}
      {value !== undefined && checkpoint === undefined && <Empty>It is not in this run.</Empty>}
      {checkpoint !== undefined && value?.network !== undefined && (
        <details>
          <summary>Its network, layer by layer</summary>
          <Network of={value.network} />
        </details>
      )}
      {checkpoint?.explanation?.map((part) => (
        <Explained key={part.title} part={part} />
      ))}
      <dl class="gauges facts">
        {facts.map(([name, one]) => (
          <div key={name} class="contents">
            <dt>{name}</dt>
            <dd>
              <code>{typeof one === 'string' ? one : JSON.stringify(one)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

const MOST_INPUTS = 12;

/** What forecasts rest on, as the model says it. */
function Explained({ part }: { readonly part: ExplanationPart }) {
  const lags = useMemo(
    () => (part.kind === 'by-lag' ? part.values.map((_, i) => -i - 1).reverse() : []),
    [part],
  );
  const curve = useMemo(
    () =>
      part.kind === 'by-lag'
        ? [{ name: part.title, values: part.values.toReversed(), colour: 'accent', filled: true }]
        : [],
    [part],
  );
  if (part.kind === 'by-lag')
    return (
      <>
        <h3>{part.title}</h3>
        <CurveChart
          x={lags}
          curves={curve}
          time={false}
          xLabel="bars before the decision"
          unit={` ${part.unit}`}
          label={part.title}
          height={140}
        />
      </>
    );
  if (part.kind === 'importance') {
    const most = Math.max(...part.values.map(Math.abs));
    return (
      <Table
        caption={part.title}
        rows={part.names.slice(0, MOST_INPUTS).map((name, i) => ({ name, value: part.values[i] }))}
        keyOf={({ name }) => name}
        columns={[
          { head: part.title, cell: ({ name }) => name },
          {
            head: 'Share',
            cell: ({ name, value }) => (
              <Meter value={Math.abs(value)} most={most} text={`${name}: ${value} ${part.unit}`} />
            ),
          },
          { head: part.unit, number: true, cell: ({ value }) => value.toFixed(1) },
        ]}
      />
    );
  }
  return (
    <Table
      caption={part.title}
      rows={part.rows.map((name, i) => ({ name, values: part.values[i] }))}
      keyOf={({ name }) => name}
      columns={[
        { head: part.title, cell: ({ name }) => name },
        ...part.columns.map((column, i) => ({
          head: column,
          number: true,
          cell: ({ values }: { readonly values: readonly number[] }) => values[i].toFixed(1),
        })),
      ]}
    />
  );
}

function TrainForm() {
  const catalogue = useGet<{ readonly models: readonly Model[] }>('/models');
  const [form, setForm] = useState({
    mode: 'quick' as 'quick' | 'full',
    approach: 'ml' as 'ml' | 'quant' | 'both',
    name: '',
    seeds: '1',
    symbols: '',
    since: '',
    until: '',
    allowSynthetic: false,
  });
  const [models, setModels] = useState<readonly string[]>([]);
  const [tuned, setTuned] = useState<Readonly<Record<string, unknown>>>({});
  const { job } = useJob(({ kind }) => kind === 'train');
  const list = catalogue.value?.models ?? [];
  const kinds = [...new Set(list.map(({ kind }) => kind))];
  const symbols = form.symbols.split(/[,\s]+/).filter(Boolean);
  const request = {
    kind: 'train',
    mode: form.mode,
    approach: form.approach,
    ...(form.name !== '' && { name: form.name }),
    ...(models.length > 0 && { models }),
    ...(symbols.length > 0 && { symbols }),
    ...(form.since !== '' && { since: form.since }),
    ...(form.until !== '' && { until: form.until }),
    ...(Number(form.seeds) > 1 && { seeds: Number(form.seeds) }),
    ...(form.allowSynthetic && { allowSynthetic: true }),
    ...(Object.keys(tuned).length > 0 && { settings: tuned }),
  };
  const set =
    <K extends keyof typeof form>(key: K) =>
    (value: (typeof form)[K]) =>
      setForm((before) => ({ ...before, [key]: value }));
  return (
    <Panel title="Train" wide>
      <div class="row">
        <Choice label="Mode" value={form.mode} options={['quick', 'full']} onChange={set('mode')} />
        <Choice
          label="Approach"
          value={form.approach}
          options={[
            { value: 'ml', text: 'models that learn' },
            { value: 'quant', text: 'rules' },
            { value: 'both', text: 'both' },
          ]}
          onChange={set('approach')}
        />
      </div>
      <div class="fields">
        <Text
          label="Name of the run"
          value={form.name}
          placeholder="made of the time"
          onChange={set('name')}
        />
        <Text
          label="Seeds"
          type="number"
          min={1}
          max={100}
          value={form.seeds}
          onChange={set('seeds')}
          hint="Above 1: the spread over seeds is reported"
        />
        <Text
          label="Pairs"
          value={form.symbols}
          placeholder="those of the settings"
          onChange={set('symbols')}
        />
        <Text label="Since" type="date" value={form.since} onChange={set('since')} />
        <Text label="Until" type="date" value={form.until} onChange={set('until')} />
      </div>
      <Fault error={catalogue.error} />
      <details>
        <summary>
          Models{' '}
          <span class="muted">{models.length === 0 ? 'all of the approach' : `${models.length} chosen`}</span>
        </summary>
        {kinds.map((kind) => (
          <fieldset key={kind} class="models">
            <legend>{kind}</legend>
            {list
              .filter((one) => one.kind === kind)
              .map(({ id, summary, source }) => (
                <Check
                  key={id}
                  checked={models.includes(id)}
                  onChange={(on) => setModels(on ? [...models, id] : models.filter((one) => one !== id))}
                  label={
                    <>
                      <b>{id}</b>{' '}
                      <span class="muted" title={source}>
                        {summary}
                      </span>
                    </>
                  }
                />
              ))}
          </fieldset>
        ))}
      </details>
      {models.map((id) => (
        <Parameters key={id} id={id} mode={form.mode} tuned={tuned} change={setTuned} />
      ))}
      <Check
        label="Synthetic candles too (results say nothing about any market)"
        checked={form.allowSynthetic}
        onChange={set('allowSynthetic')}
      />
      <JobPanel job={job} request={request} label={`Train${form.mode === 'full' ? ' in full' : ''}`} />
    </Panel>
  );
}

interface ModelPage {
  readonly network?: NetworkLayers;
  readonly params: Readonly<Record<string, unknown>>;
  readonly quickParams?: Readonly<Record<string, unknown>>;
  readonly paramsSchema: {
    readonly properties: Readonly<
      Record<
        string,
        {
          readonly type?: string;
          readonly description?: string;
          readonly minimum?: number;
          readonly maximum?: number;
          readonly enum?: readonly unknown[];
        }
      >
    >;
  };
}

/** Every parameter of a model's schema; what is not touched is as the settings have it. */
function Parameters({
  id,
  mode,
  tuned,
  change,
}: {
  readonly id: string;
  readonly mode: 'quick' | 'full';
  readonly tuned: Readonly<Record<string, unknown>>;
  readonly change: (tuned: Readonly<Record<string, unknown>>) => void;
}) {
  const { value, error } = useGet<ModelPage>(`/models/${id}`);
  const properties = Object.entries(value?.paramsSchema.properties ?? {});
  return (
    <details>
      <summary>
        Parameters of {id}{' '}
        <span class="muted">
          {Object.keys(tuned).filter((path) => path.startsWith(`models.${id}.`)).length || 'none'} changed
        </span>
      </summary>
      <Fault error={error} />
      {value === undefined && error === undefined && <Empty>{LOADING}</Empty>}
      <div class="fields">
        {properties.map(([name, schema]) => {
          const path = `models.${id}.${name}`;
          const usual = (mode === 'quick' ? value?.quickParams?.[name] : undefined) ?? value?.params[name];
          const set = (text: string): void => {
            const { [path]: _, ...others } = tuned;
            const parsed =
              schema.type === 'number' || schema.type === 'integer'
                ? Number(text)
                : schema.type === 'boolean'
                  ? text === 'true'
                  : parsedOr(text);
            change(text === '' ? others : { ...others, [path]: parsed });
          };
          const shown =
            tuned[path] === undefined
              ? ''
              : typeof tuned[path] === 'string'
                ? tuned[path]
                : JSON.stringify(tuned[path]);
          const choices = schema.enum ?? (schema.type === 'boolean' ? [true, false] : undefined);
          return choices === undefined ? (
            <Text
              key={name}
              label={name}
              value={shown}
              placeholder={JSON.stringify(usual) ?? ''}
              hint={schema.description}
              {...((schema.type === 'number' || schema.type === 'integer') && {
                type: 'number' as const,
                step: schema.type === 'integer' ? 1 : 'any',
              })}
              onChange={set}
            />
          ) : (
            <Select
              key={name}
              label={name}
              value={shown}
              hint={schema.description}
              options={[{ value: '', text: `as set: ${String(usual)}` }, ...choices.map(String)]}
              onChange={set}
            />
          );
        })}
      </div>
      {value?.network !== undefined && (
        <details>
          <summary>
            Its network{' '}
            <span class="muted">as the newest run has it, or the settings where there is none</span>
          </summary>
          <Network of={value.network} />
        </details>
      )}
    </details>
  );
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The models of the form above, refitted before each of some stretches of bars: how well training generalises. */
function WalkForward() {
  const isOne = ({ kind, arguments: words }: Job): boolean =>
    kind === 'backtest' && words.includes('--walk-forward');
  const { job, result } = useJob<{ readonly folds?: readonly Fold[] }>(isOne);
  const [folds, setFolds] = useState('5');
  const [models, setModels] = useState('');
  const named = models.split(/[,\s]+/).filter(Boolean);
  return (
    <Panel title="Walk forward" wide>
      <p class="muted">
        Refits the models before every fold and trades the bars after it: the result is a backtest, kept with
        the others.
      </p>
      <div class="fields">
        <Text label="Folds" type="number" min={1} max={100} value={folds} onChange={setFolds} />
        <Text label="Models" value={models} placeholder="all of the approach" onChange={setModels} />
      </div>
      <JobPanel
        job={job}
        request={{
          kind: 'backtest',
          walkForward: true,
          folds: Number(folds),
          ...(named.length > 0 && { models: named }),
        }}
        label="Walk forward"
      />
      {result?.folds !== undefined && <Folds folds={result.folds} />}
    </Panel>
  );
}

interface Study {
  readonly found?: boolean;
  readonly reasons?: readonly string[];
  readonly best?: { readonly params?: Readonly<Record<string, unknown>> };
}

function TuneForm() {
  const [form, setForm] = useState({ model: 'boosted-trees', trials: '30', name: '' });
  const { job, result } = useJob<Study>(({ kind }) => kind === 'tune');
  const set = (key: keyof typeof form) => (value: string) =>
    setForm((before) => ({ ...before, [key]: value }));
  return (
    <Panel title="Search hyper-parameters">
      <div class="fields">
        <Text label="Model" value={form.model} onChange={set('model')} />
        <Text label="Trials" type="number" min={1} value={form.trials} onChange={set('trials')} />
        <Text label="Name of the study" value={form.name} placeholder="the model" onChange={set('name')} />
      </div>
      <p class="muted">
        On purged folds; the newest bars are looked at once, at the end, beside what luck alone would have
        found.
      </p>
      <JobPanel
        job={job}
        request={{
          kind: 'tune',
          model: form.model,
          trials: Number(form.trials),
          ...(form.name !== '' && { name: form.name }),
        }}
        label="Search"
        disabled={form.model === ''}
      />
      {result !== undefined && job !== undefined && !isLive(job) && (
        <>
          <p class={result.found === true ? 'up' : 'muted'}>
            {result.found === true
              ? 'It found something better than luck.'
              : `Not better than luck: ${(result.reasons ?? []).join('; ')}.`}
          </p>
          {result.best?.params !== undefined && (
            <p>
              <code>{JSON.stringify(result.best.params)}</code>
            </p>
          )}
        </>
      )}
    </Panel>
  );
}
