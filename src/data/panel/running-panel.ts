import type { Panel, Series } from '../../core/dataset/panel.ts';
import { type FeatureStream, inputsOf, streamFeatures } from '../../core/features/catalogue.ts';
import { type InputName, type InputPlace, inputPlace } from '../../core/features/inputs.ts';
import { type Candles, CANDLE_COLUMNS, candlesBetween } from '../../core/market/candles.ts';
import { closedBars, knownAt, type TimedSeries } from '../../core/market/timed-series.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { DatasetKey, Store } from '../store/store.ts';
import { inTurns } from '../turns.ts';
import { type Growing, growing } from './growing.ts';
import { type LoadedPanel, loadMarket, type PanelRequest } from './load-panel.ts';
import { viewsBeside } from './load-views.ts';
import { type BarView, viewAt } from '../../core/dataset/bar-views.ts';

/** A panel that bars are added to as they close: a bar costs the same however many are stored. */
export interface RunningPanel {
  /** The newest rows of every symbol, `keepBars` or more. Good until the next `advance`. */
  readonly panel: Panel;
  /** The newest bar of all, its open. */
  readonly lastMs: number;
  /**
   * Adds the bars that the store has behind `lastMs`, up to `untilMs`. False: what lies before has changed, or came late, and the
   * panel has to be read again from its first bar; it is not to be used any more.
   */
  advance(untilMs: number): Promise<boolean>;
}

/** Rows through the features at once, when a whole history goes through them. */
const BLOCK_ROWS = 512;

/**
 * The panel of `loadPanel`, whole, and with it one to go on from its last bar. Both have the same bits: features are
 * streamed from the first bar on through the code that computes whole columns.
 */
export async function startPanel(
  store: Store,
  request: PanelRequest,
  keepBars: number,
): Promise<{ readonly whole: LoadedPanel; readonly running: RunningPanel }> {
  const { featureInputs, ...market } = await loadMarket(store, request);
  const { exchange, timeframe, featureNames, catalogue, signal } = request;
  const { lengths } = market;
  const series: Series[] = [];
  const followed: Followed[] = [];
  for (const [s, { symbol, candles, views }] of market.series.entries()) {
    const inputs: FollowedInput[] = [];
    for (const name of inputsOf(featureNames, catalogue)) {
      const first = featureInputs[s][name];
      const place = inputPlace(name, { ...request, symbol });
      if (first === undefined || place === undefined) continue;
      const next = await followInput(store, place, first, timeframe);
      inputs.push({ name, series: { ...first }, next });
    }
    const streamed = Object.fromEntries(inputs.map((one) => [one.name, one.series]));
    const stream = streamFeatures(
      featureNames,
      timeframe,
      { ...featureInputs[s], ...streamed },
      catalogue,
      BLOCK_ROWS,
    );
    const features = await inTurns(stream.appendSteps(candles), signal);
    series.push({ symbol, candles, features, ...(views && { views }) });
    followed.push({
      symbol,
      stream,
      inputs,
      rows: await followRows(store, { exchange, symbol, timeframe }, candles.time),
      candles: CANDLE_COLUMNS.map((column) => growing(candles[column], keepBars)),
      features: features.columns.map((column) => growing(column, keepBars)),
      views,
      closedMs: candles.time[candles.time.length - 1] + TIMEFRAME_MS[timeframe],
      readViews: (closedMs) =>
        viewsBeside(store, { exchange, symbol, timeframe, lengths, fromMs: candles.time[0], closedMs }),
    });
  }
  const whole: LoadedPanel = { ...market, series };
  return { whole, running: runOn(followed, whole, request) };
}

interface Followed {
  readonly symbol: Series['symbol'];
  readonly stream: FeatureStream;
  readonly inputs: readonly FollowedInput[];
  readonly rows: FollowedRows;
  readonly candles: readonly Growing[];
  readonly features: readonly Growing[];
  /** Bars of other lengths, where such are read, as they were known at `closedMs`. */
  views: readonly BarView[] | undefined;
  closedMs: number;
  readonly readViews: (closedMs: number) => Promise<readonly BarView[]>;
}

/** Whether the view is what it was at `closedMs`, and what closed since: no bar came late. */
const onlyLonger = (view: BarView, before: BarView | undefined, closedMs: number): boolean =>
  viewAt(view, closedMs).known.length === before?.known.length;

interface FollowedInput {
  readonly name: InputName;
  /** What the features read: it is written to. */
  readonly series: { -readonly [Key in keyof TimedSeries]: TimedSeries[Key] };
  readonly next: Awaited<ReturnType<typeof followInput>>;
}

