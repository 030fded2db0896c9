import { isSingle, type Space, unitOf } from '../../lab/tuning/space.ts';
import type { KeptTrial } from '../../lab/tuning/study-journal.ts';
import { escapeHtml } from './page.ts';
import { dotsPath, linePath, range, renderPlot } from './plot.ts';
import { digits } from './text.ts';

/** A trial that was measured to its end, with the value of one objective in the sense of its name. */
export interface Measured {
  readonly trial: KeptTrial;
  readonly value: number;
}

export interface Objective {
  readonly name: string;
  readonly better: 'more' | 'less';
}

/** Every value by the trial's number, and the best so far. */
export function historyPlot(all: readonly Measured[], { name, better }: Objective): string {
  let best = all[0].value;
  const stairs = all.flatMap(({ trial, value }): (readonly [number, number])[] => {
    const before = best;
    best = better === 'more' ? Math.max(best, value) : Math.min(best, value);
    return [
      [trial.number, before],
      [trial.number, best],
    ];
  });
  const [low, high] = range(all.map(({ value }) => value));
  const last = all[all.length - 1].trial.number;
  return renderPlot({
    about: `${name} of ${all.length} trials; the best is ${digits(best, 4)}.`,
    x: { label: 'trial', low: -0.5, high: last + 0.5 },
    y: { label: name, low, high },
    draw: (scales) =>
      `<path class="dots" d="${dotsPath(
        all.map(({ trial, value }) => [trial.number, value]),
        scales,
      )}"/><path class="down" d="${linePath(stairs, scales)}"/>`,
  });
}

/** The share of trials at or below each value. */
export function distributionPlot(all: readonly Measured[], { name }: Objective): string {
  const sorted = all.map(({ value }) => value).toSorted((a, b) => a - b);
  const [low, high] = range(sorted);
  const points = sorted.flatMap((value, i): (readonly [number, number])[] => [
    [value, i / sorted.length],
    [value, (i + 1) / sorted.length],
  ]);
  return renderPlot({
    about: `Distribution of ${name}: half of the trials lie below ${digits(sorted[Math.floor(sorted.length / 2)], 4)}.`,
    x: { label: name, low, high },
    y: { label: 'share of trials', low: 0, high: 1 },
    draw: (scales) => `<path d="${linePath(points, scales)}"/>`,
  });
}

/** What every trial had reached after each step, pruned ones too. */
export function stepsPlot(
  trials: readonly KeptTrial[],
  toFigure: (loss: number) => number,
  name: string,
): string {
  const lines = trials
    .filter(({ intermediate }) => intermediate.length > 0)
    .map(({ state, intermediate }) => {
      let sum = 0;
      const points = intermediate.map(([step, loss], i): readonly [number, number] => {
        sum += loss;
        return [step + 1, Math.abs(sum) >= UNDEFINED ? NaN : toFigure(sum / (i + 1))];
      });
      return { state, points };
    });
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = range(values);
  const steps = lines.reduce((most, { points }) => Math.max(most, points.length), 1);
  const of = (state: (one: KeptTrial['state']) => boolean, draw: (points: Points) => string): string =>
    lines.flatMap((line) => (state(line.state) ? [draw(line.points)] : [])).join('');
  return renderPlot({
    about: `${name}, mean over the folds so far, of ${lines.length} trials.`,
    x: { label: 'folds', low: 0.8, high: steps + 0.2 },
    y: { label: `${name}, mean so far`, low, high },
    draw: (scales) => {
      const line = (points: Points): string => linePath(points, scales);
      const end = (points: Points): string =>
        dotsPath(
          points.slice(-1).filter(([, v]) => Number.isFinite(v)),
          scales,
        );
      return `<path class="other" opacity=".5" d="${of((state) => state !== 'complete', line)}"/><path opacity=".6" d="${of((state) => state === 'complete', line)}"/><path class="dots" d="${of(() => true, end)}"/>`;
    },
  });
}
type Points = readonly (readonly [number, number])[];

/** A loss that stands for "not defined", over any number of folds. */
export const UNDEFINED = 1e8;

