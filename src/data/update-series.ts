import { formatTime } from '../core/foundation/time.ts';
import { UserError } from '../core/foundation/errors.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import { knownAt, sliceSeries } from '../core/market/timed-series.ts';
import type { ExchangeClient } from './exchange/client.ts';
import type { HistoryName } from './exchange/history.ts';
import { describeSeries, type SeriesManifest } from './store/series-manifest.ts';
import type { SeriesChange, SeriesKey, SeriesStore } from './store/series-store.ts';

/**
 * Brings a series that its exchange keeps a history of up to date, in durable steps: what is stored stays, and a call
 * that was killed is asked again from its start. Throws `UserError` when there is nothing, or the exchange cannot be reached.
 */
export async function updateSeries(
  store: SeriesStore,
  key: SeriesKey & { readonly name: HistoryName },
  asked: {
    readonly client: ExchangeClient;
    readonly symbol: PairSymbol;
    readonly sinceMs: number;
    /** Rows that begin here or later are not asked for, unless stored ones lie behind them. */
    readonly untilMs?: number;
    readonly signal: AbortSignal;
  },
): Promise<SeriesChange> {
  const { client, symbol, sinceMs, untilMs = Infinity, signal } = asked;
  const before = await store.manifest(key);
  const nowMs = Math.min(await client.clockMs(signal), Date.now() + CLOCK_TOLERANCE_MS);
  let manifest: SeriesManifest | undefined = before;
  let revisedRows = 0;
  const range = {
    sinceMs: resumeMs(before, sinceMs),
    untilMs: Math.max(untilMs, before?.lastTimeMs ?? -Infinity),
  };
  const pages = client.history(key.name, { symbol, ...range, nowMs, signal });
  for await (const page of pages) {
    const known = knownAt(page, nowMs);
    if (known.time.length === 0) continue;
    const change = await store.merge(key, known, { source: client.id });
    manifest = change.manifest;
    revisedRows += change.revisedRows;
    signal.throwIfAborted();
  }
  if (manifest === undefined) {
    throw new UserError(`${client.name} has no ${describeSeries(key)} from ${formatTime(sinceMs)} on.`, {
      hint: 'Check --symbols and --since; exchanges keep open interest for about 30 days.',
    });
  }
  const nothing = sliceSeries(await store.read(key), 0, 0);
  ({ manifest } = await store.merge(key, nothing, { source: client.id, askedSinceMs: sinceMs }));
  return { manifest, addedRows: manifest.rows - (before?.rows ?? 0), revisedRows };
}

const CLOCK_TOLERANCE_MS = 60_000;

/** Rows before the stored ones are asked for once; then only what came after them. */
const resumeMs = (before: SeriesManifest | undefined, sinceMs: number): number =>
  before?.askedSinceMs !== undefined && before.askedSinceMs <= sinceMs
    ? Math.max(sinceMs, before.lastTimeMs + 1)
    : sinceMs;
