import { fromLoss, OBJECTIVES, type ObjectiveName } from '../../lab/tuning/objective.ts';
import { paretoFront } from '../../lab/tuning/pareto.ts';
import type { KeptTrial, StudySettings } from '../../lab/tuning/study-journal.ts';
import { escapeHtml, renderPage, renderTable, type Section } from './page.ts';
import {
  axesOf,
  contourPlot,
  distributionPlot,
  frontPlot,
  historyPlot,
  type Measured,
  parallelPlot,
  slicePlot,
  stepsPlot,
  timelinePlot,
  UNDEFINED,
} from './study-plots.ts';
import { digits } from './text.ts';

export interface StudyReport {
  readonly settings: StudySettings;
  readonly trials: readonly KeptTrial[];
  /** Shares by parameter, largest first. */
  readonly importance: Readonly<Record<string, number>>;
  /** Trials whose parameters do not follow from the journal. */
  readonly notReproduced: readonly number[];
}

/** Parameters that get an axis of their own in pictures, at most. */
const MOST_AXES = 8;

/** A study as one HTML file that works offline: what was tried, what it came to, what mattered. */
export function renderStudyReport({ settings, trials, importance, notReproduced }: StudyReport): string {
  const names = settings.objectives as ObjectiveName[];
  const [first] = names;
  const objective = { name: first, better: OBJECTIVES[first].better };
  const all = trials.flatMap((trial): Measured[] =>
    trial.state === 'complete' && Math.abs(trial.values[0]) < UNDEFINED
      ? [{ trial, value: fromLoss(first, trial.values[0]) }]
      : [],
  );
  const count = (state: KeptTrial['state']): number => trials.filter((trial) => trial.state === state).length;
  const header = `<h1>Study ${escapeHtml(settings.name)}</h1>
<p class="faint">${trials.length} trials: ${count('complete')} complete, ${count('pruned')} pruned, ${count('failed')} failed, ${count('running')} running. ${escapeHtml(settings.sampler)}, ${escapeHtml(settings.pruner)}, seed ${settings.seed}. ${escapeHtml(names.map((name) => OBJECTIVES[name].text).join('; '))}, mean over ${settings.steps} folds; ${objective.better} is better.</p>
<p class="faint">These are results of a search: the best of many is partly luck. What it is worth on other bars, the search itself says when it ends.</p>
${notReproduced.length === 0 ? '' : `<p class="warning">Trials ${notReproduced.join(', ')} do not follow from the journal: it was changed, or another version of the program made them.</p>`}`;
  const axes = axesOf(settings.space)
    .filter((name) => all.some(({ trial }) => name in trial.params))
    .toSorted((a, b) => (importance[b] ?? 0) - (importance[a] ?? 0))
    .slice(0, MOST_AXES);
  const sections = all.length === 0 ? [] : pictures({ settings, trials, all, axes, objective });
  return renderPage({
    title: `Study ${settings.name}`,
    header,
    sections: [
      ...sections.slice(0, 1),
      { id: 'importance', title: 'What mattered', body: importanceTable(importance) },
      ...sections.slice(1),
      { id: 'trials', title: 'Trials', body: trialsTable(settings, trials, names) },
    ],
    data: {},
    script: '',
  });
}

function pictures({
  settings,
  trials,
  all,
  axes,
  objective,
}: Pick<StudyReport, 'settings' | 'trials'> & {
  readonly all: readonly Measured[];
  readonly axes: readonly string[];
  readonly objective: Parameters<typeof historyPlot>[1];
}): readonly Section[] {
  const { space } = settings;
  const names = settings.objectives as ObjectiveName[];
  const section = (id: string, title: string, note: string, body: string): Section => ({
    id,
    title,
    body: `<p>${note}</p>\n${body}`,
  });
  const figures = ({ values }: KeptTrial): readonly number[] =>
    values.map((loss, i) => fromLoss(names[i], loss));
  const complete = all.map(({ trial }) => trial).filter(({ violation }) => violation === 0);
  return [
    section('history', 'History', 'Each complete trial, and the best so far.', historyPlot(all, objective)),
    ...(names.length > 1 && complete.length > 0
      ? [
          section(
            'front',
            'Pareto front',
            'Trials that no other beats in every objective.',
            frontPlot(complete, paretoFront(trials) as readonly KeptTrial[], figures, names),
          ),
        ]
      : []),
    ...(axes.length > 0
      ? [
          section(
            'parallel',
            'Parallel coordinates',
            'A line for each trial through its parameters, the most important first; the best tenth in another colour.',
            parallelPlot(all, space, axes, objective),
          ),
          section(
            'slices',
            'Slices',
            'Each parameter alone. Those that were searched by their logarithm have an axis of that kind.',
            `<div class="plots">${axes.map((axis) => `<div>${slicePlot(all, space, axis, objective)}</div>`).join('')}</div>`,
          ),
        ]
      : []),
    ...(axes.length > 1
      ? [
          section(
            'contour',
            'Contour',
            'The two most important parameters together; darker is better, between trials by those near.',
            contourPlot(all, space, [axes[0], axes[1]], objective),
          ),
        ]
      : []),
    section(
      'distribution',
      'Distribution',
      'The share of trials at or below each value.',
      distributionPlot(all, objective),
    ),
    section(
      'steps',
      'Intermediate values',
      'The mean after each fold; grey: stopped, or still running.',
      stepsPlot(trials, (loss) => fromLoss(names[0], loss), names[0]),
    ),
    section(
      'timeline',
      'Timeline',
      'When each trial was worked on; in another colour those that were stopped or failed.',
      timelinePlot(trials),
    ),
  ];
}

function importanceTable(importance: StudyReport['importance']): string {
  const rows = Object.entries(importance).map(([name, share]) => [name, digits(100 * share, 3)]);
  if (rows.length === 0) return '<p class="faint">Fewer than two complete trials: nothing can be said.</p>';
  return `<p>How much the best tenth of the trials differs from all of them, in percent of the sum (PED-ANOVA, Watanabe, Bansal and Hutter 2023).</p>
${renderTable(['parameter', 'share %'], rows, { name: 'importance' })}`;
}

function trialsTable(
  { space }: StudySettings,
  trials: readonly KeptTrial[],
  names: readonly ObjectiveName[],
): string {
  const parameters = Object.keys(space);
  const rows = trials.map((trial) => [
    String(trial.number),
    trial.state,
    ...names.map((name, i) =>
      trial.values[i] === undefined || Math.abs(trial.values[i]) >= UNDEFINED
        ? '-'
        : digits(fromLoss(name, trial.values[i]), 5),
    ),
    ...parameters.map((parameter) => {
      const value = trial.params[parameter];
      return value === undefined ? '' : typeof value === 'number' ? digits(value, 5) : String(value);
    }),
  ]);
  return renderTable(['trial', 'state', ...names, ...parameters], rows, {
    name: 'trials',
    textColumns: [0, 1],
    tall: true,
  });
}
