import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';

/** How well directions were told, over a span of bars. */
export interface Skill {
  readonly samples: number;
  readonly hitRatePct: number;
  /** Standard errors above what the same statements give at other times. */
  readonly score: number;
  /** The score of somebody who is always right by the same amount. */
  readonly mostScore: number;
}

/** What luck reaches once in 30 000 checks, were it normal; `npm run audit-power` simulates how often it does. */
export const MOST_SCORE = 4;

/** A direction as it is stated: the expected return, else the probability, else the position. */
function directionOf({ expectedReturn, probabilityUp, position }: Forecast, row: number): number {
  const stated = expectedReturn?.[row] ?? (probabilityUp && probabilityUp[row] - 0.5) ?? position[row];
  return Number.isNaN(stated) ? position[row] : stated;
}

/**
 * How much of the moves was said, against the same statements shifted in time, around the end and all symbols alike: labels that overlap, symbols
 * that move together and statements that last do so there too, and nobody's skill widens what it is measured by. Returns are centred per symbol, so that always
 * saying up has no skill in a market that rose.
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

/** Shifts that the scatter is taken from, at most. */
const SHIFTS = 200;

/** Of one symbol, row by row: -1, 0 (nothing said) or 1, and centred moves in deviations. */
interface Said {
  readonly sides: Float64Array;
  readonly moves: Float64Array;
}

function scored(
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  direction: (row: number, s: number) => number,
): Skill | undefined {
  let [samples, hits] = [0, 0];
  const said: Said[] = [];
  const { timeframe } = panel;
  panel.series.forEach(({ candles }, s) => {
    const { horizonBars } = forecasts[s];
    const labels = forwardReturns(candles, timeframe, horizonBars);
    const from = lowerBound(candles.time, span.fromMs);
    let until = from;
    while (
      until < candles.time.length &&
      labelEndMs(candles.time[until], timeframe, horizonBars) <= span.untilMs
    )
      until++;
    const moves = centred(labels.subarray(from, until));
    if (moves === undefined) return;
    const sides = moves.map((_, i) => {
      const label = labels[from + i];
      const side = Math.sign(direction(from + i, s));
      if (Number.isNaN(label) || label === 0 || Number.isNaN(side) || side === 0) return 0;
      samples++;
      if (side * label > 0) hits++;
      return side;
    });
    said.push({ sides, moves });
  });
  const rows = Math.max(...said.map(({ moves }) => moves.length));
  const apart = Math.max(...forecasts.map(({ horizonBars }) => horizonBars)) + 1;
  if (samples === 0 || rows < 40 * apart) return undefined;
  const score = scoreOf(said, rows, 2 * apart);
  const most = scoreOf(
    said.map(({ sides, moves }) => ({
      sides: moves.map((move, i) => Math.abs(sides[i]) * Math.sign(move)),
      moves,
    })),
    rows,
    2 * apart,
  );
  if (score === undefined || most === undefined) return undefined;
  return { samples, hitRatePct: (100 * hits) / samples, score, mostScore: most };
}

/** Moves less their mean, in deviations, 0 where unknown; `undefined` when nothing moved. Winsorised: a single crash is no skill. */
function centred(labels: Float64Array): Float64Array | undefined {
  const known = labels.filter((label) => !Number.isNaN(label) && label !== 0);
  const mean = known.reduce((sum, label) => sum + label, 0) / known.length;
  const deviation = Math.sqrt(
    known.reduce((sum, label) => sum + (label - mean) ** 2, 0) / (known.length - 1),
  );
  if (!(deviation > 0)) return undefined;
  const clip = (label: number): number => Math.max(-3, Math.min(3, (label - mean) / deviation));
  const off = known.reduce((sum, label) => sum + clip(label), 0) / known.length;
  return labels.map((label) => (Number.isNaN(label) || label === 0 ? 0 : clip(label) - off));
}

/** The sum of side x move over its root mean square at shifts of `gap` rows or more; `undefined` where it never varies. */
function scoreOf(said: readonly Said[], rows: number, gap: number): number | undefined {
  const step = Math.max(1, Math.floor((rows - 2 * gap) / SHIFTS));
  let [squares, count] = [0, 0];
  for (let shift = gap; shift <= rows - gap; shift += step) {
    squares += sumAt(said, shift) ** 2;
    count++;
  }
  return squares > 0 ? sumAt(said, 0) / Math.sqrt(squares / count) : undefined;
}

function sumAt(said: readonly Said[], shift: number): number {
  let sum = 0;
  for (const { sides, moves } of said) {
    const rows = moves.length;
    const first = shift % rows;
    for (let i = first; i < rows; i++) sum += sides[i] * moves[i - first];
    for (let i = 0; i < first; i++) sum += sides[i] * moves[i - first + rows];
  }
  return sum;
}

export const skillText = ({ hitRatePct, score, samples }: Skill): string =>
  `${hitRatePct.toFixed(1)} % of ${samples}, ${score.toFixed(1)} standard errors`;
