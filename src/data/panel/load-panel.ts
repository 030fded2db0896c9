import { createHash } from 'node:crypto';
import { formatTime } from '../../core/foundation/time.ts';
import type { Doubt } from '../plausibility.ts';
import { candlesSha256 } from '../store/fingerprint.ts';
import { type DatasetManifest, describeKey } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import type { Panel, Series } from '../../core/dataset/panel.ts';
import type { BarLength } from '../../core/market/bar-length.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Feature } from '../../core/features/feature.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { findOddities } from '../../core/market/plausible.ts';
import { requireOneQuote } from '../../core/market/symbols.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { lateFeatures } from '../../core/features/late-features.ts';
import type { FeatureInputs, InputSources } from '../../core/features/inputs.ts';
import { computeColumns } from './feature-threads.ts';
import { loadInputs, type UsedInput } from './load-inputs.ts';
import { lengthsBeside, viewsBeside } from './load-views.ts';

export interface LoadedPanel extends Panel {
  readonly exchange: string;
  /** Open time of the oldest bar. */
  readonly firstTimeMs: number;
  /** Close time of the newest bar. */
  readonly untilMs: number;
  readonly synthetic: boolean;
  /**
   * SHA-256 of exchange, timeframe, symbols, every candle of every length that is read and, where features need them, every row of other inputs:
   * equal for equal data, however it was fetched.
   */
  readonly fingerprint: string;
  /** Of the whole datasets, in the order of the series. */
  readonly manifests: readonly DatasetManifest[];
  /** Bars of the range that are hard to believe. */
  readonly doubts: readonly Doubt[];
  /** What the features read beside the candles, symbol by symbol. */
  readonly inputs: readonly UsedInput[];
  /** Of the bars that stand beside, as `Series.views`. */
  readonly lengths: readonly BarLength[];
}

/** Candles of several symbols with what their features would be computed from. */
export interface LoadedMarket extends Omit<LoadedPanel, 'series'> {
  /** Without features. */
  readonly series: readonly Series[];
  /** What beside the candles was read for the features asked for, one entry a series. */
  readonly featureInputs: readonly FeatureInputs[];
}