/** Each parameter against the value, choices side by side. */
export function slicePlot(
  all: readonly Measured[],
  space: Space,
  parameter: string,
  objective: Objective,
): string {
  const dimension = space[parameter];
  const here = all.filter(({ trial }) => parameter in trial.params);
  const [low, high] = range(here.map(({ value }) => value));
  return renderPlot({
    about: `${objective.name} against ${parameter}, ${here.length} trials.`,
    x: { label: shown(parameter), low: -0.04, high: 1.04, format: (unit) => atAxis(dimension, unit) },
    y: { label: objective.name, low, high },
    draw: (scales) =>
      `<path class="dots" d="${dotsPath(
        here.map(({ trial, value }) => [unitOf(dimension, trial.params[parameter]), value]),
        scales,
      )}"/>`,
  });
}

const CELLS = 14;

/** Two parameters against the value: cells by the trials near them (inverse squared distance), trials as dots. */
export function contourPlot(
  all: readonly Measured[],
  space: Space,
  [across, up]: readonly [string, string],
  { name, better }: Objective,
): string {
  const points = all.flatMap(({ trial, value }) =>
    across in trial.params && up in trial.params
      ? [{ x: unitOf(space[across], trial.params[across]), y: unitOf(space[up], trial.params[up]), value }]
      : [],
  );
  const values = points.map(({ value }) => value);
  const ranked = values.toSorted((a, b) => (better === 'more' ? a - b : b - a));
  const shadeOf = (value: number): number => {
    const rank = ranked.findIndex((one) => (better === 'more' ? one >= value : one <= value));
    return (rank < 0 ? ranked.length : rank) / Math.max(1, ranked.length);
  };
  const size = 1 / CELLS;
  return renderPlot({
    about: `${name} by ${across} and ${up}, ${points.length} trials; darker is better.`,
    x: { label: shown(across), low: 0, high: 1, format: (unit) => atAxis(space[across], unit) },
    y: { label: shown(up), low: 0, high: 1, format: (unit) => atAxis(space[up], unit) },
    draw: (scales) => {
      const cells: string[] = [];
      for (let i = 0; i < CELLS; i++)
        for (let j = 0; j < CELLS; j++) {
          const [x, y] = [(i + 0.5) * size, (j + 0.5) * size];
          let [sum, weights] = [0, 0];
          for (const point of points) {
            const weight = 1 / ((point.x - x) ** 2 + (point.y - y) ** 2 + 1e-4);
            sum += weight * point.value;
            weights += weight;
          }
          const opacity = (0.05 + 0.6 * shadeOf(sum / weights)).toFixed(2);
          const [left, top] = [scales.x(i * size), scales.y((j + 1) * size)];
          const width = scales.x((i + 1) * size) - left;
          const height = scales.y(j * size) - top;
          cells.push(
            `<rect x="${left}" y="${top}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" opacity="${opacity}"/>`,
          );
        }
      return `${cells.join('')}<path class="dots down" d="${dotsPath(
        points.map(({ x, y }) => [x, y]),
        scales,
      )}"/>`;
    },
  });
}

/** The first two objectives against each other, and the trials that no other beats in both. */
export function frontPlot(
  trials: readonly KeptTrial[],
  front: readonly KeptTrial[],
  figures: (trial: KeptTrial) => readonly number[],
  names: readonly string[],
): string {
  const pointOf = (trial: KeptTrial): readonly [number, number] => {
    const [x, y] = figures(trial);
    return [x, y];
  };
  const points = trials.map(pointOf);
  const best = front.map(pointOf).toSorted((a, b) => a[0] - b[0]);
  const [xLow, xHigh] = range(points.map(([x]) => x));
  const [yLow, yHigh] = range(points.map(([, y]) => y));
  return renderPlot({
    about: `${names[0]} against ${names[1]}: ${best.length} of ${points.length} trials are beaten by none in both.`,
    x: { label: names[0], low: xLow, high: xHigh },
    y: { label: names[1], low: yLow, high: yHigh },
    draw: (scales) =>
      `<path class="dots" d="${dotsPath(points, scales)}"/><path class="down" d="${linePath(best, scales)}"/><path class="dots down" d="${dotsPath(best, scales)}"/>`,
  });
}

