import { UserError } from '../../core/foundation/errors.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { type EndedHistory, endedHistories } from '../../core/market/history-end.ts';
import type { Oddity } from '../../core/market/plausible.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type FailedSymbol, fetchDatasets, type FetchRequest, type SourceKind } from '../../data/fetch.ts';
import { datasetOddities, type Doubt } from '../../data/plausibility.ts';
import type { DatasetManifest } from '../../data/store/store.ts';
import { updateDataset, type UpdateResult } from '../../data/update.ts';
import type { SourcePlugin } from '../plugins/define.ts';

/** A file, or a folder with one for every symbol. */
interface CsvFiles {
  readonly kind: 'csv';
  readonly path: string;
  /** Whether candles are taken even if no market does what they say. */
  readonly accepts: (symbol: PairSymbol) => boolean;
}

/** A source that this program knows, and how patiently it is asked. */
interface KnownSource extends Pick<
  FetchRequest,
  'source' | 'yahooUrl' | 'seed' | 'concurrency' | 'timeoutMs' | 'retries'
> {
  readonly kind: 'known';
  /** Another host that speaks the exchange's API. */
  readonly baseUrl?: string | undefined;
}

/** A source of the user's own. */
interface OwnSource {
  readonly kind: 'own';
  readonly source: SourcePlugin;
}

/** Which candles, from where. */
export interface CandlesWanted extends Pick<
  FetchRequest,
  'store' | 'symbols' | 'timeframe' | 'sinceMs' | 'untilMs' | 'signal' | 'log'
> {
  /** The name under which they are stored. */
  readonly exchange: string;
  readonly from: CsvFiles | KnownSource | OwnSource;
  /** Damaged files are set aside first, and their months fetched again. */
  readonly repair: boolean;
  readonly askGapsAgain: boolean;
  readonly skipBadBars: boolean;
}

export type FetchEvent =
  | { readonly kind: 'set-aside'; readonly fault: string }
  | { readonly kind: 'progress'; readonly symbol: PairSymbol; readonly done: number; readonly total: number };

export interface FetchedDataset extends UpdateResult {
  /** Where its history ends before what was asked for; for files, before others of their exchange. */
  readonly ended: EndedHistory | undefined;
}

export interface FetchedCandles {
  /** Where they came from: a source of ours, the id of the user's own, or `csv`. */
  readonly source: string;
  /** Sources that `auto` tried before, and why they would not do. */
  readonly passedOver: readonly { readonly source: SourceKind; readonly reason: string }[];
  readonly datasets: readonly FetchedDataset[];
  readonly failed: readonly FailedSymbol[];
  /** What is hard to believe of the datasets that have new bars. */
  readonly doubts: readonly Doubt[];
}

/**
 * Brings stored candles up to date. Killed at any moment, the same call asks only for what is missing. Throws `UserError`
 * for an empty range, files that cannot be read and sources that have nothing, and `signal.reason` when aborted.
 */
export async function fetchCandles(
  wanted: CandlesWanted,
  onEvent: (event: FetchEvent) => void,
): Promise<FetchedCandles> {
  const { store, exchange, symbols, timeframe, sinceMs, untilMs } = wanted;
  requireSpan(sinceMs, untilMs);
  if (wanted.repair)
    for (const symbol of symbols)
      for (const fault of await store.repair({ exchange, symbol, timeframe }))
        onEvent({ kind: 'set-aside', fault });
  const odd = new Map<UpdateResult, readonly Oddity[]>();
  const onUpdated = async (dataset: UpdateResult): Promise<void> => {
    if (dataset.addedRows > 0) odd.set(dataset, await datasetOddities(store, dataset.manifest));
  };
  const onProgress: Events['onProgress'] = (symbol, done, total) =>
    onEvent({ kind: 'progress', symbol, done, total });
  const { datasets, ...found } = await load(wanted, { onProgress, onUpdated });
  const ofFiles = wanted.from.kind === 'csv';
  const stored = ofFiles ? await store.list() : [];
  return {
    ...found,
    datasets: datasets.map((dataset) => ({
      ...dataset,
      ended: ofFiles ? earlyEnd(dataset.manifest, stored) : endBefore(dataset.manifest, untilMs),
    })),
    doubts: datasets.flatMap((dataset) => {
      const oddities = odd.get(dataset);
      return oddities === undefined ? [] : [{ key: dataset.manifest, oddities }];
    }),
  };
}

