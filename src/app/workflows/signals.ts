import { endedSeries, type Panel, type Series } from '../../core/dataset/panel.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { statesPosition } from '../../core/forecast/model.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { type Candles, lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type DecisionTerms, decidePaths, measureSkill } from '../../core/strategy/decide.ts';
import { type Edge, shrinkage } from '../../core/strategy/edge.ts';
import { describeReason, type Reason } from '../../core/strategy/reason.ts';
import { type Regime, regimeOf } from '../../core/strategy/regime.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import { marketVolatility } from '../../core/strategy/volatility.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import { giveWay } from '../../data/turns.ts';
import type { EnsembleChoice, EnsembleState, LearnedEnsemble } from '../../learning/ensemble/combine.ts';
import { atWorth, withReturns, worthOf } from '../../learning/ensemble/stated-returns.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import type { TrainedMember } from '../../learning/training/member-folder.ts';
import {
  type Ask,
  askedSinceMs,
  forecastsOfRun,
  measuredSpan,
  type RunForecasts,
  type Speaker,
} from '../../learning/training/run-forecasts.ts';

/** What a model, or the ensemble, wants at the close of one bar, and why. What is not known is `undefined`. */
export interface Signal {
  readonly symbol: PairSymbol;
  /** When the decision could first be made, ISO 8601 UTC: the close of the bar. */
  readonly time: string;
  readonly model: string;
  /** Why the model has no vote in the ensemble: validation/no-skill.ts. */
  readonly noSkill: string | undefined;
  /** What gets the position there from what was wanted at the bar before; `hold`: nothing to do. */
  readonly action: 'buy' | 'sell' | 'hold';
  /** What the strategy wants to hold from the next open on, in [-1, 1]: 1 fully long, -1 fully short. */
  readonly position: number | undefined;
  /** What it wanted at the bar before. */
  readonly heldPosition: number;
  /** That position as a share of the account's equity. */
  readonly sizePct: number | undefined;
  readonly confidence: number | undefined;
  /** The position that the model itself states, before any strategy. */
  readonly statedPosition: number | undefined;
  /** Such as `4 x 1h`. */
  readonly horizon: string;
  readonly horizonBars: number;
  readonly probabilityUp: number | undefined;
  /** As it is stated, over the horizon. */
  readonly expectedReturnPct: number | undefined;
  /**
   * Of the stated return, what counts after the skill that was shown on bars that no fit has seen, with the 99 % interval of
   * that; `undefined`: nothing was stated, or never measured.
   */
  readonly edge: { readonly edgeBps: number; readonly lowBps: number; readonly highBps: number } | undefined;
  /** What the way there and back costs: what an edge has to beat. */
  readonly costBps: number;
  /** Distance of stop and target from the entry price, where the rules set any in percent. */
  readonly stopPct: number | undefined;
  readonly targetPct: number | undefined;
  /** Of the symbol, up to this bar. */
  readonly regime: Regime | undefined;
  /** Deviation of the return over the horizon. */
  readonly volatilityPct: number | undefined;
  readonly quantiles: readonly { readonly level: number; readonly returnPct: number }[] | undefined;
  readonly reason: Reason | undefined;
  /** Of the ensemble: what each voter counted for, and what it said. */
  readonly contributions: readonly Contribution[] | undefined;
  /** All of it in one line. */
  readonly sentence: string;
}

export interface Contribution {
  readonly model: string;
  /** Of the whole, its confidence included; 0: it had no opinion on this bar. */
  readonly sharePct: number;
  readonly position: number | undefined;
  readonly confidence: number | undefined;
}

/** Signals of every model and the ensemble, and who is not heard in it. */
export interface SignalSheet {
  readonly signals: readonly Signal[];
  /** Members without a vote, and why; failed models too. */
  readonly leftOut: readonly { readonly model: string; readonly reason: string }[];
  /** Pairs whose bars end before those of the others: a bar that is not the newest says nothing about the next open. */
  readonly ended: ReturnType<typeof endedSeries>;
}

