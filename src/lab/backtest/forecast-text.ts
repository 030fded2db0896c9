import { REGIMES } from '../../core/evaluation/breakdown.ts';
import { markedName } from '../../learning/ensemble/voters.ts';
import type { ForecastQuality } from './forecast-quality.ts';

/** Forecasts as such, for people: terminal and report. */
export const FORECAST_HEAD = [
  'model',
  'samples',
  'hit rate % (95 % CI)',
  'timing p',
  'Brier skill',
  'ECE (by chance)',
  'CRPS bp',
  '90 % interval holds %',
];

/** Intervals that should hold 90 % of the outcomes, by the market they were stated in. */
export const COVERAGE_HEAD = ['90 % intervals hold, %', ...REGIMES.filter((regime) => regime !== 'unknown')];

/** Nothing where no model states enough intervals. */
export const coverageRows = (all: readonly ForecastQuality[]): readonly (readonly string[])[] =>
  all.flatMap(({ model, noSkill, conformal }) =>
    conformal === undefined || conformal.intervals < LEAST_INTERVALS
      ? []
      : [
          [
            markedName(model, noSkill),
            ...COVERAGE_HEAD.slice(1).map((regime) => {
              const found = conformal.regimes.find((one) => one.regime === regime);
              return found === undefined ? '-' : `${(100 * found.coverage).toFixed(1)} of ${found.intervals}`;
            }),
          ],
        ],
  );

/** Of fewer, a share says little. */
const LEAST_INTERVALS = 100;

export function forecastRow(one: ForecastQuality): readonly string[] {
  const { hitRatePct: rate, hitRatePct95: band, calibration, quantiles, conformal, timing } = one;
  return [
    markedName(one.model, one.noSkill),
    one.unmoved === 0 ? String(one.samples) : `${one.samples} + ${one.unmoved} unmoved`,
    rate === undefined
      ? '-'
      : `${rate.toFixed(1)}${band === undefined ? '' : ` (${band[0].toFixed(1)} .. ${band[1].toFixed(1)})`}`,
    timing === undefined ? '-' : timing.adjustedPValue.toFixed(2),
    calibration?.brier.skill === undefined ? '-' : calibration.brier.skill.toFixed(3),
    calibration === undefined
      ? '-'
      : `${calibration.ece.toFixed(3)} (${calibration.eceWhenCalibrated.toFixed(3)})`,
    quantiles === undefined ? '-' : (10_000 * quantiles.crps).toFixed(1),
    conformal === undefined || conformal.intervals < LEAST_INTERVALS
      ? '-'
      : (100 * conformal.coverage).toFixed(1),
  ];
}

/** What the columns say, in words; nothing where nobody forecast anything. */
export function forecastLines(all: readonly ForecastQuality[]): readonly string[] {
  const stating = all.flatMap(({ calibration }) => calibration ?? []);
  const worse = stating.filter(({ brier }) => (brier.skill ?? 0) < 0).length;
  const timed = all.filter(({ timing }) => timing !== undefined);
  const found = timed.filter(({ timing }) => timing !== undefined && timing.adjustedPValue <= 0.05);
  return [
    ...(stating.length > 0
      ? [
          `${worse} of ${stating.length} that state probabilities are worse than always stating the share of ups (Brier skill below 0). ECE: distance of stated from observed; in brackets what true probabilities would show in 95 % of draws.`,
        ]
      : []),
    ...(timed.length > 0
      ? [
          `Direction beyond chance (Pesaran-Timmermann, adjusted for ${timed.length} tests by Benjamini-Hochberg, 5 %): ${found.length === 0 ? 'none' : found.map(({ model }) => model).join(', ')}.`,
        ]
      : []),
    ...accuracyLine(all),
  ];
}

function accuracyLine(all: readonly ForecastQuality[]): readonly string[] {
  const tested = all.flatMap(({ model, accuracy }) =>
    accuracy === undefined ? [] : [{ model, ...accuracy }],
  );
  if (tested.length === 0) return [];
  const named = (sign: number): string => {
    const found = tested.filter(
      ({ adjustedPValue, statistic }) => adjustedPValue <= 0.05 && sign * statistic > 0,
    );
    return found.length === 0 ? 'none' : found.map(({ model }) => model).join(', ');
  };
  return [
    `Errors against always stating 0, or 1/2 (Diebold-Mariano with Harvey's correction, adjusted for ${tested.length} tests, 5 %): smaller ${named(1)}; larger ${named(-1)}.`,
  ];
}
