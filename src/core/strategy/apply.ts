import type { Forecast } from '../forecast/model.ts';
import type { Decision, Rule, Situation } from './strategy.ts';

/**
 * A rule over the forecasts of one symbol, row by row. What is held is what the rule itself last wanted, starting with
 * `held` before row `fromRow`; rows before it, and from `untilRow` on, stay `NaN`.
 * `onDecision` is told each row's decision, with its reason.
 */
export function applyRule(
  rule: Rule,
  forecast: Forecast,
  volatility: Float64Array,
  {
    fromRow = 0,
    untilRow = forecast.position.length,
    held = 0,
    calmest = volatility,
    onDecision,
  }: {
    readonly fromRow?: number;
    readonly untilRow?: number;
    readonly held?: number;
    /** Row by row the lowest volatility of all symbols that are decided together; default: this one's. */
    readonly calmest?: Float64Array;
    readonly onDecision?: ((row: number, decision: Decision) => void) | undefined;
  } = {},
): Float64Array {
  const rows = forecast.position.length;
  const target = new Float64Array(rows).fill(NaN);
  const seen = situationOf(forecast);
  let holding = held;
  for (let row = fromRow; row < untilRow; row++) {
    const decision = rule(seen(row, holding, volatility[row], calmest[row]));
    target[row] = decision.target;
    onDecision?.(row, decision);
    if (!Number.isNaN(decision.target)) holding = decision.target;
  }
  return target;
}

/** Reads one row of a forecast; the object is reused, so that no bar allocates one. */
function situationOf(
  forecast: Forecast,
): (row: number, held: number, volatility: number, calmest: number) => Situation {
  const { quantiles } = forecast;
  const column = (level: number): Float64Array | undefined => {
    if (quantiles === undefined) return undefined;
    const distances = quantiles.levels.map((one) => Math.abs(one - level));
    return quantiles.columns[distances.indexOf(Math.min(...distances))];
  };
  const [low, median, high] = [column(0.1), column(0.5), column(0.9)];
  const seen = {
    held: 0,
    horizonBars: forecast.horizonBars,
    position: NaN,
    confidence: NaN,
    probabilityUp: NaN,
    expectedReturn: NaN,
    lowQuantile: NaN,
    medianQuantile: NaN,
    highQuantile: NaN,
    volatility: NaN,
    calmest: NaN,
  };
  return (row, held, volatility, calmest) => {
    seen.held = held;
    seen.position = forecast.position[row];
    seen.confidence = forecast.confidence[row];
    seen.probabilityUp = forecast.probabilityUp?.[row] ?? NaN;
    seen.expectedReturn = forecast.expectedReturn?.[row] ?? NaN;
    seen.lowQuantile = low?.[row] ?? NaN;
    seen.medianQuantile = median?.[row] ?? NaN;
    seen.highQuantile = high?.[row] ?? NaN;
    seen.volatility = volatility;
    seen.calmest = calmest;
    return seen;
  };
}