export interface SignalTerms {
  readonly strategy: DecisionTerms['strategy'];
  readonly params: unknown;
  readonly ensemble: EnsembleChoice;
  readonly rules: ExecutionRules;
  /** After each model: how many of how many have been asked, and the one just asked. */
  readonly onMember?: ((done: number, total: number, id: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is wanted at the newest bar: the strategy's path from the end of the run's validation bars on, as a backtest or a
 * paper session that began there walks it. Throws `signal.reason` when aborted.
 */
export const signalSheet = async (
  trained: TrainedSet,
  panel: LoadedPanel,
  terms: SignalTerms,
): Promise<SignalSheet> => {
  const asking: Asking<TrainedMember> = {
    ask:
      async () =>
      ({ fitted }, sinceMs) =>
        fitted.forecast(panel, { sinceMs }),
  };
  return (await sheetOf(trained, panel, terms, asking)).sheet;
};

/** What signals go on from: what all bars before one have come to. */
export interface SheetStanding {
  /** Bars from this one on are decided. */
  readonly fromMs: number;
  /** The first bar that was. */
  readonly decidedSinceMs: number;
  readonly learned: LearnedEnsemble;
  readonly state?: EnsembleState | undefined;
  /** Of each model and of the ensemble. */
  readonly speakers: readonly {
    readonly id: string;
    readonly edge?: Edge | undefined;
    /** Return per unit of its statements; absent: it states returns. */
    readonly worth?: number | undefined;
    /** What was wanted at the bar before, by symbol; `NaN`: nothing was decided yet. */
    readonly wanted: readonly number[];
  }[];
}

/** How models are asked from a bar on; or what they said of the last bars, and what came before. */
type Asking<Member> =
  | { readonly ask: (sinceMs: number) => Promise<Ask<Member>> }
  | { readonly said: Ask<Member>; readonly rows: Panel; readonly standing: SheetStanding };

/** The first bar that is decided. */
export const decidedSince = (
  { validateUntilMs }: Pick<TrainedSet, 'validateUntilMs'>,
  { series }: Pick<Panel, 'series'>,
): number => Math.min(validateUntilMs, ...series.map(({ candles: { time } }) => time[time.length - 1]));

/**
 * The same, of models that are asked as `asking` says. `panel` is the whole history; where only its last rows are decided, the
 * forecasts lie beside these. Also what to go on from when there are newer bars, where that can be said.
 */
export async function sheetOf<Member extends Speaker>(
  trained: TrainedSet<Member>,
  whole: Panel,
  { strategy, params, ensemble, rules, onMember, signal }: SignalTerms,
  asking: Asking<Member>,
): Promise<{
  readonly sheet: SignalSheet;
  readonly said: RunForecasts;
  readonly standing: SheetStanding | undefined;
}> {
  const newestMs = Math.max(...whole.series.map(({ candles: { time } }) => time[time.length - 1]));
  const decidedSinceMs = decidedSince(trained, whole);
  const { panel, before, ask } =
    'ask' in asking
      ? {
          panel: whole,
          before: undefined,
          ask: await asking.ask(askedSinceMs(trained, whole, decidedSinceMs)),
        }
      : { panel: asking.rows, before: asking.standing, ask: asking.said };
  const fromMs = before?.fromMs ?? decidedSinceMs;
  let state = before?.state;
  const said = await forecastsOfRun(trained, panel, {
    ask,
    choice: ensemble,
    fromMs,
    ...(before && { learned: before.learned, state }),
    onBar: (timeMs, _, after) => {
      if (timeMs < newestMs) state = after;
    },
    onMember,
    signal,
  });
  const terms = { strategy, params, cost: tradeCostsFrom(rules), allowShort: rules.allowShort };
  const own = { ...terms, ...chooseStrategy('own', {}) };
  const keeps = new Set(trained.members.filter(({ model }) => statesPosition(model)).map(({ id }) => id));
  const speakers = [
    ...said.members.map((one) => ({ ...one, keeps: keeps.has(one.id) })),
    {
      id: 'ensemble',
      noSkill: undefined,
      forecasts: said.ensemble,
      keeps: said.voters.every(({ id }) => keeps.has(id)),
    },
  ];
  const ended = endedSeries(panel);
  const measured = measuredSpan(trained, decidedSinceMs);
  const costs = whole.series.map(({ candles }) => terms.cost(candles, measured.untilMs));
  const cost = (candles: Candles): number => costs[panel.series.findIndex((one) => one.candles === candles)];
  const regimes = whole.series.map(({ candles }) => regimeOf(candles, panel.timeframe));
  const all: (readonly Signal[])[] = [];
  const after: SheetStanding['speakers'][number][] = [];
  for (const { id, noSkill, forecasts: stated, keeps: stays } of speakers) {
    await giveWay(signal);
    const known = before?.speakers.find((one) => one.id === id);
    const forecasts = known
      ? atWorth(stated, known.worth ?? NaN)
      : withReturns(panel, stated, [{ fromMs, measured }]);
    const edge = known
      ? known.edge
      : measureSkill(panel, forecasts, measured, { labels: strategy.restsOnLabels });
    const reasons: (Reason | undefined)[] = panel.series.map(() => undefined);
    const paths = decidePaths(
      panel,
      forecasts,
      { ...(stays ? own : terms), cost },
      {
        spans: [{ fromMs, asOfMs: measured.untilMs, edge }],
        wanted: known?.wanted,
        onReason: (s, _, reason) => (reasons[s] = reason),
      },
    );
    const statesReturns = stated.some(({ expectedReturn }) => expectedReturn !== undefined);
    after.push({
      id,
      edge,
      worth: known ? known.worth : statesReturns ? undefined : worthOf(panel, stated, measured),
      wanted: paths.map(({ wanted }, s) => {
        const row = lowerBound(panel.series[s].candles.time, newestMs) - 1;
        const last = wanted[row] ?? NaN;
        return Number.isNaN(last) ? (known?.wanted[s] ?? NaN) : last;
      }),
    });
    all.push(
      panel.series.map((series, s) =>
        signalAt(
          {
            model: id,
            noSkill,
            series,
            timeframe: panel.timeframe,
            rules,
            regime: regimes[s],
            cost: costs[s],
            volatilities: marketVolatility(panel).volatility[s],
          },
          {
            forecast: forecasts[s],
            wanted: paths[s].wanted,
            before: known?.wanted[s] ?? NaN,
            edge,
            reason: reasons[s],
            contributions: id === 'ensemble' ? contributionsAt(said, series, s) : undefined,
          },
        ),
      ),
    );
  }
  const sheet = {
    signals: panel.series.flatMap(({ symbol }, s) =>
      ended.some((one) => one.symbol === symbol) ? [] : all.map((signals) => signals[s]),
    ),
    leftOut: [
      ...said.failed.map(({ id, reason }) => ({ model: id, reason: `it failed: ${reason}` })),
      ...said.members.flatMap(({ id, noSkill }) =>
        noSkill === undefined ? [] : [{ model: id, reason: noSkill }],
      ),
      ...said.combined.learned.leftOut.map(({ id, reason }) => ({ model: id, reason })),
    ],
    ended,
  };
  const { learned } = said.combined;
  // A learned rule over the members is more than its weights; nothing lies before the first bar.
  const goesOn = learned.weighing.meta === undefined && said.failed.length === 0 && newestMs > decidedSinceMs;
  return {
    sheet,
    said,
    standing: goesOn ? { fromMs: newestMs, decidedSinceMs, learned, state, speakers: after } : undefined,
  };
}

function signalAt(
  {
    model,
    noSkill,
    series: { symbol, candles },
    timeframe,
    rules,
    regime,
    cost,
    volatilities,
  }: {
    readonly model: string;
    readonly noSkill: string | undefined;
    readonly series: Series;
    readonly timeframe: Timeframe;
    readonly rules: ExecutionRules;
    readonly regime: Regime | undefined;
    readonly cost: number;
    readonly volatilities: Float64Array;
  },
  {
    forecast,
    wanted,
    before,
    edge: skill,
    reason,
    contributions,
  }: {
    readonly forecast: Forecast;
    readonly wanted: Float64Array;
    /** What was wanted before the first of these rows; `NaN`: nothing yet. */
    readonly before: number;
    readonly edge: Edge | undefined;
    readonly reason: Reason | undefined;
    readonly contributions: readonly Contribution[] | undefined;
  },
): Signal {
  const row = candles.time.length - 1;
  const at = (column: Float64Array | undefined, i = row): number | undefined =>
    column === undefined || i < 0 || Number.isNaN(column[i]) ? undefined : column[i];
  const position = at(wanted);
  const heldPosition = at(wanted, row - 1) ?? (Number.isNaN(before) ? 0 : before);
  const stated = at(forecast.expectedReturn);
  const { horizonBars, quantiles } = forecast;
  const volatility = at(volatilities);
  const edge = stated === undefined || skill === undefined ? undefined : edgeOf(stated, skill);
  const costBps = 2e4 * cost;
  const signal = {
    symbol,
    time: formatTime(candles.time[row] + TIMEFRAME_MS[timeframe]),
    model,
    noSkill,
    action: actionOf(heldPosition, position),
    position,
    heldPosition,
    sizePct: position === undefined ? undefined : position * rules.maxPositionPct,
    confidence: at(forecast.confidence),
    statedPosition: at(forecast.position),
    horizon: `${horizonBars} x ${timeframe}`,
    horizonBars,
    probabilityUp: at(forecast.probabilityUp),
    expectedReturnPct: stated === undefined ? undefined : 100 * stated,
    edge,
    costBps,
    stopPct: rules.stopLossPct ?? rules.trailingStop?.distancePct,
    targetPct: rules.takeProfitPct,
    regime,
    volatilityPct: volatility === undefined ? undefined : 100 * volatility * Math.sqrt(horizonBars),
    quantiles: quantiles?.columns.map((column, i) => ({
      level: quantiles.levels[i],
      returnPct: 100 * column[row],
    })),
    reason,
    contributions,
  };
  return { ...signal, sentence: sentenceOf(signal) };
}

/** What of a stated return counts, and the interval that the uncertainty about the slope gives it. */
function edgeOf(stated: number, skill: Edge): NonNullable<Signal['edge']> {
  const ends = [skill.low * stated, skill.high * stated].toSorted((a, b) => a - b);
  return { edgeBps: 1e4 * stated * shrinkage(skill), lowBps: 1e4 * ends[0], highBps: 1e4 * ends[1] };
}

function actionOf(held: number, position: number | undefined): Signal['action'] {
  if (position === undefined || position === held) return 'hold';
  return position > held ? 'buy' : 'sell';
}

/** `UP with 61 % in a ranging market; edge 4 bp < cost 30 bp: stay flat`. */
function sentenceOf({
  probabilityUp,
  expectedReturnPct,
  statedPosition,
  confidence,
  regime,
  reason,
}: Omit<Signal, 'sentence'>): string {
  const lean = probabilityUp === undefined ? (expectedReturnPct ?? statedPosition) : probabilityUp - 0.5;
  const sure = probabilityUp === undefined ? confidence : Math.max(probabilityUp, 1 - probabilityUp);
  const side = lean === undefined ? 'no opinion' : lean === 0 ? 'FLAT' : lean > 0 ? 'UP' : 'DOWN';
  const words = sure === undefined || lean === undefined ? side : `${side} with ${(100 * sure).toFixed(0)} %`;
  const market = regime === undefined ? '' : ` in a ${regime} market`;
  return `${words}${market}${reason === undefined ? '' : `; ${describeReason(reason)}`}`;
}

function contributionsAt(
  { voters, combined, members }: RunForecasts,
  { candles }: Series,
  s: number,
): readonly Contribution[] {
  const row = candles.time.length - 1;
  const known = (value: number | undefined): number | undefined =>
    value === undefined || Number.isNaN(value) ? undefined : value;
  return voters
    .map(({ id: model }, m) => {
      const forecast = members.find(({ id }) => id === model)?.forecasts[s];
      return {
        model,
        sharePct: 100 * (known(combined.shares[s][m][row]) ?? 0),
        position: known(forecast?.position[row]),
        confidence: known(forecast?.confidence[row]),
      };
    })
    .toSorted((a, b) => b.sharePct - a.sharePct);
}
