import type { PairSymbol } from '../market/symbol.ts';

/** What the exchange demands of an order. A step or tick of 0 means any value. */
export interface Instrument {
  readonly symbol: PairSymbol;
  /** Order amounts are multiples of this, in base currency. */
  readonly amountStep: number;
  /** Order prices are multiples of this, in quote currency. */
  readonly priceTick: number;
  /** Smallest value of an order, in quote currency. */
  readonly minNotional: number;
}

export const roundDown = (value: number, step: number): number => onGrid(value, step, Math.floor, TOLERANCE);
export const roundUp = (value: number, step: number): number => onGrid(value, step, Math.ceil, -TOLERANCE);
export const roundNearest = (value: number, step: number): number => onGrid(value, step, Math.round, 0);

/** So that 0.3 / 0.1 = 2.9999999999999996 counts as three steps. */
const TOLERANCE = 1e-9;

function onGrid(value: number, step: number, round: (steps: number) => number, tolerance: number): number {
  if (step === 0) return value;
  const steps = round(value / step + tolerance);
  // Dividing by a whole 1/step gives the decimal nearest to the grid point: 3 / 10, not 3 * 0.1.
  const perUnit = Math.round(1 / step);
  return Math.abs(perUnit * step - 1) < 1e-12 ? steps / perUnit : steps * step;
}
