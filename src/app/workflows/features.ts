import { chronologicalSplit } from '../../core/dataset/splits.ts';
import { panelUntil } from '../../core/dataset/panel.ts';
import { featureSteps, streamFeatures } from '../../core/features/catalogue.ts';
import { findLeaks, type Leak } from '../../core/features/causality.ts';
import type { Feature } from '../../core/features/feature.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import type { Model } from '../../core/forecast/model.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { type Candles, lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { computeColumns } from '../../data/panel/feature-threads.ts';
import { type AbsentInput, absentInputs, loadInputs } from '../../data/panel/load-inputs.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import type { Store } from '../../data/store/store.ts';
import { inTurns } from '../../data/turns.ts';
import { type FeatureSelection, selectFeatures } from '../../learning/validation/select-features.ts';

/** Whose features. */
export interface FeatureMarket {
  readonly store: Store;
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly sources: InputSources;
  /** The features that there are: ours and the user's. */
  readonly catalogue: readonly Feature[];
}

/** What is not stored for at least one of the symbols, each input once. */
export async function absentOf({
  store,
  symbols,
  ...market
}: FeatureMarket): Promise<readonly AbsentInput[]> {
  const found = await Promise.all(symbols.map((symbol) => absentInputs(store, { ...market, symbol })));
  const merged = new Map<string, AbsentInput>();
  for (const one of found.flat()) {
    const before = merged.get(one.input);
    const asked = [...new Set([...(before?.symbols ?? []), ...one.symbols])];
    merged.set(one.input, { ...(before ?? one), symbols: asked });
  }
  return [...merged.values()];
}

/** All candles of a symbol, and what else its features look at: from the first bar on, since some never forget it. */
async function load(
  { store, exchange, timeframe, sources, catalogue }: FeatureMarket,
  symbol: PairSymbol,
  names: readonly string[],
) {
  const candles = await store.read({ exchange, symbol, timeframe });
  const { inputs } = await loadInputs(store, names, {
    exchange,
    symbol,
    timeframe,
    sources,
    catalogue,
    fromMs: candles.time[0],
    untilMs: Infinity,
  });
  return { candles, inputs };
}

export interface CheckedFeatures {
  readonly symbol: PairSymbol;
  readonly rows: number;
  /** Values that depend on later bars, with the time of their bar. */
  readonly leaks: readonly (Leak & { readonly timeMs: number })[];
}

/** So many values of features are held at a time, and once more of the history that was cut: half a gigabyte. */
const HELD_VALUES = 2 ** 25;

/** Computes features anew on history cut off at each quarter, and step by step: no value may change. */
export async function checkFeatures(
  market: FeatureMarket,
  names: readonly string[],
  {
    signal,
    onSymbol,
  }: { readonly signal: AbortSignal; readonly onSymbol: (done: number, symbol: PairSymbol) => void },
): Promise<readonly CheckedFeatures[]> {
  const { timeframe, catalogue } = market;
  const checked: CheckedFeatures[] = [];
  for (const [done, symbol] of market.symbols.entries()) {
    signal.throwIfAborted();
    onSymbol(done, symbol);
    const { candles, inputs } = await load(market, symbol, names);
    const rows = candles.time.length;
    const cuts = [1, 2, 3].map((quarter) => Math.floor((quarter * rows) / 4)).filter((cut) => cut > 0);
    const leaks: Leak[] = [];
    const atOnce = Math.max(1, Math.floor(HELD_VALUES / rows));
    for (let from = 0; from < names.length; from += atOnce) {
      const some = names.slice(from, from + atOnce);
      const search = findLeaks(some, candles, {
        timeframe,
        inputs,
        compute: (seen, known) => featureSteps(some, seen, timeframe, known, catalogue),
        stream: (known) => streamFeatures(some, timeframe, known, catalogue),
        cuts,
      });
      leaks.push(...(await inTurns(search, signal)));
    }
    checked.push({
      symbol,
      rows,
      leaks: leaks.map((leak) => ({ ...leak, timeMs: candles.time[leak.row] })),
    });
  }
  return checked;
}

/** Bars of a range, or the newest before its end. */
interface ValueRange {
  readonly sinceMs: number | undefined;
  readonly untilMs: number;
  /** The newest bars, without `sinceMs`. */
  readonly rows: number;
  /** More values than so many are refused. */
  readonly most: number;
}

export interface FeatureValues {
  readonly symbol: PairSymbol;
  /** Open time of each bar, epoch milliseconds. */
  readonly times: Float64Array;
  /** One a feature; NaN during its warm-up. */
  readonly columns: readonly Float64Array[];
}

/** Values of features on stored bars. Throws `UserError` when the range holds no bar or too many. */
export async function featureValues(
  market: FeatureMarket,
  names: readonly string[],
  { signal, ...range }: ValueRange & { readonly signal: AbortSignal },
): Promise<readonly FeatureValues[]> {
  const { timeframe, catalogue } = market;
  const series: FeatureValues[] = [];
  let asked = 0;
  for (const symbol of market.symbols) {
    signal.throwIfAborted();
    const { candles, inputs } = await load(market, symbol, names);
    const [from, to] = rowsOf(candles, range);
    if (from >= to) {
      throw new UserError(`There are no bars of ${symbol} ${timeframe} in that range.`, {
        hint: `Stored are ${formatMinute(candles.time[0])} to ${formatMinute(candles.time[candles.time.length - 1])}; --since and --until choose among them.`,
      });
    }
    asked += (to - from) * names.length;
    if (asked > range.most) {
      throw new UserError(`That is more than ${range.most / 1e6} million values, too many to print.`, {
        hint: 'Choose a shorter range with --since and --until, or fewer features.',
      });
    }
    const [{ columns }] = await computeColumns(names, [{ candles, inputs }], {
      timeframe,
      known: catalogue,
      signal,
    });
    series.push({
      symbol,
      times: candles.time.slice(from, to),
      columns: columns.map((column) => Float64Array.from(column.subarray(from, to))),
    });
  }
  return series;
}

function rowsOf({ time }: Candles, { sinceMs, untilMs, rows }: ValueRange): readonly [number, number] {
  const to = lowerBound(time, untilMs);
  return [sinceMs === undefined ? Math.max(0, to - rows) : lowerBound(time, sinceMs), to];
}

export interface SelectionRequest {
  readonly names: readonly string[];
  /** One that can be asked about single rows. */
  readonly model: Model;
  /** Its parameters for a list of features. */
  readonly params: (names: readonly string[]) => { readonly horizonBars: number };
  readonly sinceMs: number;
  /** Shares of the bars, in percent, that selection does not look at. */
  readonly shares: { readonly validationPct: number; readonly testPct: number };
  readonly folds: number;
  readonly repeats: number;
  readonly sameAbove: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  /** Features without any value: a pair has no correlation with the benchmark that it is itself. */
  readonly onLeftOut: (names: readonly string[]) => void;
}

export interface SelectedFeatures extends FeatureSelection {
  /** Candidates: those asked for that have a value somewhere. */
  readonly names: readonly string[];
  readonly horizonBars: number;
  /** The training bars, which alone were looked at. */
  readonly span: { readonly fromMs: number; readonly untilMs: number };
}

/** Which features carry something that others do not, by the training bars alone. */
export async function rankFeatures(
  market: FeatureMarket,
  { names: asked, sinceMs, shares, onLeftOut, ...request }: SelectionRequest,
): Promise<SelectedFeatures> {
  const { horizonBars } = request.params(asked);
  const { store, ...rest } = market;
  const loaded = await loadPanel(store, { ...rest, sinceMs, featureNames: asked, signal: request.signal });
  const isKnown = (f: number): boolean =>
    loaded.series.some(({ features }) => features.columns[f].some((value) => !Number.isNaN(value)));
  const names = asked.filter((_, f) => isKnown(f));
  if (names.length < asked.length) onLeftOut(asked.filter((_, f) => !isKnown(f)));
  const span = { fromMs: loaded.firstTimeMs, untilMs: loaded.untilMs };
  const { trainUntilMs } = chronologicalSplit(span, market.timeframe, shares);
  const selection = await selectFeatures({
    ...request,
    panel: panelUntil(loaded, trainUntilMs),
    names,
    horizonBars,
    validationPct: shares.validationPct,
  });
  return {
    ...selection,
    names,
    horizonBars,
    span: { ...span, untilMs: trainUntilMs },
  };
}
