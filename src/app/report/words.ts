import type { Cause } from '../../core/trading/events.ts';

/** What closed a trade, in words: a "target" is the position that a strategy wants, not a price. */
export const CAUSE_WORDS: Readonly<Record<Cause, string>> = {
  target: 'strategy',
  order: 'order',
  'stop-loss': 'stop-loss',
  'trailing-stop': 'trailing stop',
  'break-even': 'break-even',
  'take-profit': 'take-profit',
  'time-exit': 'time limit',
  liquidation: 'liquidation',
  delisted: 'delisted',
};

/** Endings of keys, and how they are said. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/Pct95$/, ' (95 %), %'],
  [/Pct$/, ', %'],
  [/Bps$/, ', bp'],
  [/Quote$/, ', quote currency'],
  [/Hours$/, ', hours'],
  [/Days$/, ', days'],
  [/Ms$/, ', ms'],
];

const ABBREVIATIONS: Readonly<Record<string, string>> = {
  cagr: 'CAGR',
  crps: 'CRPS',
  ece: 'ECE',
  pbo: 'PBO',
};

/** A key of settings or figures as a person says it: `maxDrawdownPct` is "Max drawdown, %". */
export function keyWords(key: string): string {
  const unit = UNITS.find(([ending]) => ending.test(key));
  const stem = unit === undefined ? key : key.replace(unit[0], '');
  const words = stem
    .replace(/([a-z])([A-Z0-9])/g, '$1 $2')
    .replace(/(\d)([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(' ')
    .map((word) => ABBREVIATIONS[word] ?? word);
  const text = words.join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${unit?.[1] ?? ''}`;
}

/** A setting as its words and its value's: spans of time in hours, numbers to six digits. */
export const settingWords = (key: string, value: unknown): readonly [name: string, value: string] =>
  /Ms$/.test(key) && typeof value === 'number'
    ? [`${keyWords(key.slice(0, -2))}, hours`, valueWords(value / 3_600_000)]
    : [keyWords(key), valueWords(value)];

/** A value as a person says it; `undefined` and `null`: none. */
export function valueWords(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueWords).join(', ');
  return Object.entries(value)
    .map(([key, one]) => settingWords(key, one).join(': '))
    .join('; ');
}
