import type { Random } from '../../core/foundation/random.ts';

export type Value = number | string | boolean;
export type Params = Readonly<Record<string, Value>>;

interface Conditional {
  /** The parameter exists only where each of these others, named before it, has one of these values. */
  readonly when?: Readonly<Record<string, readonly Value[]>> | undefined;
}

/** What one parameter may be; bounds are included. */
export type Dimension = Conditional &
  (
    | {
        readonly kind: 'float' | 'int';
        readonly low: number;
        readonly high: number;
        /** Searched on a logarithmic scale: `low` is above 0 and there is no `step`. */
        readonly log?: boolean | undefined;
        /** Distance of neighbouring values, from `low` on; an `int` that is not searched by its logarithm has 1 by default. */
        readonly step?: number | undefined;
      }
    | { readonly kind: 'categorical'; readonly choices: readonly Value[] }
  );

export type Space = Readonly<Record<string, Dimension>>;

/** Whether the parameter exists beside `params`, which hold those named before it. */
const isActive = ({ when = {} }: Dimension, params: Params): boolean =>
  Object.entries(when).every(([name, values]) => params[name] !== undefined && values.includes(params[name]));

/** Has one value only: nothing to search. */
export const isSingle = (dimension: Dimension): boolean =>
  dimension.kind === 'categorical'
    ? dimension.choices.length === 1
    : dimension.low + (stepOf(dimension) ?? 0) > dimension.high || dimension.low === dimension.high;

/** Distance of neighbouring values; `undefined`: none, any value. */
export function stepOf(dimension: Exclude<Dimension, { kind: 'categorical' }>): number | undefined {
  if (dimension.step !== undefined) return dimension.step;
  return dimension.kind === 'int' ? 1 : undefined;
}

/** The number that samplers reckon with: a place among the choices, else the value itself. */
export function toNumber(dimension: Dimension, value: Value): number {
  return dimension.kind === 'categorical' ? dimension.choices.indexOf(value) : Number(value);
}

/** The value nearest to such a number. */
export function toValue(dimension: Dimension, number: number): Value {
  if (dimension.kind === 'categorical') return dimension.choices[number];
  const { low, high } = dimension;
  const step = stepOf(dimension);
  const near = step === undefined ? number : low + Math.round((number - low) / step) * step;
  const last = step === undefined ? high : low + Math.floor((high - low) / step + 1e-9) * step;
  // Steps of .1 should read .3, not .30000000000000004.
  return Number(Math.min(Math.max(near, low), last).toPrecision(15));
}

/** The value at a place in [0, 1) of its dimension: uniform places give uniform values, or uniform logarithms. */
export function atUnit(dimension: Dimension, unit: number): Value {
  if (dimension.kind === 'categorical')
    return dimension.choices[
      Math.min(Math.floor(unit * dimension.choices.length), dimension.choices.length - 1)
    ];
  const half = (stepOf(dimension) ?? 0) / 2;
  const [low, high] = [dimension.low - half, dimension.high + half];
  const number = dimension.log
    ? Math.exp(Math.log(low) + unit * Math.log(high / low))
    : low + unit * (high - low);
  return toValue(dimension, number);
}

/** The place of a value in [0, 1]; the inverse of `atUnit`, at the middle of what it rounds. */
export function unitOf(dimension: Dimension, value: Value): number {
  if (dimension.kind === 'categorical')
    return (dimension.choices.indexOf(value) + 0.5) / dimension.choices.length;
  const half = (stepOf(dimension) ?? 0) / 2;
  const [low, high] = [dimension.low - half, dimension.high + half];
  const number = Number(value);
  return dimension.log ? Math.log(number / low) / Math.log(high / low) : (number - low) / (high - low);
}

export const drawn = (dimension: Dimension, random: Random): Value => atUnit(dimension, random());

/** Fills the parameters of a space in its order, each where its condition holds. */
export function fill(
  space: Space,
  valueOf: (name: string, dimension: Dimension, params: Params) => Value,
): Params {
  const params: Record<string, Value> = {};
  for (const [name, dimension] of Object.entries(space))
    if (isActive(dimension, params)) params[name] = valueOf(name, dimension, params);
  return params;
}
