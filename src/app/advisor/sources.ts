import { deviation } from '../../core/foundation/moments.ts';
import type { Feature } from '../../core/features/feature.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { type Candles, candlesBetween } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { knownAt } from '../../core/market/timed-series.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { TradingEvent } from '../../core/trading/events.ts';
import type { Store } from '../../data/store/store.ts';
import { readLedger } from '../../desk/paper/ledger.ts';
import { listSessions, sessionFolder } from '../../desk/paper/sessions.ts';
import { featureValues } from '../workflows/features.ts';
import type { GivenSignals } from '../workflows/give-signals.ts';
import { type BacktestArchive, listBacktests, readBacktest } from '../workflows/kept-backtests.ts';
import { predictions, recordsOf } from '../workflows/prediction-log.ts';
import { newsSubjects } from './news.ts';
import type { Sources } from './tools.ts';

/** What a project has, for an adviser to look at. */
export interface AdvisedProject {
  readonly store: Store;
  readonly dataDir: string;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly inputs: InputSources;
  readonly catalogue: readonly Feature[];
  readonly archive: BacktestArchive;
  /** The signals at the close of the last bar before `untilMs`, on no record; throws `UserError` where no models are trained. */
  readonly signals: (untilMs: number) => Promise<GivenSignals>;
  readonly signal: AbortSignal;
}

const DAY_MS = 86_400_000;
/** Newest backtests that can be asked for. */
const MOST_BACKTESTS = 20;

/** The workflows of the project as read-only sources. */
export async function projectSources(project: AdvisedProject): Promise<Sources> {
  const { store, dataDir, exchange, timeframe, archive, signal } = project;
  const stored = (await store.list()).filter(
    (one) => one.exchange === exchange && one.timeframe === timeframe,
  );
  const symbols = project.symbols.filter((symbol) => stored.some((one) => one.symbol === symbol));
  const barMs = TIMEFRAME_MS[timeframe];
  const keyOf = (symbol: string) => ({ exchange, symbol: pairOf(symbols, symbol), timeframe });
  /** Bars that had closed. */
  const closed = async (symbol: string, asOfMs: number): Promise<Candles> =>
    candlesBetween(await store.read(keyOf(symbol)), -Infinity, asOfMs - barMs + 1);
  const { scorer, assets } = await newsSubjects(store, project.inputs.textScorer);
  const kept = (await listBacktests(archive)).flatMap((one) => (one.kind === 'whole' ? [one.summary] : []));
  const newest = kept.slice(-MOST_BACKTESTS);
  return {
    symbols,
    assets,
    features: project.catalogue.map(({ name }) => name),
    backtests: newest.map(({ id }) => id),
    sessions: await listSessions(dataDir),
    data: async (asOfMs) => ({
      candles: await Promise.all(
        symbols.map(async (symbol) => {
          const candles = await closed(symbol, asOfMs);
          const manifest = stored.find((one) => one.symbol === symbol);
          return {
            exchange,
            symbol,
            timeframe,
            bars: candles.time.length,
            from: timeText(candles.time[0]),
            lastBarClosed: timeText(candles.time[candles.time.length - 1], barMs),
            synthetic: manifest?.synthetic,
          };
        }),
      ),
      series: (await store.series.list())
        .filter(({ firstTimeMs }) => firstTimeMs <= asOfMs)
        .map(({ name, subject, rows, lastKnownMs }) => ({
          name,
          subject,
          // Of a series that goes on, what it holds now says how much came later.
          rows: lastKnownMs <= asOfMs ? rows : undefined,
        })),
    }),
    market: async (symbol, days, asOfMs) =>
      marketSummary(await closed(symbol, asOfMs), { symbol, days, asOfMs, barMs }),
    featureValues: async (symbol, names, asOfMs) => {
      const market = {
        store,
        exchange,
        timeframe,
        symbols: [pairOf(symbols, symbol)],
        sources: project.inputs,
      };
      const range = { sinceMs: undefined, untilMs: asOfMs - barMs + 1, rows: 1, most: 1000, signal };
      const [found] = await featureValues({ ...market, catalogue: project.catalogue }, names, range);
      return {
        symbol,
        barClosed: timeText(found.times[0], barMs),
        values: Object.fromEntries(names.map((name, i) => [name, found.columns[i][0]])),
      };
    },
    signals: async (symbol, asOfMs) => signalAnswer(await project.signals(asOfMs), symbol),
    signalRecord: async (asOfMs) => {
      const given = (await predictions(dataDir, store)).filter(({ givenAtMs }) => givenAtMs <= asOfMs);
      // What a horizon brought that ended later was not known.
      const over = ({ barTimeMs, horizonBars }: (typeof given)[number]): boolean =>
        barTimeMs + (horizonBars + 1) * barMs <= asOfMs;
      return recordsOf(
        given.map((one) => (over(one) ? one : { ...one, realised: undefined, hit: undefined })),
      );
    },
    backtestList: async (asOfMs) =>
      newest
        .filter(({ time }) => Date.parse(time) <= asOfMs)
        .map(({ id, time, strategy, trainedBy, timeframe, symbols, synthetic, range, metrics }) => ({
          ...{ id, time, strategy, trainedBy, timeframe, symbols, synthetic, range, metrics },
        })),
    backtest: async (id, asOfMs) => {
      const summary = newest.find((one) => one.id === id && Date.parse(one.time) <= asOfMs);
      if (summary === undefined) return { unavailable: true };
      const { document } = await readBacktest(archive, id);
      const { range, strategy, trainedBy, metrics, benchmark, costs, synthetic } = document;
      return { id, range, strategy, trainedBy, synthetic, metrics, benchmark, costs };
    },
    portfolio: async (session, asOfMs) => {
      const { bar, currency } = await lastBar(dataDir, session, asOfMs, barMs);
      if (bar === undefined) return { unavailable: true };
      return {
        session,
        barClosed: timeText(bar.timeMs, barMs),
        currency,
        equity: bar.equity,
        cash: bar.cash,
        positions: bar.positions,
      };
    },
    ledger: async (session, last, asOfMs) => {
      const { events } = await lastBar(dataDir, session, asOfMs, barMs);
      return { session, events: events.slice(-last).map(eventAnswer) };
    },
    news: async (asset, days, asOfMs) => {
      const series = knownAt(
        await store.series.read({ name: 'news', subject: `${scorer}/${asset}` }),
        asOfMs,
      );
      const rows = [...series.time.keys()].filter((row) => series.known[row] > asOfMs - days * DAY_MS);
      const mean = (column: string): number | undefined =>
        rows.length === 0
          ? undefined
          : rows.reduce((sum, row) => sum + series.columns[column][row], 0) / rows.length;
      return {
        asset,
        scorer,
        days,
        texts: rows.length,
        meanPolarity: mean('polarity'),
        meanSubjectivity: mean('subjectivity'),
        newestSeen: timeText(series.known[rows[rows.length - 1]]),
      };
    },
  };
}