export interface PanelRequest {
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  /**
   * The first bar that is read, and with it the first that features and forecasts are computed from. Many of
   * them depend on all bars before; give the same start to get the same bits. Default: the first stored bar.
   */
  readonly sinceMs?: number;
  /** Bars that open at or after this time are left out. */
  readonly untilMs?: number;
  readonly featureNames: readonly string[];
  /** Those that nobody reads in more than single precision: half the memory. */
  readonly single?: ReadonlySet<string> | undefined;
  /** Who reads them goes through the columns in their order and keeps none (`Model.readsColumns`): those that would not fit are worked out late. */
  readonly inOrder?: boolean | undefined;
  /** Bars of other lengths that are read beside, where they are stored for every symbol. */
  readonly lengths?: readonly BarLength[];
  /** Which markets features that need other inputs look at. */
  readonly sources: InputSources;
  /** The features that there are: ours and the user's. */
  readonly catalogue: readonly Feature[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The stored candles of several symbols with their features. Training, signals, backtest and paper trading all
 * look at the market through this one function, so they see the same numbers. Throws `UserError` when the symbols
 * are not quoted in one currency, or when a dataset or another input of a feature is absent, damaged or has no bar in the range.
 */
export const loadPanel = async (store: Store, request: PanelRequest): Promise<LoadedPanel> =>
  computePanel(await loadMarket(store, request), request);

/** The first half of `loadPanel`: everything but the features. */
export async function loadMarket(store: Store, request: Omit<PanelRequest, 'signal'>): Promise<LoadedMarket> {
  const { exchange, symbols, timeframe, sinceMs, untilMs, featureNames, sources, catalogue } = request;
  requireOneQuote(symbols);
  const about = { exchange, symbols, timeframe, lengths: request.lengths ?? [] };
  const { lengths, parts } = await lengthsBeside(store, about);
  const range = { ...(sinceMs !== undefined && { sinceMs }), ...(untilMs !== undefined && { untilMs }) };
  const loaded = await Promise.all(
    symbols.map(async (symbol) => {
      const key = { exchange, symbol, timeframe };
      const [manifest, candles] = await Promise.all([store.manifest(key), store.read(key, range)]);
      if (manifest === undefined || candles.time.length === 0) throw noBars(key, request);
      const closedMs = candles.time[candles.time.length - 1] + TIMEFRAME_MS[timeframe];
      const fromMs = candles.time[0];
      const { inputs, used } = await loadInputs(store, featureNames, {
        exchange,
        symbol,
        timeframe,
        sources,
        catalogue,
        fromMs,
        untilMs: closedMs,
      });
      const views = await viewsBeside(store, { ...about, lengths, symbol, fromMs, closedMs });
      const series: Series = {
        symbol,
        candles,
        features: { names: [], columns: [] },
        ...(lengths.length > 0 && { views }),
      };
      const doubt = { key, oddities: findOddities(candles, timeframe) };
      return { manifest, series, inputs, used, doubt };
    }),
  );
  const series = loaded.map((one) => one.series);
  const manifests = loaded.map(({ manifest }) => manifest);
  const inputs = loaded.flatMap(({ used }) => used);
  return {
    exchange,
    timeframe,
    series,
    manifests,
    inputs,
    lengths,
    featureInputs: loaded.map((one) => one.inputs),
    doubts: loaded.flatMap(({ doubt }) => (doubt.oddities.length > 0 ? [doubt] : [])),
    firstTimeMs: Math.min(...series.map(({ candles }) => candles.time[0])),
    untilMs:
      Math.max(...series.map(({ candles }) => candles.time[candles.time.length - 1])) +
      TIMEFRAME_MS[timeframe],
    synthetic: [...manifests, ...parts].some(({ synthetic }) => synthetic),
    fingerprint: fingerprintOf(exchange, timeframe, series, inputs),
  };
}

/** One gigabyte in single precision. */
const MOST_VALUES_HELD = 250_000_000;

/** The second half: the features, some or all of those that the market was loaded for. */
export async function computePanel(
  { featureInputs, ...market }: LoadedMarket,
  {
    featureNames,
    single = new Set(),
    inOrder = false,
    catalogue,
    signal,
  }: Pick<PanelRequest, 'featureNames' | 'single' | 'inOrder' | 'catalogue' | 'signal'>,
): Promise<LoadedPanel> {
  const { series, timeframe } = market;
  const values = featureNames.length * series.reduce((rows, { candles }) => rows + candles.time.length, 0);
  if (inOrder && values > MOST_VALUES_HELD) {
    const late = series.map((one, s) => {
      const of = { candles: one.candles, timeframe, inputs: featureInputs[s], known: catalogue };
      return { ...one, features: lateFeatures(featureNames, single, of) };
    });
    return { ...market, series: late };
  }
  const tables = await computeColumns(
    featureNames,
    series.map(({ candles }, s) => ({ candles, inputs: featureInputs[s] })),
    { timeframe, known: catalogue, single, signal },
  );
  return { ...market, series: series.map((one, s) => ({ ...one, features: tables[s] })) };
}

function fingerprintOf(
  exchange: string,
  timeframe: Timeframe,
  series: readonly Series[],
  inputs: readonly UsedInput[],
): string {
  const hash = createHash('sha256').update(`${exchange} ${timeframe}`);
  for (const { symbol, candles, views = [] } of series) {
    hash.update(`\n${symbol} ${candlesSha256(candles)}`);
    for (const view of views) hash.update(`\n${view.length} ${candlesSha256(view.candles)}`);
  }
  // In an order of their own: which feature asked for an input first does not matter.
  const lines = new Set(inputs.map(({ input, place, sha256 }) => `\n${input} ${place} ${sha256}`));
  for (const line of [...lines].toSorted()) hash.update(line);
  return hash.digest('hex');
}

function noBars(key: Parameters<typeof describeKey>[0], { sinceMs, untilMs }: PanelRequest): UserError {
  const iso = (ms: number | undefined, open: string): string => (ms === undefined ? open : formatTime(ms));
  const range = `from ${iso(sinceMs, 'the first bar')} until ${iso(untilMs, 'the last bar')}`;
  return new UserError(`The store holds no ${describeKey(key)} candles ${range}.`, {
    hint: 'Fetch them with `crypto-trader fetch`, or correct market.since and market.until.',
  });
}