/** Who worked on which trial when. */
export function timelinePlot(trials: readonly KeptTrial[]): string {
  const ended = trials.filter(({ endedAt }) => endedAt !== undefined);
  const started = Math.min(...ended.map(({ startedAt }) => Date.parse(startedAt)));
  const minute = (text: string | undefined): number => (Date.parse(text ?? '') - started) / 60_000;
  const last = ended.reduce((most, { endedAt }) => Math.max(most, minute(endedAt)), 0) || 1;
  const highest = ended.reduce((most, { number }) => Math.max(most, number), 0);
  const of = (
    isShown: (state: KeptTrial['state']) => boolean,
    scales: Parameters<typeof linePath>[1],
  ): string =>
    ended
      .filter(({ state }) => isShown(state))
      .map(({ number, startedAt, endedAt }) =>
        linePath(
          [
            [minute(startedAt), number],
            [minute(endedAt), number],
          ],
          scales,
        ),
      )
      .join('');
  return renderPlot({
    about: `${ended.length} trials over ${digits(last, 3)} minutes.`,
    x: { label: 'minutes since the first trial', low: 0, high: last },
    y: { label: 'trial', low: -0.5, high: highest + 0.5 },
    draw: (scales) =>
      `<path d="${of((state) => state === 'complete', scales)}"/><path class="down" d="${of((state) => state !== 'complete', scales)}"/>`,
  });
}

/** An axis for each parameter, a line for each trial; the best tenth stands out. */
export function parallelPlot(
  all: readonly Measured[],
  space: Space,
  parameters: readonly string[],
  { name, better }: Objective,
): string {
  const [width, height, top, bottom, side] = [900, 300, 24, 46, 60];
  const sorted = all.toSorted((a, b) => (better === 'more' ? b.value - a.value : a.value - b.value));
  const [low, high] = range(all.map(({ value }) => value));
  const axes = [...parameters, name];
  const x = (i: number): number => Math.round(side + (i * (width - 2 * side)) / Math.max(1, axes.length - 1));
  const y = (unit: number): number => Math.round(top + (1 - unit) * (height - top - bottom));
  const line = ({ trial, value }: Measured): string => {
    let pen = 'M';
    let path = '';
    for (const [i, axis] of axes.entries()) {
      const given = trial.params[axis];
      if (i < parameters.length && given === undefined) {
        pen = 'M';
        continue;
      }
      const unit = i < parameters.length ? unitOf(space[axis], given) : (value - low) / (high - low);
      path += `${pen}${x(i)} ${y(unit)}`;
      pen = 'L';
    }
    return path;
  };
  const best = Math.max(1, Math.ceil(sorted.length / 10));
  const heads = axes.map((axis, i) => {
    const ends =
      i < parameters.length
        ? [atAxis(space[axis], 0), atAxis(space[axis], 1)]
        : [digits(low, 3), digits(high, 3)];
    return `<path class="grid" d="M${x(i)} ${y(0)}V${y(1)}"/><text x="${x(i)}" y="${height - bottom + 16}" text-anchor="middle">${escapeHtml(ends[0])}</text><text x="${x(i)}" y="${top - 8}" text-anchor="middle">${escapeHtml(ends[1])}</text><text x="${x(i)}" y="${height - (i % 2 === 0 ? 16 : 2)}" text-anchor="middle">${escapeHtml(shown(axis))}</text>`;
  });
  // On a narrow screen it is moved sideways: as wide as the screen nobody could read its axes.
  return `<div class="scroll" role="region" tabindex="0" aria-label="parallel coordinates"><svg class="static" style="max-width:none;min-width:720px" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(`Parameters and ${name} of ${all.length} trials, the best ${best} in another colour.`)}">${heads.join('')}<path class="other" opacity=".35" d="${sorted.slice(best).map(line).join('')}"/><path class="down" d="${sorted.slice(0, best).map(line).join('')}"/></svg></div>`;
}

/** What can be drawn on an axis: parameters with more than one value. */
export const axesOf = (space: Space): readonly string[] =>
  Object.keys(space).filter((name) => !isSingle(space[name]));

/** The value at a place of an axis. */
function atAxis(dimension: Space[string], unit: number): string {
  if (dimension.kind === 'categorical') {
    const at = Math.min(
      Math.max(Math.floor(unit * dimension.choices.length), 0),
      dimension.choices.length - 1,
    );
    return String(dimension.choices[at]);
  }
  const { low, high, log, kind } = dimension;
  const value = log ? low * (high / low) ** unit : low + unit * (high - low);
  return kind === 'int' ? String(Math.round(value)) : digits(value, 2);
}

const shown = (name: string): string => name.replace(/^(models|strategies)\./, '');