const timeText = (ms: number | undefined, addMs = 0): string | undefined =>
  ms === undefined ? undefined : formatTime(ms + addMs);

const pairOf = (symbols: readonly PairSymbol[], wanted: string): PairSymbol =>
  symbols.find((symbol) => symbol === wanted) ?? symbols[0];

/** What a window of closed bars says in a few figures. */
function marketSummary(
  candles: Candles,
  {
    symbol,
    days,
    asOfMs,
    barMs,
  }: { readonly symbol: string; readonly days: number; readonly asOfMs: number; readonly barMs: number },
) {
  // The window ends with the newest bar, however old that is.
  const untilMs = candles.time[candles.time.length - 1] + barMs;
  const bars = candlesBetween(candles, untilMs - days * DAY_MS, Infinity);
  const last = bars.time.length - 1;
  if (last < 1) return { symbol, days, bars: bars.time.length };
  const returns = Float64Array.from({ length: last }, (_, i) => Math.log(bars.close[i + 1] / bars.close[i]));
  const spread = deviation(returns);
  return {
    symbol,
    days,
    bars: last + 1,
    lastBarClosed: formatTime(untilMs),
    ageHours: (asOfMs - untilMs) / 3_600_000,
    close: bars.close[last],
    returnPct: 100 * (bars.close[last] / bars.open[0] - 1),
    high: bars.high.reduce((most, value) => Math.max(most, value), -Infinity),
    low: bars.low.reduce((least, value) => Math.min(least, value), Infinity),
    volatilityPerBarPct: spread === undefined ? undefined : 100 * spread,
    baseVolume: bars.volume.reduce((sum, value) => sum + value, 0),
  };
}

function signalAnswer({ signals, market, explanations, isStale }: GivenSignals, symbol: string) {
  const own = signals.filter((one) => one.symbol === symbol);
  const ensemble = own.find(({ model }) => model === 'ensemble');
  return {
    symbol,
    synthetic: market.synthetic,
    stale: isStale,
    time: ensemble?.time,
    costBps: ensemble?.costBps,
    regime: ensemble?.regime,
    horizonBars: ensemble?.horizonBars,
    volatilityPct: ensemble?.volatilityPct,
    models: own.map(({ model, action, position, confidence, probabilityUp, expectedReturnPct, ...one }) => ({
      ...{ model, action, position, confidence, probabilityUp, expectedReturnPct },
      edgeBps: one.edge?.edgeBps,
      hasVote: one.noSkill === undefined,
    })),
    reason: ensemble?.reason,
    contributions: ensemble?.contributions?.filter(({ sharePct }) => sharePct > 0),
    explanations: explanations?.filter((one) => one.symbol === symbol),
  };
}

/** The newest bar of a session that had been processed, and all events up to it. */
async function lastBar(dataDir: string, session: string, asOfMs: number, barMs: number) {
  const { session: about, bars } = await readLedger(sessionFolder(dataDir, session));
  const seen = bars.filter(({ timeMs, processedAtMs }) => Math.max(timeMs + barMs, processedAtMs) <= asOfMs);
  return {
    bar: seen.at(-1),
    events: seen.flatMap(({ events }) => events),
    currency: about.instruments[0].symbol.split('/')[1],
  };
}

/** Times as text. */
const eventAnswer = (event: TradingEvent) => ({
  ...event,
  ...('time' in event && { time: formatTime(event.time) }),
  ...('entryTime' in event && {
    entryTime: formatTime(event.entryTime),
    exitTime: formatTime(event.exitTime),
  }),
});
