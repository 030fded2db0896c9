import { isInverse } from '../../core/trading/accounts/worth.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';

/** An amount of money in as many digits as the start makes of use: 3 066 of 10 000, 0.071 of one coin. */
export const money = (value: number, initialBalance: number): string =>
  value.toFixed(moneyDigits(initialBalance));

export const moneyDigits = (initialBalance: number): number =>
  Math.max(0, 3 - Math.floor(Math.log10(initialBalance)));

/** What an account counts in. */
export const moneyUnit = (rules: ExecutionRules): string =>
  isInverse(rules) ? 'the coin' : 'quote currency';
