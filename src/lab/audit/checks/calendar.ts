import { type Panel, selectFeatures } from '../../../core/dataset/panel.ts';
import { failed, type Outcome, passed } from '../finding.ts';
import { MOST_SCORE, skillAhead, skillText } from '../skill.ts';
import type { Subject } from '../subject.ts';

/** Weekday and hour stay, the date does not. */
const SHIFT_MS = 364 * 86_400_000;

/** The same bars a year earlier by the calendar: whoever knows what happened on which date knows nothing there. */
export async function calendar(subject: Subject): Promise<Outcome> {
  const earlier: Panel = {
    timeframe: subject.panel.timeframe,
    series: subject.panel.series.map((one) => ({
      ...one,
      candles: { ...one.candles, time: one.candles.time.map((time) => time - SHIFT_MS) },
    })),
  };
  const span = { fromMs: subject.validateUntilMs, untilMs: Infinity };
  for (const { id, fitted, model, params } of subject.members) {
    const names = model.features(params);
    const own = selectFeatures(subject.panel, names);
    const [dated, undated] = [
      await fitted.forecast(own),
      await fitted.forecast(selectFeatures(earlier, names)),
    ];
    const ahead = skillAhead(own, dated, undated, span);
    if (ahead !== undefined && ahead.score > MOST_SCORE)
      return failed(
        `"${id}" is right on test bars because of their dates: where it says otherwise when the same bars are dated a year earlier, it is right in ${skillText(ahead)}.`,
        id,
      );
  }
  return passed('Nobody is right because of the date.');
}
