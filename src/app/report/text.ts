import { formatDay, formatMinute } from '../../core/foundation/time.ts';

/** Figures as a report writes them; `-` where there is none. */
export const figure = (value: number | undefined, digits = 1): string =>
  value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(digits);

export const band = (interval: { readonly low: number; readonly high: number } | undefined): string =>
  interval === undefined ? '-' : `${figure(interval.low)} to ${figure(interval.high)}`;

/** Significant digits without an exponent's worth of zeros. */
export const digits = (value: number, count: number): string => String(Number(value.toPrecision(count)));

export { formatDay as day, formatMinute as minute };
