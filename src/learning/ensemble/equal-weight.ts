import { invariant } from '../../core/foundation/errors.ts';
import type { Forecast } from '../../core/forecast/model.ts';

/**
 * One symbol's forecasts of several models as one: the mean position of those that have an opinion in that row,
 * `NaN` where none has. Confidence counts for and against: members that are equally sure of opposite positions
 * leave none. Probability and expected return are means too, stated only when all members that state one mean
 * the same horizon, which is then the ensemble's; else that is the median of its members. Equal weights are hard to beat out of sample: DeMiguel, Garlappi & Uppal 2009, Optimal
 * Versus Naive Diversification.
 */
export function forecastEnsemble(forecasts: readonly Forecast[]): Forecast {
  invariant(forecasts.length > 0, 'an ensemble has members');
  const [{ symbol, position }] = forecasts;
  invariant(
    forecasts.every((one) => one.symbol === symbol && one.position.length === position.length),
    'the members of an ensemble forecast the same bars of the same symbol',
  );
  const stating = forecasts.filter(({ probabilityUp, expectedReturn }) => probabilityUp ?? expectedReturn);
  const comparable = new Set(stating.map(({ horizonBars }) => horizonBars)).size === 1;
  const probabilityUp = comparable ? meanOfStated(forecasts.map((one) => one.probabilityUp)) : undefined;
  const expectedReturn = comparable ? meanOfStated(forecasts.map((one) => one.expectedReturn)) : undefined;
  const conviction = forecasts.map((one) =>
    one.position.map((at, row) => Math.sign(at) * one.confidence[row]),
  );
  return {
    symbol,
    horizonBars: comparable ? stating[0].horizonBars : lowerMedian(forecasts.map((one) => one.horizonBars)),
    position: meanWhereKnown(forecasts.map((one) => one.position)),
    confidence: meanWhereKnown(conviction).map(Math.abs),
    ...(probabilityUp && { probabilityUp }),
    ...(expectedReturn && { expectedReturn }),
  };
}

const lowerMedian = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

function meanOfStated(columns: readonly (Float64Array | undefined)[]): Float64Array | undefined {
  const stated = columns.filter((column) => column !== undefined);
  return stated.length > 0 ? meanWhereKnown(stated) : undefined;
}

/** Row by row the mean of the values that are not `NaN`. */
function meanWhereKnown(columns: readonly Float64Array[]): Float64Array {
  return columns[0].map((_, row) => {
    let sum = 0;
    let count = 0;
    for (const column of columns) {
      if (Number.isNaN(column[row])) continue;
      sum += column[row];
      count++;
    }
    return count > 0 ? sum / count : NaN;
  });
}
