import { duration } from '../../../core/foundation/duration.ts';
import { minute, percent } from '../format.ts';
import { accent, bold, dim, gain, type Line, plain, type Span, table, warn } from '../lines.ts';
import type { Pane } from '../pane.ts';
import type { DashboardView, ModelView, RecordView, RunView, ScoreView } from '../view.ts';

const NO_RUNS = 'No training run yet: run `crypto-trader train`.';
const READING = 'Reading the runs ...';

export const runsPane: Pane = {
  id: 'runs',
  title: 'Training runs (* active)',
  least: 2,
  anchor: 'cursor',
  head: 1,
  count: ({ runs }) => runs?.length ?? 0,
  lines: ({ runs, time }, room, { cursor }) => {
    if (runs === undefined) return [[dim(READING)]];
    if (runs.length === 0) return [[dim(NO_RUNS)]];
    const head = [
      'run',
      'age',
      'models',
      'hit % (95 % CI)',
      'net %',
      'market',
      'trained until',
      'validated until',
    ];
    return table(
      head,
      runs.map((run) => runCells(run, Date.parse(time))),
      room,
      cursor,
    );
  },
};

function runCells(run: RunView, nowMs: number): readonly Span[] {
  const name = `${run.active ? '* ' : '  '}${run.runId}`;
  if (run.damaged !== undefined)
    return [bold(name), warn('damaged'), ...Array.from({ length: 5 }, () => plain('')), warn(run.damaged)];
  const { ensemble, synthetic, symbols, timeframe } = run;
  const market = `${symbols.length === 1 ? symbols[0] : `${symbols.length} symbols`} ${timeframe}`;
  return [
    run.active ? accent(name) : bold(name),
    plain(duration(Math.max(0, nowMs - Date.parse(run.createdAt)) / 1000)),
    run.complete ? plain(String(run.models.length)) : warn(`${run.models.length}, not complete`),
    plain(ensemble === undefined ? '' : hitText(ensemble)),
    ensemble === undefined ? plain('') : gain(ensemble.netReturnPct, percent(ensemble.netReturnPct)),
    synthetic ? warn(`${market} SYNTHETIC`) : plain(market),
    plain(run.trainUntil.slice(0, 10)),
    plain(run.validateUntil.slice(0, 10)),
  ];
}

/** `54.7 (50.7 .. 58.8)`. */
const hitText = ({ hitPct, hitIntervalPct }: ScoreView): string =>
  hitPct === undefined
    ? '-'
    : hitIntervalPct === undefined
      ? hitPct.toFixed(1)
      : `${hitPct.toFixed(1)} (${hitIntervalPct[0].toFixed(1)} .. ${hitIntervalPct[1].toFixed(1)})`;

export const membersPane: Pane = {
  id: 'members',
  title: ({ runs }, { cursor }) => {
    const run = runs?.[cursor];
    return run === undefined
      ? 'Models'
      : `Models of ${run.runId}: validation, weight and record in paper trading`;
  },
  least: 3,
  anchor: 'top',
  head: 1,
  lines: (view, room, { cursor }) => {
    const run = view.runs?.[cursor];
    if (run === undefined) return [[dim(view.runs === undefined ? READING : NO_RUNS)]];
    if (run.models.length === 0) return [[dim('No model of it is finished.')]];
    return membersTable(view, run, room.spoken);
  },
};

function membersTable(view: DashboardView, run: RunView, spoken: boolean): readonly Line[] {
  // What counts now, and what came true, is of the run that the session works with.
  const isSession = view.session?.runId === run.runId;
  const weights = new Map(isSession ? view.signals.map(({ model, weight }) => [model, weight]) : []);
  const record = new Map((isSession ? (view.record ?? []) : []).map((one) => [one.model, one]));
  const head = ['model', 'hit % (95 % CI)', 'IC', 'net %', 'weight', 'in paper', 'took', 'weight hash'];
  return table(
    head,
    run.models.map((model) => memberCells(model, weights.get(model.model), record.get(model.model))),
    { spoken },
  );
}

function memberCells(
  model: ModelView,
  weight: number | undefined,
  record: RecordView | undefined,
): readonly Span[] {
  return [
    model.noSkill === undefined ? bold(model.model) : warn(`${model.model} (no skill)`),
    plain(hitText(model)),
    plain(model.informationCoefficient?.toFixed(3) ?? '-'),
    gain(model.netReturnPct, percent(model.netReturnPct)),
    plain(weight === undefined ? '-' : `${(100 * weight).toFixed(0)} %`),
    inPaper(model, record),
    plain(duration(model.seconds)),
    dim(model.weightHash.slice(0, 8)),
  ];
}

