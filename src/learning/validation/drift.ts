import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel, Series } from '../../core/dataset/panel.ts';
import { createAdwin } from '../../core/evaluation/drift/adwin.ts';
import type { DriftDetector } from '../../core/evaluation/drift/detector.ts';
import { createDdm, createEddm } from '../../core/evaluation/drift/error-rate.ts';
import { createHddmA, createHddmW } from '../../core/evaluation/drift/hddm.ts';
import { createKswin } from '../../core/evaluation/drift/kswin.ts';
import { createPageHinkley } from '../../core/evaluation/drift/page-hinkley.ts';
import { stabilityIndex } from '../../core/evaluation/drift/stability-index.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { createRandom } from '../../core/foundation/random.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';

/**
 * Detectors by name, for a stream of this standard deviation; those in `OF_SHARES` want values in [0, 1]. The published
 * defaults of Page-Hinkley (5 thousandths, 50) know no scale: on unit noise they raise an alarm every 2 500 values. A
 * tenth of a deviation and 35 of them raise one in 55 000 (Siegmund 1985: (exp(2kh) - 2kh - 1) / 2k^2).
 */
const DETECTORS = {
  adwin: () => createAdwin(),
  'page-hinkley': (deviation: number) =>
    createPageHinkley({ delta: 0.1 * deviation, threshold: 35 * deviation, alpha: 1 }),
  kswin: () => createKswin({ random: createRandom(1) }),
  ddm: () => createDdm(),
  eddm: () => createEddm(),
  'hddm-a': () => createHddmA(),
  'hddm-w': () => createHddmW(),
} as const satisfies Readonly<Record<string, (deviation: number) => DriftDetector>>;
export type DetectorName = keyof typeof DETECTORS;
export const DETECTOR_NAMES = Object.keys(DETECTORS) as readonly DetectorName[];
const DEFAULT_DETECTORS: readonly DetectorName[] = ['adwin', 'page-hinkley', 'hddm-a'];
const OF_ERRORS: ReadonlySet<DetectorName> = new Set(['ddm', 'eddm']);
const OF_SHARES: ReadonlySet<DetectorName> = new Set(['hddm-a', 'hddm-w', ...OF_ERRORS]);

/**
 * What is watched of a model: whether its direction was wrong (0 or 1), its squared miss of the outcome's probability
 * (Brier, in [0, 1]), and the return it did not expect, in standard deviations of the returns before `validateUntilMs`.
 */
export type StreamName = 'direction' | 'calibration' | 'residual';

export interface Alarm {
  readonly detector: DetectorName;
  /** When it could be raised: the outcome that raised it was known then. Epoch ms. */
  readonly timeMs: number;
}

export interface WatchedStream {
  readonly model: string;
  readonly symbol: PairSymbol;
  readonly stream: StreamName;
  /** Outcomes that do not overlap: one decision per horizon. */
  readonly samples: number;
  /** Mean on the validation bars, and on the bars after them; `undefined` without a sample. */
  readonly meanBefore: number | undefined;
  readonly meanAfter: number | undefined;
  readonly alarms: readonly Alarm[];
}

export interface ShiftedInput {
  readonly symbol: PairSymbol;
  readonly feature: string;
  /** Population stability index, training bars against the bars after validation. */
  readonly stabilityIndex: number;
}

interface Sample {
  readonly timeMs: number;
  readonly value: number;
}

/**
 * Whether models still stand where they were validated: detectors over what each of them got wrong from the first
 * validation bar on, in the order in which it became known. Nothing here is fitted on the bars that are watched.
 */
export function watchModels(
  panel: Panel,
  members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[],
  { trainUntilMs, validateUntilMs }: { readonly trainUntilMs: number; readonly validateUntilMs: number },
  detectors: readonly DetectorName[] = DEFAULT_DETECTORS,
): readonly WatchedStream[] {
  return members.flatMap(({ id, forecasts }) =>
    panel.series.flatMap((series, s) =>
      Object.entries(streamsOf(panel, series, forecasts[s], { trainUntilMs, validateUntilMs })).flatMap(
        ([name, samples]) =>
          samples.length === 0
            ? []
            : [
                {
                  model: id,
                  symbol: series.symbol,
                  stream: name as StreamName,
                  samples: samples.length,
                  meanBefore: mean(samples.filter(({ timeMs }) => timeMs <= validateUntilMs)),
                  meanAfter: mean(samples.filter(({ timeMs }) => timeMs > validateUntilMs)),
                  alarms: alarmsOf(name as StreamName, samples, detectors, validateUntilMs),
                },
              ],
      ),
    ),
  );
}

