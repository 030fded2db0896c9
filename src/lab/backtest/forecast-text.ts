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
  ];
}
