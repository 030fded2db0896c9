import { UserError } from '../../core/foundation/errors.ts';
import { CANDLE_COLUMNS } from '../../core/market/candles.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';

type Column = (typeof CANDLE_COLUMNS)[number];

/** Where each column of candles stands in a record, in the order of `CANDLE_COLUMNS`. */
export interface Layout {
  readonly positions: readonly number[];
  readonly hasHeader: boolean;
}

/** Header names in the wild, lower case, spaces and underscores removed. */
export const TIME_HEADERS: readonly string[] = [
  'timestamp',
  'opentime',
  'unix',
  'unixtime',
  'unixtimestamp',
  'time',
  'datetime',
  'date',
  't',
];

/** Header names of candles. */
const NAMES: Readonly<Record<Column, readonly string[]>> = {
  time: TIME_HEADERS,
  open: ['open', 'openprice', 'o'],
  high: ['high', 'highprice', 'h'],
  low: ['low', 'lowprice', 'l'],
  close: ['close', 'closeprice', 'c'],
  volume: ['volume', 'vol', 'v', 'basevolume', 'volumebase'],
};

/**
 * Finds the columns from a file's first record. Without a header (Binance's own archives have none) the
 * order is time, open, high, low, close, volume. `UserError` names what is missing.
 */
export function findLayout(
  first: readonly string[],
  options: { readonly path: string; readonly base: string },
): Layout {
  if (
    first.length >= 6 &&
    Number.isFinite(readTime(first[0])) &&
    first.slice(1, 6).every((field) => field.trim() !== '' && Number.isFinite(Number(field)))
  ) {
    return { positions: [0, 1, 2, 3, 4, 5], hasHeader: false };
  }
  const header = first.map(plainHeader);
  const positions = CANDLE_COLUMNS.map((column) => {
    const names =
      column === 'volume' ? [...NAMES.volume, `volume${options.base.toLowerCase()}`] : NAMES[column];
    return names.map((name) => header.indexOf(name)).find((position) => position >= 0) ?? -1;
  });
  const missing = CANDLE_COLUMNS.filter((_, i) => positions[i] < 0);
  if (missing.length > 0) {
    throw new UserError(
      `"${options.path}" has no column for ${missing.join(', ')}. Its first line is "${plainLine(first.join(','), 120)}".`,
      { hint: headerHint(first, 'timestamp,open,high,low,close,volume') },
    );
  }
  return { positions, hasHeader: true };
}

/** What to do about a first line that names no columns: it may be separated otherwise, or hold values already. */
export function headerHint(first: readonly string[], names: string): string {
  const separator = [';', '\t', '|'].find((mark) => first.length === 1 && first[0].includes(mark));
  if (separator !== undefined)
    return `Its fields are separated by ${separator === '\t' ? 'tabs' : `"${separator}"`}: save it with commas, and numbers with a decimal point.`;
  if (first.length > 1 && Number.isFinite(readTime(first[0])))
    return `The file begins with values: put a first line above them that names the columns, ${names}.`;
  return `Name the columns ${names} in the first line.`;
}

/** A header as the lists of names spell it. */
export const plainHeader = (name: string): string => name.toLowerCase().replaceAll(/[\s_"()]/g, '');

/**
 * Epoch milliseconds from seconds, milliseconds, micro- or nanoseconds (told apart by their size) or from an
 * ISO 8601 date or time, which is UTC unless it says otherwise. NaN when it is neither.
 */
export function readTime(field: string): number {
  const text = field.trim();
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text);
    if (value < 1e11) return Math.round(value * 1000);
    if (value < 1e14) return value;
    return value < 1e17 ? value / 1000 : value / 1e6;
  }
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (match === null) return NaN;
  const [, date, time = '00:00', zone = 'Z'] = match;
  return Date.parse(`${date}T${time}${zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
}
