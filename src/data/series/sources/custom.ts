import { formatDay } from '../../../core/foundation/time.ts';
import { type SeriesName, seriesKind } from '../../../core/market/series-kinds.ts';
import { Unanswered } from '../../answer.ts';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { startOfDay } from '../read.ts';
import type { SeriesSource, SourceRow } from '../source.ts';

/** A JSON API as settings describe it. */
export interface CustomSeries {
  readonly series: SeriesName;
  /** `{asset}`, `{since}`, `{until}` (days) and `{sinceSeconds}`, `{untilSeconds}` are filled in. */
  readonly url: string;
  /** Header by header, the variable of the environment that holds its value. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON Pointers (RFC 6901): to the list of rows, and inside a row to its time and to the value of each column. */
  readonly rows: string;
  readonly time: string;
  readonly timeUnit: 'seconds' | 'milliseconds' | 'iso';
  readonly columns: Readonly<Record<string, string>>;
  /** What each column is multiplied by, to be in the unit of the series. */
  readonly factors: Readonly<Record<string, number>>;
  readonly laterMinutes: number;
}

/**
 * Any JSON API, from settings alone. The series' own columns, ranges and rule of when a row is known hold as for every other
 * source; `laterMinutes` comes on top. Rows of a daily series are put at the start of their day.
 */
export function customSource(
  id: string,
  custom: CustomSeries,
  headers: Readonly<Record<string, string>>,
): SeriesSource {
  const kind = seriesKind(custom.series);
  const { origin } = new URL(custom.url);
  return {
    id: `custom ${id}`,
    series: custom.series,
    baseUrl: origin,
    headers,
    laterMs: 60_000 * custom.laterMinutes,
    async *rows({ subject, sinceMs, nowMs, ask }) {
      const filled = custom.url.slice(origin.length).replaceAll(
        /\{(\w+)\}/g,
        (whole, name: string) =>
          ({
            asset: encodeURIComponent(subject),
            since: formatDay(sinceMs),
            until: formatDay(nowMs),
            sinceSeconds: String(Math.floor(sinceMs / 1000)),
            untilSeconds: String(Math.floor(nowMs / 1000)),
          })[name] ?? whole,
      );
      const list = at(await ask(filled), custom.rows);
      if (!Array.isArray(list) || list.length === 0)
        throw new Unanswered(`no list of rows at "${custom.rows}"`);
      yield list.map((row: unknown): SourceRow => {
        const timeMs = timeOf(at(row, custom.time), custom.timeUnit);
        const values = kind.columns.map(({ name }) => {
          const pointer = custom.columns[name];
          return pointer === undefined ? NaN : (custom.factors[name] ?? 1) * valueOf(at(row, pointer));
        });
        return { timeMs: kind.everyDay === true ? startOfDay(timeMs) : timeMs, values };
      });
    },
  };
}

/** What stands at a JSON Pointer; `undefined` for nothing. The empty pointer is the whole. */
function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Object.getOwnPropertyDescriptor(found, name)?.value;
  }
  return found;
}

function timeOf(value: unknown, unit: CustomSeries['timeUnit']): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // A time without a zone is UTC.
  const ms =
    unit === 'iso'
      ? Date.parse(/T.*(Z|[+-]\d\d:?\d\d)$|^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text}Z`)
      : valueOf(value) * (unit === 'seconds' ? 1000 : 1);
  if (Number.isFinite(ms)) return ms;
  throw new Unanswered(`"${plainLine(text, 40)}" where a time is expected`);
}

/** `NaN` for null and for nothing; throws `Unanswered` for what is no number. */
function valueOf(value: unknown): number {
  if (value === null || value === undefined || value === '') return NaN;
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
  if (Number.isFinite(number)) return number;
  throw new Unanswered(`"${plainLine(JSON.stringify(value), 40)}" where a number is expected`);
}
