import { duration } from '../../../core/foundation/duration.ts';
import { bar, percent } from '../format.ts';
import { accent, bold, dim, type Line, plain, type Room, type Span, table, warn } from '../lines.ts';
import type { Pane } from '../pane.ts';
import { sparkline } from '../sparkline.ts';
import type { ModelTraining, TrainingView } from '../view.ts';

const NO_TRAINING = 'No training run yet: run `crypto-trader train`.';

/** Running ones first, then those that wait, then those that have ended. */
function ordered({ models }: TrainingView): readonly ModelTraining[] {
  const rank = { running: 0, waiting: 1, stopped: 2, skipped: 3, finished: 4 } as const;
  return models.toSorted((a, b) => rank[a.status] - rank[b.status]);
}

export const trainingPane: Pane = {
  id: 'training',
  title: ({ training }) => `Training${training === undefined ? '' : `: ${summary(training)}`}`,
  least: 1,
  anchor: 'cursor',
  head: 0,
  count: ({ training }) => training?.models.length ?? 0,
  lines: ({ training }, room, { cursor, view }) => {
    if (training === undefined) return [[dim(NO_TRAINING)]];
    const rows = ordered(training).map((model) => trainingCells(model, room));
    return table(HEAD, rows, room, view === 'training' ? cursor : undefined).slice(room.spoken ? 0 : 1);
  },
};

/** For a view of everything: the models that are being trained, or in one line that there are none. */
export const runningPane: Pane = {
  id: 'running',
  title: trainingPane.title,
  least: 1,
  anchor: 'top',
  lines: ({ training }, room) => {
    if (training === undefined) return [[dim(NO_TRAINING)]];
    const running = training.models.filter(({ status }) => status === 'running');
    if (running.length === 0) return [[dim('Nothing is being trained now.')]];
    return table(
      HEAD,
      running.map((model) => trainingCells(model, room)),
      room,
    ).slice(room.spoken ? 0 : 1);
  },
};

const HEAD = ['model', 'done', 'state', 'loss', 'validation', 'rate'];

/** `3 of 12 models done, 4 min left`. */
function summary({ runId, etaSeconds, models }: TrainingView): string {
  const done = models.filter(({ status }) => status === 'finished' || status === 'skipped').length;
  const left = etaSeconds === undefined ? '' : `, ${duration(etaSeconds)} left`;
  return `${runId}, ${done} of ${models.length} models done${left}`;
}

function trainingCells(model: ModelTraining, { spoken }: Room): readonly Span[] {
  const figure = (name: string, value: number | undefined): Span =>
    plain(value === undefined ? '' : spoken ? value.toPrecision(4) : `${name} ${value.toPrecision(4)}`);
  const { step, steps = 0, samplesPerSecond, trialPct, bestTrialPct } = model;
  const done = model.status === 'finished' ? 1 : steps > 0 && step !== undefined ? step / steps : 0;
  return [
    bold(model.model),
    plain(spoken ? `${Math.round(100 * done)} %` : bar(done, 12)),
    state(model),
    figure('loss', model.loss),
    trialPct === undefined
      ? figure('val', model.validationLoss)
      : plain(
          `trial ${percent(trialPct)}${bestTrialPct === undefined ? '' : `, best ${percent(bestTrialPct)}`}`,
        ),
    plain(samplesPerSecond === undefined ? '' : rate(samplesPerSecond)),
  ];
}

/** `819 k/s`: samples. */
const rate = (perSecond: number): string =>
  perSecond < 10_000 ? `${Math.round(perSecond)}/s` : `${Math.round(perSecond / 1000)} k/s`;

function state({
  status,
  step,
  steps,
  seconds,
  etaSeconds,
  projectedSeconds,
  reason,
  noSkill,
}: ModelTraining): Span {
  switch (status) {
    case 'waiting':
      return dim(
        projectedSeconds === undefined ? 'waiting' : `waiting, ${duration(projectedSeconds)} projected`,
      );
    case 'running': {
      const left = etaSeconds === undefined ? '' : `, ${duration(etaSeconds)} left`;
      return accent(steps === undefined ? 'running' : `${step}/${steps}${left}`);
    }
    case 'finished':
      return {
        text: `${seconds === undefined ? 'done' : `done in ${duration(seconds)}`}${noSkill === undefined ? '' : ', no skill'}`,
        colour: noSkill === undefined ? 'good' : 'warn',
      };
    case 'skipped':
      return warn(reason === undefined ? 'skipped' : `skipped: ${reason}`);
    case 'stopped':
      return warn('stopped');
  }
}

/** The curves of the chosen model, or of the one that runs. */
export const curvesPane: Pane = {
  id: 'curves',
  title: ({ training }, { cursor }) => {
    const model = training && ordered(training)[cursor];
    return model === undefined ? 'Curves' : `Curves of ${model.model}`;
  },
  least: 4,
  anchor: 'top',
  lines: ({ training }, room, { cursor }) => {
    const model = training && ordered(training)[cursor];
    if (model === undefined) return [[dim(NO_TRAINING)]];
    const about: Line = [
      plain(
        [model.phase, model.epoch === undefined ? undefined : `epoch ${model.epoch}`]
          .filter(Boolean)
          .join(', '),
      ),
      ...(model.hitPct === undefined ? [] : [plain(`  hit rate on validation ${model.hitPct.toFixed(1)} %`)]),
      ...(model.noSkill === undefined ? [] : [warn(`  no skill: ${model.noSkill}`)]),
    ];
    const rows = Math.max(1, Math.floor((room.rows - 3) / 2));
    return [
      about,
      ...curve('loss', model.lossCurve ?? [], rows, room),
      ...curve('validation', model.validationCurve ?? [], rows, room),
    ];
  },
};

function curve(name: string, values: readonly number[], rows: number, room: Room): readonly Line[] {
  if (values.length === 0) return [[dim(`${name}: nothing measured yet`)]];
  const [first, last] = [values[0], values[values.length - 1]].map((value) => value.toPrecision(4));
  const least = Math.min(...values).toPrecision(4);
  const text = `${name} from ${first} to ${last}, least ${least}`;
  if (room.spoken) return [[plain(text)]];
  return [
    [dim(text)],
    ...sparkline(values, room.width, Math.min(8, rows)).map((line): Line => [accent(line)]),
  ];
}