/**
 * Its hit rate in the session; LOW where even the upper end of its 95 % interval lies below that of validation. Opinions over
 * several bars overlap, so only one per horizon counts.
 */
function inPaper({ hitIntervalPct }: ModelView, record: RecordView | undefined): Span {
  if (record === undefined) return dim('-');
  const { hits, judged, horizonBars } = record;
  const hitPct = (100 * hits) / judged;
  const text = `${hitPct.toFixed(1)} of ${judged}`;
  const isLow = hitIntervalPct !== undefined && hitPct + spread(judged / horizonBars) < hitIntervalPct[0];
  return isLow ? warn(`${text} LOW`) : plain(text);
}

/** An interval that holds everything says nothing. */
function spreadText(throws: number): string {
  const half = spread(throws);
  return half < 50 ? `± ${half.toFixed(1)} %` : '%, too few';
}

/** Half the 95 % interval of the hit rate of a coin, in percent. */
const spread = (throws: number): number => 196 * Math.sqrt(0.25 / throws);

/** The run that is validated: the active one, else the newest that is complete. */
const validated = ({ runs }: DashboardView): RunView | undefined =>
  runs?.find(({ active }) => active) ?? runs?.find(({ complete }) => complete);

export const validationPane: Pane = {
  id: 'validation',
  title: (view) => {
    const run = validated(view);
    return run === undefined ? 'Validation' : `Validation of ${run.runId}`;
  },
  least: 3,
  anchor: 'top',
  lines: (view, room) => {
    const run = validated(view);
    if (run === undefined) return [[dim(view.runs === undefined ? READING : NO_RUNS)]];
    const about = `trained until ${minute(run.trainUntil)}, validated until ${minute(run.validateUntil)}, seed ${run.seed}, ${run.mode}`;
    const rows = [
      ...run.models.map((model) => validationCells(model.model, model, model.noSkill, room.spoken)),
      ...(run.ensemble === undefined
        ? []
        : [validationCells('ensemble', run.ensemble, undefined, room.spoken)]),
    ];
    const head = ['model', 'samples', 'hit % (95 % CI)', '40 %   50 %   60 %', 'IC', 'net %', 'vote'];
    return [[dim(about)], ...table(head, rows, room)];
  },
};

function validationCells(
  name: string,
  score: ScoreView,
  noSkill: string | undefined,
  spoken: boolean,
): readonly Span[] {
  return [
    name === 'ensemble' ? bold(name) : plain(name),
    plain(String(score.samples)),
    plain(hitText(score)),
    plain(spoken ? '' : intervalPicture(score)),
    plain(score.informationCoefficient?.toFixed(3) ?? '-'),
    gain(score.netReturnPct, percent(score.netReturnPct)),
    noSkill === undefined ? plain('') : warn('no skill'),
  ];
}

const PICTURE = { from: 38, to: 62, cells: 17 };

/** The interval between 38 and 62 %, its middle, and the coin at 50 %. */
export function intervalPicture({ hitPct, hitIntervalPct }: ScoreView): string {
  const { from, to, cells } = PICTURE;
  const cell = (value: number): number =>
    Math.min(cells - 1, Math.max(0, Math.round(((value - from) / (to - from)) * (cells - 1))));
  const picture = Array.from({ length: cells }, () => ' ');
  picture[cell(50)] = '┊';
  if (hitIntervalPct !== undefined)
    for (let at = cell(hitIntervalPct[0]); at <= cell(hitIntervalPct[1]); at++)
      picture[at] = picture[at] === '┊' ? '┼' : '─';
  if (hitPct !== undefined) picture[cell(hitPct)] = '●';
  return picture.join('');
}

export const reliabilityPane: Pane = {
  id: 'reliability',
  title: 'Reliability in paper: how often what was said came true',
  least: 2,
  anchor: 'top',
  head: 1,
  lines: ({ record, session }, room) => {
    if (session === undefined) return [[dim('No paper session yet: what models say there is judged here.')]];
    if (record === undefined || record.length === 0)
      return [[dim('No opinion of the session can be judged yet.')]];
    const rows = record.flatMap(({ model, horizonBars, byConfidence }) =>
      byConfidence.map(({ fromPct, toPct, hits, judged }) => [
        plain(model),
        plain(`${horizonBars} ${horizonBars === 1 ? 'bar' : 'bars'}`),
        plain(`${fromPct} .. ${toPct} %`),
        plain(String(judged)),
        plain(`${((100 * hits) / judged).toFixed(1)} ${spreadText(judged / horizonBars)}`),
      ]),
    );
    // Opinions over several bars overlap: the interval counts one per horizon.
    return table(['model', 'over', 'confidence', 'opinions', 'came true (95 %)'], rows, room);
  },
};
