import { deviation, mean } from '../foundation/moments.ts';

/** A figure of several runs in two: mean and standard deviation of the sample. */
export interface Spread {
  readonly mean: number;
  /** Absent for a single value. */
  readonly deviation?: number;
}

/** `undefined` when one of them does not have the figure. */
export function spread(values: readonly (number | undefined)[]): Spread | undefined {
  const known = Float64Array.from(values.filter((value) => value !== undefined));
  const centre = mean(known);
  if (centre === undefined || known.length < values.length) return undefined;
  const width = deviation(known);
  return { mean: centre, ...(width !== undefined && { deviation: width }) };
}

/** As in "51.3 +- 0.8"; "-" where it is not known. */
export const spreadText = (of: Spread | undefined, digits: number): string =>
  of === undefined
    ? '-'
    : `${of.mean.toFixed(digits)}${of.deviation === undefined ? '' : ` +- ${of.deviation.toFixed(digits)}`}`;
