import { type Panel, panelWithin } from '../../core/dataset/panel.ts';
import type { Follower, Forecast } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { followVolatility, knowVolatility, marketVolatility } from '../../core/strategy/volatility.ts';
import type { RunningPanel } from '../../data/panel/running-panel.ts';
import type { Store } from '../../data/store/store.ts';
import { startTrainedPanel, type TrainedSet } from '../../learning/training/checkpoints.ts';
import type { TrainedMember } from '../../learning/training/member-folder.ts';
import type { Ask } from '../../learning/training/run-forecasts.ts';

/** What a session remembers of the bars so far, so that the next one costs the same however many there were. */
export interface Standing {
  /** Reads what has closed since, or everything. Throws `signal.reason` when aborted. */
  advance(to: {
    /** The first bar to decide on. */
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<Known>;
  /** What is asked for next is read from the first bar again. */
  forget(): void;
}

/** The bars to decide on, behind those that a decision looks back at. */
interface Known {
  readonly panel: Panel;
  /** Every bar of the history is there. */
  readonly isWhole: boolean;
  /** The models' forecasts beside the panel's rows. */
  readonly ask: Ask<TrainedMember>;
}

interface Remembered {
  readonly running: RunningPanel;
  readonly followers: ReadonlyMap<string, Follower>;
  /** Take the next close of each symbol. */
  readonly volatilities: readonly ((close: number) => number)[];
  /** Of the newest rows: their volatility, and what each model said. */
  volatility: readonly Float64Array[];
  readonly said: Map<string, readonly Forecast[]>;
}

/** Bars before a new one that ensembles and strategies look back at. */
const RECENT_BARS = 2;

export function createStanding(store: Store, trained: TrainedSet): Standing {
  const step = TIMEFRAME_MS[trained.timeframe];
  let kept: Remembered | undefined;

  const begin = async (untilMs: number, signal: AbortSignal | undefined): Promise<Known> => {
    kept = undefined;
    const followers = new Map(
      trained.members.flatMap(({ id, fitted }) => (fitted.follow ? [[id, fitted.follow()] as const] : [])),
    );
    const lookBacks = Array.from(followers.values(), ({ lookBackBars }) => lookBackBars);
    const keepBars =
      followers.size === trained.members.length ? Math.max(RECENT_BARS + 1, ...lookBacks) : Infinity;
    const { whole, running } = await startTrainedPanel(store, trained, { untilMs, signal, keepBars });
    const remembered: Remembered = {
      running,
      followers,
      volatilities: whole.series.map(({ candles: { close } }) => {
        const next = followVolatility();
        close.forEach(next);
        return next;
      }),
      volatility: whole.series.map(({ candles: { time } }, s) =>
        marketVolatility(whole).volatility[s].slice(recent(time, running.lastMs)),
      ),
      said: new Map(),
    };
    kept = remembered;
    return {
      panel: whole,
      isWhole: true,
      ask: async ({ id, fitted }, sinceMs) => {
        const follower = followers.get(id);
        const forecasts = await (follower?.forecast(whole, sinceMs) ?? fitted.forecast(whole, { sinceMs }));
        remembered.said.set(
          id,
          forecasts.map((forecast, s) =>
            rowsFrom(forecast, recent(whole.series[s].candles.time, running.lastMs)),
          ),
        );
        return forecasts;
      },
    };
  };

  const recent = (time: Float64Array, lastMs: number): number =>
    lowerBound(time, lastMs - RECENT_BARS * step + 1);

  /** `undefined`: something before the new bars is not as it was. */
  const goOn = async (before: Remembered, untilMs: number): Promise<Known | undefined> => {
    const { running, followers, volatilities, said } = before;
    const seenMs = running.lastMs;
    if (!(await running.advance(untilMs))) return undefined;
    const tail = running.panel;
    const { lastMs } = running;
    const places = tail.series.map(({ candles: { time } }) => ({
      recent: recent(time, seenMs),
      fresh: lowerBound(time, seenMs + 1),
    }));
    const volatility = tail.series.map(({ candles: { close } }, s) =>
      joined(before.volatility[s], close.slice(places[s].fresh).map(volatilities[s])),
    );
    const panel = withoutFeatures(
      panelWithin(tail, { fromMs: seenMs - RECENT_BARS * step + 1, untilMs: Infinity }),
    );
    knowVolatility(panel, volatility);
    before.volatility = volatility.map((column, s) =>
      column.slice(recent(panel.series[s].candles.time, lastMs)),
    );
    return {
      panel,
      isWhole: false,
      ask: async ({ id, fitted }) => {
        const follower = followers.get(id);
        const fresh = await (follower?.forecast(tail, seenMs + 1) ??
          fitted.forecast(tail, { sinceMs: seenMs + 1 }));
        const earlier = said.get(id);
        const forecasts = fresh.map((forecast, s) =>
          earlier === undefined
            ? rowsFrom(forecast, places[s].recent)
            : joinedForecast(earlier[s], rowsFrom(forecast, places[s].fresh)),
        );
        said.set(
          id,
          forecasts.map((forecast, s) => rowsFrom(forecast, recent(panel.series[s].candles.time, lastMs))),
        );
        return forecasts;
      },
    };
  };

  return {
    async advance({ sinceMs, untilMs, signal }) {
      const continued =
        kept !== undefined && sinceMs > kept.running.lastMs ? await goOn(kept, untilMs) : undefined;
      if (continued !== undefined) return continued;
      const begun = await begin(untilMs, signal);
      // On validation bars what is known of costs still changes.
      if (sinceMs < trained.validateUntilMs) kept = undefined;
      return begun;
    },
    forget: () => (kept = undefined),
  };
}

/** Copies: the running panel writes over its own rows. */
const withoutFeatures = ({ timeframe, series }: Panel): Panel => ({
  timeframe,
  series: series.map(({ symbol, candles: { time, open, high, low, close, volume } }) => ({
    symbol,
    candles: {
      time: time.slice(),
      open: open.slice(),
      high: high.slice(),
      low: low.slice(),
      close: close.slice(),
      volume: volume.slice(),
    },
    features: { names: [], columns: [] },
  })),
});

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

const rowsFrom = (forecast: Forecast, row: number): Forecast =>
  mapColumns(forecast, (column) => column.slice(row));

const joinedForecast = (first: Forecast, second: Forecast): Forecast =>
  mapColumns(second, (column, of) => {
    const before = of(first);
    return before === undefined ? column : joined(before, column);
  });

/** `of` finds the column of the same name in another forecast. */
function mapColumns(
  forecast: Forecast,
  change: (column: Float64Array, of: (other: Forecast) => Float64Array | undefined) => Float64Array,
): Forecast {
  const { probabilityUp, expectedReturn, quantiles } = forecast;
  return {
    ...forecast,
    position: change(forecast.position, (other) => other.position),
    confidence: change(forecast.confidence, (other) => other.confidence),
    ...(probabilityUp && { probabilityUp: change(probabilityUp, (other) => other.probabilityUp) }),
    ...(expectedReturn && { expectedReturn: change(expectedReturn, (other) => other.expectedReturn) }),
    ...(quantiles && {
      quantiles: {
        levels: quantiles.levels,
        columns: quantiles.columns.map((column, i) => change(column, (other) => other.quantiles?.columns[i])),
      },
    }),
  };
}
