import type { Forecast } from '../../core/forecast/model.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';

/** Every column of a forecast, always in the same order. */
export const forecastColumns = ({
  position,
  confidence,
  probabilityUp,
  expectedReturn,
  quantiles,
}: Forecast): Float64Array[] =>
  [position, confidence, probabilityUp, expectedReturn, ...(quantiles?.columns ?? [])].filter(
    (column) => column !== undefined,
  );

/** What a forecast states, whatever it says. */
export interface Stated {
  readonly symbol: PairSymbol;
  readonly horizonBars: number;
  readonly probabilityUp: boolean;
  readonly expectedReturn: boolean;
  readonly levels?: readonly number[];
}

export const statedBy = ({
  symbol,
  horizonBars,
  probabilityUp,
  expectedReturn,
  quantiles,
}: Forecast): Stated => ({
  symbol,
  horizonBars,
  probabilityUp: probabilityUp !== undefined,
  expectedReturn: expectedReturn !== undefined,
  ...(quantiles && { levels: quantiles.levels }),
});

/** The same statements for `rows` bars, none of them made yet. */
export function unknownForecast(
  { symbol, horizonBars, probabilityUp, expectedReturn, levels }: Stated,
  rows: number,
): Forecast {
  const column = (): Float64Array => new Float64Array(rows).fill(NaN);
  return {
    symbol,
    horizonBars,
    position: column(),
    confidence: column(),
    ...(probabilityUp && { probabilityUp: column() }),
    ...(expectedReturn && { expectedReturn: column() }),
    ...(levels && { quantiles: { levels, columns: levels.map(column) } }),
  };
}

/** The rows `[from, until)` of a forecast, as views. */
export function forecastRows(forecast: Forecast, from: number, until: number): Forecast {
  const cut = (column: Float64Array): Float64Array => column.subarray(from, until);
  const { probabilityUp, expectedReturn, quantiles } = forecast;
  return {
    symbol: forecast.symbol,
    horizonBars: forecast.horizonBars,
    position: cut(forecast.position),
    confidence: cut(forecast.confidence),
    ...(probabilityUp && { probabilityUp: cut(probabilityUp) }),
    ...(expectedReturn && { expectedReturn: cut(expectedReturn) }),
    ...(quantiles && { quantiles: { levels: quantiles.levels, columns: quantiles.columns.map(cut) } }),
  };
}
