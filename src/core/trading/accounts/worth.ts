import type { ExecutionRules } from '../rules.ts';

/** Whether amounts are in the quote currency and money is in the coin. */
export const isInverse = ({ account }: ExecutionRules): boolean => account?.kind === 'inverse';

/**
 * What a position gains by, per unit of its amount: equity is cash plus amount x worth. A long inverse position of one
 * dollar, which was worth 1/p0 coins, has earned 1/p0 - 1/p: minus the reciprocal.
 */
export const worthAt = (inverse: boolean, price: number): number => (inverse ? -1 / price : price);

/** What an amount is worth in quote currency, per unit: what the least value of an order is measured in. */
export const quotePer = (inverse: boolean, price: number): number => (inverse ? 1 : price);

/** The value of a position per unit of its amount, without its sign. */
export const unitValue = (inverse: boolean, price: number): number => (inverse ? 1 / price : price);
