import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { knownMsOf, seriesFault, type SeriesKind, seriesKind } from '../../core/market/series-kinds.ts';
import { knownAt, sliceSeries, type TimedSeries } from '../../core/market/timed-series.ts';
import { answerOf, Unanswered } from '../answer.ts';
import { createPatience } from '../patience.ts';
import { SourceUnavailable } from '../source.ts';
import { describeSeries } from '../store/series-manifest.ts';
import type { SeriesChange, SeriesKey, SeriesStore } from '../store/series-store.ts';
import type { SeriesSource, SourceRow } from './source.ts';

export interface SeriesUpdate {
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs?: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Brings a series up to date from its source: rows that are stored stay as they were first known, what came after them is
 * added once it counts as known by the kind's rule. A page with a row that cannot be is not taken in at all. Throws
 * `SourceUnavailable` when the source does not answer, `UserError` when it has nothing.
 */
export async function updateFromSource(
  store: SeriesStore,
  key: SeriesKey,
  source: SeriesSource,
  options: SeriesUpdate,
): Promise<SeriesChange> {
  const { sinceMs, nowMs, signal, log, retries } = options;
  const kind = seriesKind(key.name);
  const before = await store.manifest(key);
  const complete = before?.askedSinceMs !== undefined && before.askedSinceMs <= sinceMs;
  const fromMs = complete ? before.lastTimeMs + 1 : sinceMs;
  const patience = createPatience({
    name: source.id,
    retries,
    ...(options.retryDelayMs === undefined ? {} : { firstDelayMs: options.retryDelayMs }),
    isTransient: (error) => error instanceof Unanswered,
    log,
  });
  const ask = async (path: string): Promise<unknown> => {
    const answer = await answerOf(`${source.baseUrl}${path}`, {
      headers: { Accept: 'application/json', 'User-Agent': 'Mozilla/5.0', ...source.headers },
      timeoutMs: options.timeoutMs,
      signal,
    });
    patience.heed(answer.status, answer.headers);
    if (answer.status !== 200)
      throw new Unanswered(
        `status ${answer.status}: ${plainLine(answer.body.replaceAll(/<[^>]*>/g, ' '), 100)}`,
      );
    try {
      return JSON.parse(answer.body);
    } catch {
      throw new Unanswered(`no JSON: "${plainLine(answer.body, 60)}"`);
    }
  };
  const pages = await patience
    .call(async () => {
      const found: SourceRow[] = [];
      for await (const page of source.rows({ subject: key.subject, sinceMs: fromMs, nowMs, ask }))
        found.push(...page);
      return inOrder(kind, found, { fromMs, laterMs: source.laterMs ?? 0 });
    }, signal)
    .catch((error: unknown) => {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof Unanswered)) throw error;
      throw new SourceUnavailable(`${source.id} cannot be reached or is not answering: ${error.message}`, {
        hint: `Tried ${retries === 0 ? 'once' : `${retries + 1} times`}. Check the network, or try again later.`,
        cause: error,
      });
    });
  const known = knownAt(pages, nowMs);
  const origin = { source: source.id, askedSinceMs: sinceMs };
  if (known.time.length === 0 && before === undefined)
    throw new UserError(`${source.id} has no ${describeSeries(key)} from ${formatTime(sinceMs)} on.`, {
      hint: 'Check --since, and features.benchmark.',
    });
  const change = await store.merge(
    key,
    known.time.length === 0 ? sliceSeries(await store.read(key), 0, 0) : known,
    origin,
  );
  const { columns } = await store.read(key);
  const lacking = kind.columns.flatMap(({ name }) => (columns[name].every(Number.isNaN) ? [name] : []));
  return { ...change, ...(lacking.length > 0 && { lacking }) };
}

/** The rows in the order of time from `fromMs` on, known by the kind's rule and `laterMs`. Throws `Unanswered` for a row that cannot be. */
function inOrder(
  kind: SeriesKind,
  rows: readonly SourceRow[],
  { fromMs, laterMs }: { readonly fromMs: number; readonly laterMs: number },
): TimedSeries {
  const sorted = rows
    .filter(({ values }) => values.some((value) => !Number.isNaN(value)))
    .toSorted((a, b) => a.timeMs - b.timeMs);
  for (const [i, { timeMs, values }] of sorted.entries()) {
    if (!Number.isFinite(timeMs)) throw new Unanswered('a row without a time');
    if (i > 0 && sorted[i - 1].timeMs === timeMs) throw new Unanswered(`two rows of ${formatTime(timeMs)}`);
    const fault = seriesFault(kind, timeMs, values);
    if (fault !== undefined) throw new Unanswered(`${formatTime(timeMs)}: ${fault}`);
  }
  const asked = sorted.filter(({ timeMs }) => timeMs >= fromMs);
  const time = Float64Array.from(asked, ({ timeMs }) => timeMs);
  return {
    time,
    known: time.map((timeMs) => knownMsOf(kind, timeMs) + laterMs),
    columns: Object.fromEntries(
      kind.columns.map(({ name }, at) => [name, Float64Array.from(asked, ({ values }) => values[at])]),
    ),
  };
}
