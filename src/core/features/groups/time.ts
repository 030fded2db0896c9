import { TIMEFRAME_MS } from '../../market/timeframe.ts';
import { type Column, compute, derive } from '../columns/plan.ts';
import { type Feature, features, type Sources } from '../feature.ts';

const shared = {
  group: 'time',
  source: 'UTC calendar of the close of the bar, when a decision is made',
  unit: 'index',
  inputs: ['time'],
} as const;

const HOUR_MS = TIMEFRAME_MS['1h'];
const DAY_MS = TIMEFRAME_MS['1d'];

interface Day {
  /** After 1970-01-01. */
  readonly number: number;
  readonly weekday: number;
  readonly dayOfMonth: number;
  readonly daysInMonth: number;
  readonly month: number;
}

const CYCLES = [
  {
    name: 'hour',
    about: 'hour of the day, with minutes as a fraction',
    value: (_: Day, hour: number) => hour,
    turn: (_: Day, hour: number) => hour / 24,
  },
  {
    name: 'weekday',
    about: 'day of the week, 0 Monday',
    value: ({ weekday }: Day) => weekday,
    turn: ({ weekday }: Day) => weekday / 7,
  },
  {
    name: 'month_day',
    about: 'day of the month, 1 the first',
    value: ({ dayOfMonth }: Day) => dayOfMonth,
    turn: ({ dayOfMonth, daysInMonth }: Day) => (dayOfMonth - 1) / daysInMonth,
  },
  {
    name: 'month',
    about: 'month, 1 January',
    value: ({ month }: Day) => month,
    turn: ({ month }: Day) => (month - 1) / 12,
  },
  {
    name: 'quarter',
    about: 'quarter, 1 to 4',
    value: ({ month }: Day) => quarterOf(month) + 1,
    turn: ({ month }: Day) => quarterOf(month) / 4,
  },
] as const;

const quarterOf = (month: number): number => Math.floor((month - 1) / 3);

const calendar = features(shared, [
  ...CYCLES.map(({ name, about, value }) => ({
    name,
    about,
    warmUp: 0,
    unit: 'category' as const,
    column: (of: Sources) => at(of, name, value),
  })),
  ...CYCLES.flatMap(({ name, turn }) => [
    {
      name: `${name}_sin`,
      warmUp: 0,
      about: `sine of the place of ${name} in its cycle`,
      column: (of: Sources) => at(of, `${name} sin`, (day, hour) => Math.sin(2 * Math.PI * turn(day, hour))),
    },
    {
      name: `${name}_cos`,
      warmUp: 0,
      about: `cosine of the place of ${name} in its cycle`,
      column: (of: Sources) => at(of, `${name} cos`, (day, hour) => Math.cos(2 * Math.PI * turn(day, hour))),
    },
  ]),
  {
    name: 'weekend',
    warmUp: 0,
    unit: 'flag',
    about: '1 on Saturday and Sunday',
    column: (of) => at(of, 'weekend', ({ weekday }) => (weekday >= 5 ? 1 : 0)),
  },
  {
    name: 'month_end',
    warmUp: 0,
    unit: 'flag',
    about: '1 on the last three days of a month',
    column: (of) =>
      at(of, 'month end', ({ dayOfMonth, daysInMonth }) => (dayOfMonth > daysInMonth - 3 ? 1 : 0)),
  },
]);

/**
 * What `value` says of each close. It is asked once per hour of the day or day, whichever of the two it depends on,
 * and its answer stands until that changes: a calendar is slow to read.
 */
