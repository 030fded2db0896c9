import { TIMEFRAME_MS } from '../../market/timeframe.ts';
import { type FeatureKernel, kernel } from '../feature.ts';

const shared = {
  group: 'time',
  source: 'UTC calendar of the close of the bar, when a decision is made',
  unit: 'index',
  inputs: ['time'],
} as const;

const HOUR_MS = TIMEFRAME_MS['1h'];
const DAY_MS = TIMEFRAME_MS['1d'];

const CYCLES = [
  { name: 'hour', about: 'hour of the day, with minutes as a fraction' },
  { name: 'weekday', about: 'day of the week, 0 Monday' },
  { name: 'month_day', about: 'day of the month, 1 the first' },
  { name: 'month', about: 'month, 1 January' },
  { name: 'quarter', about: 'quarter, 1 to 4' },
] as const;

const calendar = kernel(
  shared,
  [
    ...CYCLES.map(({ name, about }) => ({ name, about, warmUp: 0, unit: 'category' as const })),
    ...CYCLES.flatMap(({ name }) => [
      { name: `${name}_sin`, warmUp: 0, about: `sine of the place of ${name} in its cycle` },
      { name: `${name}_cos`, warmUp: 0, about: `cosine of the place of ${name} in its cycle` },
    ]),
    { name: 'weekend', warmUp: 0, unit: 'flag', about: '1 on Saturday and Sunday' },
    { name: 'month_end', warmUp: 0, unit: 'flag', about: '1 on the last three days of a month' },
  ],
  (timeframe) => {
    const length = TIMEFRAME_MS[timeframe];
    let today = NaN;
    return ({ time }, out) => {
      const close = time + length;
      const day = Math.floor(close / DAY_MS);
      const hour = (close - day * DAY_MS) / HOUR_MS;
      out[0] = hour;
      circle(out, 5, hour / 24);
      // The rest stands from the bar before.
      if (day === today) return;
      today = day;
      // 1970-01-01 was a Thursday.
      const weekday = (day + 3) % 7;
      const { month, dayOfMonth, daysInMonth } = civilDate(day);
      const quarter = Math.floor((month - 1) / 3);
      out[1] = weekday;
      out[2] = dayOfMonth;
      out[3] = month;
      out[4] = quarter + 1;
      circle(out, 7, weekday / 7);
      circle(out, 9, (dayOfMonth - 1) / daysInMonth);
      circle(out, 11, (month - 1) / 12);
      circle(out, 13, quarter / 4);
      out[15] = weekday >= 5 ? 1 : 0;
      out[16] = dayOfMonth > daysInMonth - 3 ? 1 : 0;
    };
  },
);

const sessions = kernel(
  shared,
  [
    { name: 'session_asia', warmUp: 0, unit: 'flag', about: '1 from 00:00 to 08:00 UTC' },
    { name: 'session_europe', warmUp: 0, unit: 'flag', about: '1 from 07:00 to 16:00 UTC' },
    { name: 'session_us', warmUp: 0, unit: 'flag', about: '1 from 13:00 to 22:00 UTC' },
    { name: 'session_overlap', warmUp: 0, unit: 'flag', about: '1 from 13:00 to 16:00 UTC, Europe and US' },
    {
      name: 'hours_to_funding',
      warmUp: 0,
      source: 'perpetual futures pay funding at 00:00, 08:00 and 16:00 UTC',
      about: 'hours until the next funding time, above 0 and at most 8',
    },
    {
      name: 'missing_bars',
      warmUp: 1,
      unit: 'bars',
      source: 'definition',
      about: 'bars missing between the previous bar and this one',
    },
    {
      name: 'days_since_halving',
      warmUp: 0,
      unit: 'days',
      source: 'Bitcoin block subsidy halvings',
      about: "days since Bitcoin's last halving; since the genesis block before the first",
    },
  ],
  (timeframe) => {
    const length = TIMEFRAME_MS[timeframe];
    let previous = NaN;
    return ({ time }, out) => {
      const close = time + length;
      const hour = (close % DAY_MS) / HOUR_MS;
      out[0] = hour < 8 ? 1 : 0;
      out[1] = hour >= 7 && hour < 16 ? 1 : 0;
      out[2] = hour >= 13 && hour < 22 ? 1 : 0;
      out[3] = hour >= 13 && hour < 16 ? 1 : 0;
      out[4] = 8 - (hour % 8);
      out[5] = Math.round((time - previous) / length) - 1;
      previous = time;
      let last = HALVINGS_MS[0];
      for (const halving of HALVINGS_MS) if (halving <= close) last = halving;
      out[6] = (close - last) / DAY_MS;
    };
  },
);

/** The genesis block and the blocks 210 000, 420 000, 630 000 and 840 000, as block times. */
const HALVINGS_MS = [1231006505000, 1354116278000, 1468082773000, 1589225023000, 1713571767000];

function circle(out: Float64Array, at: number, turn: number): void {
  out[at] = Math.sin(2 * Math.PI * turn);
  out[at + 1] = Math.cos(2 * Math.PI * turn);
}

/** Gregorian month and day of `day` days after 1970-01-01 (Hinnant, "chrono-compatible date algorithms"). */
function civilDate(day: number): { month: number; dayOfMonth: number; daysInMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return {
    month,
    dayOfMonth: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    daysInMonth: month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31,
  };
}

export const timeKernels: readonly FeatureKernel[] = [calendar, sessions];
