import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';

/** How well directions were told, over a span of bars. */
export interface Skill {
  readonly samples: number;
  readonly hitRatePct: number;
  /** Standard errors above what the same share of ups would give by chance. */
  readonly score: number;
  /** The score of somebody who is always right by the same amount. */
  readonly mostScore: number;
}

/** What luck reaches once in 30 000 checks. */
export const MOST_SCORE = 4;

/** A direction as it is stated: the expected return, else the probability, else the position. */
function directionOf({ expectedReturn, probabilityUp, position }: Forecast, row: number): number {
  const stated = expectedReturn?.[row] ?? (probabilityUp && probabilityUp[row] - 0.5) ?? position[row];
  return Number.isNaN(stated) ? position[row] : stated;
}

/**
 * Returns are centred per symbol, so that always saying up has no skill in a market that rose; sums of neighbouring bars
 * count as one observation, since labels overlap and symbols move together.
 */
export function skillOf(panel: Panel, forecasts: readonly Forecast[], span: Span): Skill | undefined {
  return scored(panel, forecasts, span, (row, s) => directionOf(forecasts[s], row));
}

/** The same of `forecasts` where they and `others` do not agree: how much more the first knew. */
export function skillAhead(
  panel: Panel,
  forecasts: readonly Forecast[],
  others: readonly Forecast[],
  span: Span,
): Skill | undefined {
  return scored(panel, forecasts, span, (row, s) => {
    const [own, other] = [directionOf(forecasts[s], row), directionOf(others[s], row)];
    return Math.sign(own) === Math.sign(other) ? NaN : own;
  });
}

function scored(
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  direction: (row: number, s: number) => number,
): Skill | undefined {
  let [samples, hits] = [0, 0];
  const blocks = new Map<number, number>();
  const { timeframe } = panel;
  panel.series.forEach(({ candles }, s) => {
    const { horizonBars } = forecasts[s];
    const labels = forwardReturns(candles, timeframe, horizonBars);
    const labelled: number[] = [];
    for (let row = lowerBound(candles.time, span.fromMs); row < candles.time.length; row++) {
      if (labelEndMs(candles.time[row], timeframe, horizonBars) > span.untilMs) break;
      if (!Number.isNaN(labels[row]) && labels[row] !== 0) labelled.push(row);
    }
    const mean = labelled.reduce((sum, row) => sum + labels[row], 0) / labelled.length;
    const squares = labelled.reduce((sum, row) => sum + (labels[row] - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / (labelled.length - 1));
    if (!(deviation > 0)) return;
    const rows = labelled.filter((row) => {
      const said = direction(row, s);
      return !Number.isNaN(said) && said !== 0;
    });
    const width = 4 * (horizonBars + 1);
    for (const row of rows) {
      const side = Math.sign(direction(row, s));
      samples++;
      if (side * labels[row] > 0) hits++;
      const block = Math.floor(row / width);
      // Winsorised: a single crash is no skill.
      const move = Math.max(-3, Math.min(3, (labels[row] - mean) / deviation));
      blocks.set(block, (blocks.get(block) ?? 0) + side * move);
    }
  });
  const sums = [...blocks.values()];
  const squares = sums.reduce((sum, value) => sum + value * value, 0);
  if (sums.length < 10 || squares === 0) return undefined;
  return {
    samples,
    hitRatePct: (100 * hits) / samples,
    score: sums.reduce((sum, value) => sum + value, 0) / Math.sqrt(squares),
    mostScore: Math.sqrt(sums.length),
  };
}

export const skillText = ({ hitRatePct, score, samples }: Skill): string =>
  `${hitRatePct.toFixed(1)} % of ${samples}, ${score.toFixed(1)} standard errors`;