function at({ time, timeframe }: Sources, name: string, value: (day: Day, hour: number) => number): Column {
  const length = TIMEFRAME_MS[timeframe];
  const hourly = name.startsWith('hour');
  return derive(name, [time], (out) => {
    // Not remembered between sessions: it follows from the time.
    let [today, dayEnds] = [Infinity, -Infinity];
    let now = NaN;
    const ofMinute = hourly ? new Float64Array(1440).fill(NaN) : new Float64Array(0);
    return (rows) => {
      const { data: times, at: from } = time;
      const { data: outData, at: outAt } = out;
      for (let i = 0; i < rows; i++) {
        const close = times[from + i] + length;
        const isNewDay = close < today || close >= dayEnds;
        if (isNewDay) {
          today = DAY_MS * Math.floor(close / DAY_MS);
          dayEnds = today + DAY_MS;
        }
        if (hourly) {
          const ms = close - today;
          const minute = Math.floor(ms / 60_000);
          now = ms === minute * 60_000 ? ofMinute[minute] : NaN;
          if (now !== now) {
            now = value(dayOf(today / DAY_MS), ms / HOUR_MS);
            if (ms === minute * 60_000) ofMinute[minute] = now;
          }
        } else if (isNewDay) {
          now = value(dayOf(today / DAY_MS), 0);
        }
        outData[outAt + i] = now;
      }
    };
  });
}

const sessions = features(shared, [
  {
    name: 'session_asia',
    warmUp: 0,
    unit: 'flag',
    about: '1 from 00:00 to 08:00 UTC',
    column: (of) => between(of, 0, 8),
  },
  {
    name: 'session_europe',
    warmUp: 0,
    unit: 'flag',
    about: '1 from 07:00 to 16:00 UTC',
    column: (of) => between(of, 7, 16),
  },
  {
    name: 'session_us',
    warmUp: 0,
    unit: 'flag',
    about: '1 from 13:00 to 22:00 UTC',
    column: (of) => between(of, 13, 22),
  },
  {
    name: 'session_overlap',
    warmUp: 0,
    unit: 'flag',
    about: '1 from 13:00 to 16:00 UTC, Europe and US',
    column: (of) => between(of, 13, 16),
  },
  {
    name: 'hours_to_funding',
    warmUp: 0,
    source: 'perpetual futures pay funding at 00:00, 08:00 and 16:00 UTC',
    about: 'hours until the next funding time, above 0 and at most 8',
    column: ({ time, timeframe }) => compute('hoursToFunding', [time], [TIMEFRAME_MS[timeframe]]),
  },
  {
    name: 'missing_bars',
    warmUp: 1,
    unit: 'bars',
    source: 'definition',
    about: 'bars missing between the previous bar and this one',
    column: ({ time, timeframe }) => compute('missingBars', [time.keep(1)], [TIMEFRAME_MS[timeframe]]),
  },
  {
    name: 'days_since_halving',
    warmUp: 0,
    unit: 'days',
    source: 'Bitcoin block subsidy halvings',
    about: "days since Bitcoin's last halving; since the genesis block before the first",
    column: ({ time, timeframe }) =>
      compute('sinceHalving', [time], [TIMEFRAME_MS[timeframe], HALVINGS_MS.length], HALVINGS_MS),
  },
]);

/** 1 where a bar closes from `from` to before `to` o'clock UTC. */
const between = ({ time, timeframe }: Sources, from: number, to: number): Column =>
  compute('between', [time], [TIMEFRAME_MS[timeframe], from, to]);

/** The genesis block and the blocks 210 000, 420 000, 630 000 and 840 000, as block times. */
const HALVINGS_MS = [1231006505000, 1354116278000, 1468082773000, 1589225023000, 1713571767000];

/** Days that were asked for, each at its number modulo theirs: columns walk through the same days one after the other. */
const known = new Array<Day | undefined>(1024);

function dayOf(number: number): Day {
  const place = ((number % known.length) + known.length) % known.length;
  const before = known[place];
  if (before?.number === number) return before;
  // 1970-01-01 was a Thursday.
  return (known[place] = { number, weekday: (number + 3) % 7, ...civilDate(number) });
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

export const timeFeatures: readonly Feature[] = [...calendar, ...sessions];
