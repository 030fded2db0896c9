import { duration } from '../../../core/foundation/duration.ts';
import { minute } from '../format.ts';
import { accent, bold, dim, plain, type Span, table, warn } from '../lines.ts';
import type { Pane } from '../pane.ts';
import type { StudyView, TrialView } from '../view.ts';

const NO_STUDY = 'No study yet: run `crypto-trader tune --model boosted-trees`.';

export const studiesPane: Pane = {
  id: 'studies',
  title: ({ studies }) => {
    const running = studies?.filter((one) => one.running.length > 0).length ?? 0;
    return `Studies${running === 0 ? '' : `: ${running} running`}`;
  },
  least: 3,
  anchor: 'cursor',
  head: 1,
  count: ({ studies }) => studies?.length ?? 0,
  lines: ({ studies }, room, { cursor, view }) => {
    if (studies === undefined) return [[dim('Reading the studies ...')]];
    if (studies.length === 0) return [[dim(NO_STUDY)]];
    return table(HEAD, studies.map(cells), room, view === 'studies' ? cursor : undefined);
  },
};

const HEAD = ['study', 'best', 'done/pruned/failed', 'now'];

const figure = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(3));

function cells(study: StudyView): readonly Span[] {
  const { name, running, objective, best, complete, pruned, failed } = study;
  if (study.damaged !== undefined)
    return [bold(name), plain(''), plain(''), warn(`DAMAGED: ${study.damaged}`)];
  return [
    bold(name),
    plain(`${objective} ${figure(best)}`),
    plain(`${complete}/${pruned}/${failed}`),
    running.length === 0 ? dim('no trial runs') : accent(running.map(runningText).join('; ')),
  ];
}

const runningText = ({ number, step, steps, etaSeconds }: StudyView['running'][number]): string =>
  `trial ${number}: fold ${step}/${steps}${etaSeconds === undefined ? '' : `, ${duration(etaSeconds)} left`}`;

const STATE_COLOUR: Readonly<Record<string, Span['colour']>> = {
  complete: 'good',
  failed: 'bad',
  running: 'accent',
};

/** Of the chosen study, the newest first. */
export const trialsPane: Pane = {
  id: 'trials',
  title: ({ studies }, { cursor, view }) => {
    const study = view === 'studies' ? studies?.[cursor] : undefined;
    if (study === undefined) return 'Trials';
    const { name, model, sampler, secondsPerTrial } = study;
    const each = secondsPerTrial === undefined ? '' : `, ${duration(secondsPerTrial)} each`;
    return `Trials of ${name}: ${model}, ${sampler}${each}`;
  },
  least: 4,
  anchor: 'top',
  head: 1,
  lines: ({ studies }, room, { cursor }) => {
    const study = studies?.[cursor];
    if (study === undefined) return [[dim(NO_STUDY)]];
    if (study.trials.length === 0) return [[dim('No trial yet.')]];
    return table(
      ['trial', 'state', study.objective, 'took', 'parameters'],
      study.trials.map(trialCells),
      room,
    );
  },
};

function trialCells({ number, state, value, seconds, params, reason }: TrialView): readonly Span[] {
  const colour = STATE_COLOUR[state];
  const chosen = Object.entries(params).map(
    ([name, one]) => `${name} ${typeof one === 'number' ? Number(one.toPrecision(3)) : String(one)}`,
  );
  return [
    bold(String(number)),
    { text: state, ...(colour && { colour }) },
    plain(figure(value)),
    plain(seconds === undefined ? '' : duration(seconds)),
    plain(reason ?? chosen.join(', ')),
  ];
}

/** Who measures trials of the chosen study, here and on other machines. */
export const workersPane: Pane = {
  id: 'workers',
  title: 'Workers',
  least: 2,
  anchor: 'top',
  head: 1,
  lines: ({ studies }, room, { cursor }) => {
    const study = studies?.[cursor];
    if (study === undefined || study.workers.length === 0) return [[dim('No worker has taken a trial yet.')]];
    return table(
      ['worker', 'trials', 'now', 'seen last'],
      study.workers.map(({ worker, ended, trial, lastSeen }) => [
        bold(worker),
        plain(String(ended)),
        trial === undefined ? dim('waits') : accent(`trial ${trial}`),
        plain(minute(lastSeen)),
      ]),
      room,
    );
  },
};
