const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 2, minimumFractionDigits: 2 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

type Maybe = number | null | undefined;
/** JSON has no NaN and no `undefined`: what is not known is null there, or left out. */
export const known = (value: Maybe): value is number =>
  value !== null && value !== undefined && Number.isFinite(value);

/** What is not known is a dash, never a zero. */
export const NONE = '–';

export const money = (value: Maybe): string => (known(value) ? plain.format(value).replace('-', '−') : NONE);
export const count = (value: Maybe): string => (known(value) ? whole.format(value) : NONE);
export const fixed = (value: Maybe, digits = 2): string =>
  known(value) ? value.toFixed(digits).replace('-', '−') : NONE;
export const percent = (value: Maybe, digits = 2): string =>
  known(value) ? `${fixed(value, digits)} %` : NONE;
export const signed = (value: Maybe, digits = 2, unit = ' %'): string =>
  known(value) ? `${value > 0 ? '+' : ''}${fixed(value, digits)}${unit}` : NONE;
export const price = (value: Maybe): string => {
  if (!known(value)) return NONE;
  const digits = Math.max(2, Math.min(8, 5 - Math.floor(Math.log10(Math.abs(value) || 1))));
  return value.toLocaleString('en', {
    maximumFractionDigits: value >= 1000 ? 2 : digits,
    minimumFractionDigits: 2,
  });
};
export const amount = (value: Maybe): string => (known(value) ? String(Number(value.toPrecision(6))) : NONE);

/** `2026-02-13 10:20`, UTC as everywhere in the program. */
export const time = (value: string | number | null | undefined): string => {
  if (value === null || value === undefined) return NONE;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? NONE : date.toISOString().slice(0, 16).replace('T', ' ');
};
export const day = (value: string | number | null | undefined): string => time(value).slice(0, 10);
export const tone = (value: Maybe): 'up' | 'down' | '' =>
  !known(value) || value === 0 ? '' : value > 0 ? 'up' : 'down';

export function duration(seconds: Maybe): string {
  if (!known(seconds)) return NONE;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}
export const since = (iso: string | undefined, nowMs: number): string =>
  iso === undefined ? NONE : duration(Math.max(0, (nowMs - Date.parse(iso)) / 1000));