/** Throws `UserError` for a range that has no bar. */
export function requireSpan(sinceMs: number, untilMs: number): void {
  if (sinceMs < untilMs) return;
  const [from, to] = [formatMinute(sinceMs), formatMinute(untilMs)];
  throw new UserError(
    sinceMs === untilMs
      ? `The range is empty: it begins and ends at ${from}.`
      : `The range ends (${to}) before it begins (${from}).`,
    { hint: 'Swap --since and --until, or correct market.since and market.until in config.yaml.' },
  );
}

type Loaded = Omit<FetchedCandles, 'datasets' | 'doubts'> & { readonly datasets: readonly UpdateResult[] };

type Events = Required<Pick<FetchRequest, 'onProgress' | 'onUpdated'>>;

async function load({ from, ...wanted }: CandlesWanted, events: Events): Promise<Loaded> {
  switch (from.kind) {
    case 'known': {
      const { baseUrl, ...source } = from;
      const exchange = { id: wanted.exchange, baseUrl };
      return fetchDatasets({ ...wanted, ...source, ...events, exchange });
    }
    case 'own':
      return {
        source: from.source.id,
        passedOver: [],
        failed: [],
        datasets: await fromOwn(wanted, from, events),
      };
    case 'csv':
      return { source: 'csv', passedOver: [], failed: [], datasets: await fromFiles(wanted, from, events) };
  }
}

/** One symbol after the other: nobody knows how much a source of the user's own can bear. */
async function fromOwn(
  wanted: Omit<CandlesWanted, 'from'>,
  { source }: OwnSource,
  { onProgress, onUpdated }: Events,
): Promise<readonly UpdateResult[]> {
  const { exchange, symbols, timeframe } = wanted;
  const datasets: UpdateResult[] = [];
  for (const symbol of symbols) {
    const dataset = await updateDataset({
      ...wanted,
      key: { exchange, symbol, timeframe },
      openSource: async () => source.open(),
      onProgress: (done, total) => onProgress(symbol, done, total),
    });
    await onUpdated(dataset);
    datasets.push(dataset);
  }
  return datasets;
}

async function fromFiles(
  { store, exchange, symbols, timeframe, sinceMs, untilMs }: Omit<CandlesWanted, 'from'>,
  files: CsvFiles,
  { onUpdated }: Events,
): Promise<readonly UpdateResult[]> {
  const { csvPathFor, importCsv } = await import('../../data/csv/import.ts');
  const datasets: UpdateResult[] = [];
  for (const symbol of symbols) {
    const path = await csvPathFor(files.path, { symbol, timeframe, alone: symbols.length === 1 });
    const acceptImplausible = files.accepts(symbol);
    const key = { exchange, symbol, timeframe };
    const dataset = await importCsv(store, key, { path, sinceMs, untilMs, acceptImplausible });
    await onUpdated(dataset);
    datasets.push(dataset);
  }
  return datasets;
}

/** Where a history ends before the newest stored one of its exchange and bar length. */
export function earlyEnd(
  manifest: DatasetManifest,
  stored: readonly DatasetManifest[],
): EndedHistory | undefined {
  const peers = stored.filter(
    ({ exchange, timeframe }) => exchange === manifest.exchange && timeframe === manifest.timeframe,
  );
  const newestMs = Math.max(...peers.map(({ lastTimeMs }) => lastTimeMs));
  return endedHistories([manifest], manifest.timeframe, newestMs)[0];
}

/** Where it ends before the bars that were asked for, the newest of which may still be on its way. */
function endBefore(manifest: DatasetManifest, untilMs: number): EndedHistory | undefined {
  const { timeframe } = manifest;
  const step = TIMEFRAME_MS[timeframe];
  const askedMs = Math.min(Math.ceil(untilMs / step) * step, barOpen(Date.now(), timeframe)) - step;
  return endedHistories([manifest], timeframe, askedMs).find(({ barsBehind }) => barsBehind > 1);
}