function runOn(
  followed: readonly Followed[],
  whole: LoadedPanel,
  { featureNames }: PanelRequest,
): RunningPanel {
  const step = TIMEFRAME_MS[whole.timeframe];
  const view = (): Panel => ({
    timeframe: whole.timeframe,
    series: followed.map(({ symbol, candles, features, views }) => {
      const [time, open, high, low, close, volume] = candles.map((column) => column.view);
      return {
        symbol,
        candles: { time, open, high, low, close, volume },
        features: { names: featureNames, columns: features.map((column) => column.view) },
        ...(views && { views }),
      };
    }),
  });
  let panel = view();
  let lastMs = whole.untilMs - step;
  return {
    get panel() {
      return panel;
    },
    get lastMs() {
      return lastMs;
    },
    async advance(untilMs) {
      const found = await Promise.all(followed.map(({ rows }) => rows.next(lastMs, untilMs)));
      for (const { series, next } of followed.flatMap(({ inputs }) => inputs)) {
        const longer = await next(lastMs);
        if (longer === false) return false;
        Object.assign(series, longer);
      }
      if (!found.every((candles) => candles !== undefined)) return false;
      for (const [s, { time }] of found.entries()) {
        const one = followed[s];
        if (one.views === undefined || time.length === 0) continue;
        const closedMs = time[time.length - 1] + step;
        const views = await one.readViews(closedMs);
        if (!views.every((view, v) => onlyLonger(view, one.views?.[v], one.closedMs))) return false;
        [one.views, one.closedMs] = [views, closedMs];
      }
      for (const [s, closed] of found.entries()) {
        const { stream, candles, features } = followed[s];
        const { columns } = stream.append(closed);
        CANDLE_COLUMNS.forEach((column, c) => candles[c].add(closed[column]));
        columns.forEach((column, c) => features[c].add(column));
        if (closed.time.length > 0) lastMs = Math.max(lastMs, closed.time[closed.time.length - 1]);
      }
      panel = view();
      return true;
    },
  };
}

interface FollowedRows {
  /** The stored bars behind those seen, before `untilMs`; `undefined`: the dataset has got others, up to `lastMs`. */
  next(lastMs: number, untilMs: number): Promise<Candles | undefined>;
}

/** Follows a dataset of which the bars of `time` were read. All are counted, so that none comes in between unseen. */
async function followRows(store: Store, key: DatasetKey, time: Float64Array): Promise<FollowedRows> {
  const behind = async (lastMs: number): Promise<{ candles: Candles; before: number } | undefined> => {
    for (;;) {
      const manifest = await store.manifest(key);
      if (manifest === undefined) return undefined;
      const candles = await store.read(key, { sinceMs: lastMs + 1 });
      // Another process may have added bars in between.
      if ((await store.manifest(key))?.sha256 === manifest.sha256)
        return { candles, before: manifest.rows - candles.time.length };
    }
  };
  let newestMs = time[time.length - 1] ?? -Infinity;
  let seen = (await behind(newestMs))?.before;
  return {
    async next(lastMs, untilMs) {
      const found = await behind(newestMs);
      if (found === undefined || found.before !== seen) return undefined;
      const candles = candlesBetween(found.candles, -Infinity, untilMs);
      const rows = candles.time.length;
      if (rows === 0) return candles;
      if (candles.time[0] <= lastMs) return undefined;
      newestMs = candles.time[rows - 1];
      seen += rows;
      return candles;
    },
  };
}

/** Follows another input; `next` gives all of its rows where there are more, `false` where some should have been there. */
async function followInput(
  store: Store,
  place: InputPlace,
  first: TimedSeries,
  timeframe: Timeframe,
): Promise<(lastMs: number) => Promise<TimedSeries | undefined | false>> {
  if (place.kind === 'candles') {
    const { exchange, symbol } = place;
    const rows = await followRows(store, { exchange, symbol, timeframe }, first.time);
    const time = growing(first.time, Infinity);
    const known = growing(first.known, Infinity);
    const columns = Object.entries(first.columns).map(
      ([name, column]) => [name, growing(column, Infinity)] as const,
    );
    return async (lastMs) => {
      const found = await rows.next(lastMs, Infinity);
      if (found === undefined) return false;
      if (found.time.length === 0) return undefined;
      const more = closedBars(found, timeframe);
      time.add(more.time);
      known.add(more.known);
      for (const [name, column] of columns) column.add(more.columns[name]);
      const all = Object.fromEntries(columns.map(([name, column]) => [name, column.view]));
      return { time: time.view, known: known.view, columns: all };
    };
  }
  let rows = first;
  let sha256 = (await store.series.manifest(place))?.sha256;
  return async (lastMs) => {
    const now = (await store.series.manifest(place))?.sha256;
    if (now === sha256) return undefined;
    sha256 = now;
    const closedMs = lastMs + TIMEFRAME_MS[timeframe];
    const before = knownAt(rows, closedMs).time.length;
    rows = await store.series.read(place);
    return knownAt(rows, closedMs).time.length === before ? rows : false;
  };
}