function streamsOf(
  { timeframe }: Panel,
  { candles }: Series,
  forecast: Forecast,
  { trainUntilMs, validateUntilMs }: { readonly trainUntilMs: number; readonly validateUntilMs: number },
): Readonly<Record<StreamName, readonly Sample[]>> {
  const { horizonBars, position, probabilityUp, expectedReturn } = forecast;
  const labels = forwardReturns(candles, timeframe, horizonBars);
  const scale = deviationUntil(labels, lowerBound(candles.time, validateUntilMs) - horizonBars - 1);
  const streams = { direction: [] as Sample[], calibration: [] as Sample[], residual: [] as Sample[] };
  for (let row = lowerBound(candles.time, trainUntilMs); row < labels.length; row += horizonBars) {
    const label = labels[row];
    if (Number.isNaN(label)) continue;
    const timeMs = labelEndMs(candles.time[row], timeframe, horizonBars);
    const wants = position[row];
    if (label !== 0 && wants !== 0 && !Number.isNaN(wants))
      streams.direction.push({ timeMs, value: wants * label > 0 ? 0 : 1 });
    const p = probabilityUp?.[row] ?? NaN;
    if (!Number.isNaN(p)) streams.calibration.push({ timeMs, value: (p - (label > 0 ? 1 : 0)) ** 2 });
    const expected = expectedReturn?.[row] ?? NaN;
    if (!Number.isNaN(expected) && scale > 0)
      streams.residual.push({ timeMs, value: (label - expected) / scale });
  }
  return streams;
}

function alarmsOf(
  stream: StreamName,
  samples: readonly Sample[],
  detectors: readonly DetectorName[],
  validateUntilMs: number,
): readonly Alarm[] {
  const before = samples.filter(({ timeMs }) => timeMs <= validateUntilMs);
  const level = mean(before) ?? 0;
  const deviation = Math.sqrt(mean(before.map((one) => ({ ...one, value: (one.value - level) ** 2 }))) ?? 0);
  // Nothing was validated, or nothing varied: there is no state to have left.
  if (deviation === 0) return [];
  return detectors
    .filter(
      (name) =>
        (stream !== 'residual' || !OF_SHARES.has(name)) && (stream === 'direction' || !OF_ERRORS.has(name)),
    )
    .flatMap((name) => {
      const detector = DETECTORS[name](deviation);
      return samples.flatMap(({ timeMs, value }) =>
        detector.update(value) === 'drift' ? [{ detector: name, timeMs }] : [],
      );
    })
    .sort((a, b) => a.timeMs - b.timeMs);
}

/** The inputs whose distribution is another since validation ended, the most shifted first. */
export function shiftedInputs(
  panel: Panel,
  { trainUntilMs, validateUntilMs }: { readonly trainUntilMs: number; readonly validateUntilMs: number },
  least: number,
): readonly ShiftedInput[] {
  const shifted = panel.series.flatMap(({ symbol, candles, features }) => {
    const [trained, validated] = [trainUntilMs, validateUntilMs].map((ms) => lowerBound(candles.time, ms));
    return features.columns.flatMap((column, f) => {
      const warmUp = column.findIndex((value) => !Number.isNaN(value));
      if (warmUp < 0 || warmUp >= trained) return [];
      const index = stabilityIndex(column.subarray(warmUp, trained), column.subarray(validated));
      if (index === undefined || index < least) return [];
      return [{ symbol, feature: features.names[f], stabilityIndex: index }];
    });
  });
  return shifted.sort((a, b) => b.stabilityIndex - a.stabilityIndex);
}

/** Standard deviation of the labels before `row` that are known; 0 without any. */
function deviationUntil(labels: Float64Array, row: number): number {
  let n = 0;
  let squares = 0;
  for (let i = 0; i < row; i++) {
    if (Number.isNaN(labels[i])) continue;
    n++;
    squares += labels[i] ** 2;
  }
  return n === 0 ? 0 : Math.sqrt(squares / n);
}

const mean = (samples: readonly Sample[]): number | undefined =>
  samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
