import { z } from 'zod';
import type { PairSymbol } from '../../core/market/symbol.ts';

/** What an order for a pair has to respect; `undefined` where the exchange does not say. */
export interface InstrumentFacts {
  readonly symbol: PairSymbol;
  /** Order amounts are multiples of this, in base currency. */
  readonly amountStep: number | undefined;
  /** Limit prices are multiples of this, in quote currency. */
  readonly priceTick: number | undefined;
  /** Least value of an order (amount x price), in quote currency. */
  readonly minNotional: number | undefined;
}

const known = z.number().positive().nullish();
const Market = z.object({
  precision: z.object({ amount: known, price: known }).partial().default({}),
  limits: z
    .object({ cost: z.object({ min: z.number().nonnegative().nullish() }).partial().optional() })
    .partial()
    .default({}),
});

/** Numbers of ccxt's manual, "Precision mode". */
const DECIMAL_PLACES = 2;
const TICK_SIZE = 4;

/** An instrument from ccxt's unified market structure. */
export function readInstrument(symbol: PairSymbol, market: unknown, precisionMode: number): InstrumentFacts {
  const { precision, limits } = Market.parse(market);
  const step = (value: number | null | undefined): number | undefined => {
    if (value === null || value === undefined) return undefined;
    if (precisionMode === TICK_SIZE) return value;
    // Significant digits depend on the price: such a step is not one number.
    return precisionMode === DECIMAL_PLACES ? Number(`1e-${value}`) : undefined;
  };
  return {
    symbol,
    amountStep: step(precision.amount),
    priceTick: step(precision.price),
    minNotional: limits.cost?.min ?? undefined,
  };
}
