import { type Panel, panelUntil, selectFeatures } from '../../../core/dataset/panel.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import type { Forecast } from '../../../core/forecast/model.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { forecastColumns, forecastRows } from '../../../learning/validation/forecast-columns.ts';
import { failed, type Outcome, passed } from '../finding.ts';
import { turnedCandles, withCandles } from '../markets.ts';
import type { Subject } from '../subject.ts';

/** Times at which history is cut, at every place within a day that bars have, over training, validation and test. */
function cutsOf({ panel }: Subject, count = 12, fromMs = -Infinity): readonly number[] {
  const step = TIMEFRAME_MS[panel.timeframe];
  const times = panel.series.map(({ candles }) => candles.time);
  const first = Math.max(fromMs, Math.min(...times.map((time) => time[Math.floor(time.length / 4)])));
  const last = Math.max(...times.map((time) => time[time.length - 1]));
  return Array.from({ length: count }, (_, i) => {
    const bars = Math.floor(((last - first) * (i + 1)) / (count + 1) / step);
    // Coprime steps: no cut falls on the boundary of a longer bar each time.
    return first + (bars - (bars % 24) + ((i * 7 + 3) % 24)) * step;
  });
}

/** Every feature recomputed from what was known at a time must be what it is in the whole history. */
export async function features(subject: Subject): Promise<Outcome> {
  let values = 0;
  for (const cutMs of cutsOf(subject)) {
    const known = await subject.panelAt(cutMs);
    for (const [s, { symbol, candles, features: whole }] of subject.panel.series.entries()) {
      const part = known.series[s];
      for (const [f, name] of whole.names.entries()) {
        const column = part.features.columns[part.features.names.indexOf(name)];
        for (let row = 0; row < part.candles.time.length; row++, values++) {
          if (Object.is(column[row], whole.columns[f][row])) continue;
          return failed(
            `"${name}" of ${symbol} at ${formatMinute(candles.time[row])} is ${whole.columns[f][row]}, and ${column[row]} when nothing after ${formatMinute(cutMs)} is known: it looks ahead.`,
            name,
          );
        }
      }
    }
  }
  return passed(
    `Features recomputed at ${cutsOf(subject).length} times are equal to the bit.`,
    `${values} values`,
  );
}

/** A model's forecasts of a history that ends earlier must be the same, scalers and all. */
export async function forecasts(subject: Subject): Promise<Outcome> {
  let values = 0;
  for (const { id, model, params, fitted } of subject.members) {
    const panel = selectFeatures(subject.panel, model.features(params));
    const whole = await fitted.forecast(panel);
    for (const cutMs of cutsOf(subject, 6)) {
      const cut = panelUntil(panel, cutMs);
      const sinceMs = cutMs - 100 * TIMEFRAME_MS[panel.timeframe];
      const wrong = difference(panel, whole, await fitted.forecast(cut, { sinceMs }), sinceMs);
      if (wrong !== undefined)
        return failed(
          `"${id}" forecasts ${wrong} otherwise when bars after ${formatMinute(cutMs)} are not there: it looks ahead.`,
          id,
        );
      values += 100 * panel.series.length;
    }
  }
  return passed(
    `Forecasts of ${subject.members.length} models do not change when later bars arrive.`,
    `${values} bars`,
  );
}

export const ensemble = (subject: Subject): Promise<Outcome> =>
  procedure(subject, 'the ensemble', subject.combine);

export const strategy = (subject: Subject): Promise<Outcome> =>
  procedure(subject, 'the strategy', (panel, all) => subject.decide(panel, subject.combine(panel, all)));

/** Weights and thresholds that rest on later bars show: without these bars, or with the market turned round, they differ. */
async function procedure(
  subject: Subject,
  what: string,
  run: (panel: Panel, forecasts: readonly (readonly Forecast[])[]) => readonly Forecast[],
): Promise<Outcome> {
  const { panel } = subject;
  const all = await Promise.all(
    subject.members.map(({ fitted, model, params }) =>
      fitted.forecast(selectFeatures(panel, model.features(params))),
    ),
  );
  const whole = run(panel, all);
  const cuts = cutsOf(subject, 6, subject.validateUntilMs);
  for (const cutMs of cuts) {
    const cut = panelUntil(panel, cutMs);
    const rows = cut.series.map(({ candles }) => candles.time.length);
    const known = all.map((one) => one.map((forecast, s) => forecastRows(forecast, 0, rows[s])));
    const turned = withCandles(panel, turnedCandles(panel, cutMs));
    const rest = run(turned, all).map((forecast, s) => forecastRows(forecast, 0, rows[s]));
    const wrong =
      difference(panel, whole, run(cut, known), subject.validateUntilMs) ??
      difference(panel, whole, rest, subject.validateUntilMs);
    if (wrong !== undefined)
      return failed(
        `What ${what} makes of ${wrong} depends on bars after ${formatMinute(cutMs)}: its weights or thresholds were chosen on the bars that it is tested on.`,
      );
  }
  return passed(
    `What ${what} decides does not change when later bars arrive, or turn round.`,
    `${cuts.length} cuts`,
  );
}

/** The first bar from `sinceMs` on where two forecasts are not the same bits. */
export function difference(
  { series }: Panel,
  whole: readonly Forecast[],
  part: readonly Forecast[],
  sinceMs: number,
): string | undefined {
  for (const [s, { symbol, candles }] of series.entries()) {
    const known = forecastColumns(part[s]);
    for (const [c, column] of forecastColumns(whole[s]).entries())
      for (let row = lowerBound(candles.time, sinceMs); row < known[c].length; row++)
        if (!Object.is(column[row], known[c][row])) return `${symbol} at ${formatMinute(candles.time[row])}`;
  }
  return undefined;
}
