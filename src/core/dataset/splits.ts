import { UserError } from '../foundation/errors.ts';
import { barOpen, type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';

/** Bars from `fromMs` on and before `untilMs`, epoch ms. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Split {
  /** The end of training: no label used for fitting ends later. */
  readonly trainUntilMs: number;
  /** The end of validation; what opens at or after this time is the test set, which training never sees. */
  readonly validateUntilMs: number;
}

/**
 * Cuts a span of bars in time order: training, validation, test, in shares of its duration. Throws `UserError`
 * when nothing is left to train on.
 */
export function chronologicalSplit(
  span: Span,
  timeframe: Timeframe,
  shares: { readonly validationPct: number; readonly testPct: number },
): Split {
  const { validationPct, testPct } = shares;
  const duration = span.untilMs - span.fromMs;
  const at = (pct: number): number => barOpen(span.fromMs + (duration * pct) / 100, timeframe);
  const split = { trainUntilMs: at(100 - testPct - validationPct), validateUntilMs: at(100 - testPct) };
  if (split.trainUntilMs - span.fromMs < TIMEFRAME_MS[timeframe]) {
    throw new UserError(
      `Validation (${validationPct} %) and test (${testPct} %) leave no bar to train on in ${Math.round(duration / TIMEFRAME_MS[timeframe])} bars.`,
      { hint: 'Fetch more history, or lower training.validationPct and training.testPct.' },
    );
  }
  return split;
}

export interface Fold {
  readonly train: Span;
  readonly test: Span;
}

/**
 * Consecutive test spans over `[firstTestMs, span.untilMs)`, each with the bars before it to train on.
 * `embargoMs` is left free between the two, on top of the purge (labels must end at or before `train.untilMs`).
 * `windowMs` limits training to that much of the past; without it training always starts at the beginning.
 */
export function walkForwardFolds(
  span: Span,
  timeframe: Timeframe,
  options: {
    readonly folds: number;
    readonly firstTestMs: number;
    readonly embargoMs: number;
    readonly windowMs?: number;
  },
): readonly Fold[] {
  const step = (span.untilMs - options.firstTestMs) / options.folds;
  if (step < TIMEFRAME_MS[timeframe] || options.firstTestMs - options.embargoMs <= span.fromMs) {
    throw new UserError(`The bars are too few for ${options.folds} walk-forward folds.`, {
      hint: 'Ask for fewer folds, or fetch more history.',
    });
  }
  return Array.from({ length: options.folds }, (_, fold) => {
    const fromMs = barOpen(options.firstTestMs + fold * step, timeframe);
    const last = fold === options.folds - 1;
    const untilMs = last ? span.untilMs : barOpen(options.firstTestMs + (fold + 1) * step, timeframe);
    const trainUntilMs = fromMs - options.embargoMs;
    const earliest =
      options.windowMs === undefined ? span.fromMs : Math.max(span.fromMs, trainUntilMs - options.windowMs);
    return { train: { fromMs: earliest, untilMs: trainUntilMs }, test: { fromMs, untilMs } };
  });
}

/**
 * Rows that may be trained on while the rows of `test` are held out (k-fold): all but those whose label, known
 * at `endMs[row]`, overlaps the test span, and those that open within `embargoMs` after it. Lopez de Prado,
 * Advances in Financial Machine Learning, 2018, sections 7.4.1 and 7.4.2.
 */
export function purgedTrainRows(
  time: Float64Array,
  endMs: Float64Array,
  test: Span,
  embargoMs: number,
): Int32Array {
  const lastTestLabelMs = time.reduce(
    (latest, opened, row) =>
      opened >= test.fromMs && opened < test.untilMs ? Math.max(latest, endMs[row]) : latest,
    test.untilMs,
  );
  const rows: number[] = [];
  for (let row = 0; row < time.length; row++) {
    if (endMs[row] <= test.fromMs || time[row] >= lastTestLabelMs + embargoMs) rows.push(row);
  }
  return Int32Array.from(rows);
}
