import { z } from 'zod';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { finish, type Steps } from '../../core/foundation/steps.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { marketVolatility } from '../../core/strategy/volatility.ts';
import { alignMarket } from '../../core/trading/align.ts';
import { adaptiveWeights, noPerformance, PerformanceState, recordStep } from './adaptive.ts';
import { barMsOf, calibrate, crossParts, shownRows, type ShownRows, statementOf } from './calibrate.ts';
import { forecastEnsemble } from './equal-weight.ts';
import { hedgeStep } from './hedge.ts';
import type { EnsembleMethod, MemberFacts, Weighing } from './method.ts';

export interface EnsembleMember extends MemberFacts {
  /** One a symbol, row by row beside the panel's candles. */
  readonly forecasts: readonly Forecast[];
}

/** A method with its parameters parsed. */
export interface EnsembleChoice {
  readonly method: EnsembleMethod;
  readonly params: unknown;
}

/** From `fromMs` on, up to the next span, weights rest on what was stated over `measured`. */
export interface EnsembleSpan {
  readonly fromMs: number;
  /** Bars that no fit has seen and whose returns were all known by `fromMs`. */
  readonly measured: Span;
}

/** Weights that move, as of a bar: what a session keeps in its ledger and goes on from. */
export const EnsembleState = z.strictObject({
  members: z.array(z.string()),
  /** Statements from this bar on were counted. */
  sinceMs: z.number(),
  performance: PerformanceState.optional(),
  hedge: z.array(z.number()).optional(),
});
export type EnsembleState = z.output<typeof EnsembleState>;

/** What members count for, learned on one span. Costly: a session keeps it. */
export interface LearnedEnsemble {
  readonly horizonBars: number;
  readonly members: readonly MemberFacts[];
  /** Expected return per unit of each member's statement; `NaN`: none can be said. */
  readonly coefficients: Float64Array;
  readonly isVoter: Uint8Array;
  /**
   * Each member's mean confidence on the measured bars; 1 where none was seen. What counts is how sure it is against that: models
   * measure confidence on scales of their own.
   */
  readonly usualConfidence: Float64Array;
  /** By member, 0 for those without a vote. */
  readonly weights: Float64Array;
  readonly weighing: Omit<Weighing, 'weights'>;
  /** How far members say the same, in [0, 1]; `undefined`: not looked at. */
  readonly likeness: readonly Float64Array[] | undefined;
  /** Members without a vote, with the reason. */
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[];
}

export interface Combined {
  /** One a symbol; rows before the first span hold what the other parts of the measured bars make of them. */
  readonly forecasts: readonly Forecast[];
  /**
   * What it would have stated over the measured bars of a span, each fifth of them combined by what the others teach: the
   * forecaster that decides in that span, on bars that it was not learned on. Its skill is measured there.
   */
  readonly shown: (span: number) => readonly Forecast[];
  /** `shares[s][m][row]`: what member m counted for in that row, confidence included. */
  readonly shares: readonly (readonly Float64Array[])[];
  /** Of the last span. */
  readonly learned: LearnedEnsemble;
  /** After the last bar; `undefined`: the weights do not move. */
  readonly state: EnsembleState | undefined;
}

/** Told at the close of each bar of the spans: the weights before confidence, by member, and the state to go on from. */
type OnBar = (timeMs: number, weights: Float64Array, state: EnsembleState | undefined) => void;

/**
 * Several models' forecasts as one. Every statement becomes a return over one horizon, scaled by what it was worth on
 * bars that no fit has seen; models without skill there have no vote. Where there is one measured span, its own bars are
 * combined by what was learned on the rest of it, labels purged, so that the skill of the whole can be measured there.
 */
export const combineForecasts = (
  panel: Panel,
  members: readonly EnsembleMember[],
  choice: EnsembleChoice,
  options: CombineOptions,
): Combined => finish(combineSteps(panel, members, choice, options));

/** The same in steps: one for what is learned from a span, one for its bars. */
export function* combineSteps(
  panel: Panel,
  members: readonly EnsembleMember[],
  choice: EnsembleChoice,
  { spans, onBar, ...going }: CombineOptions,
): Steps<Combined> {
  if (isPlain(choice, members)) return plainMean(panel, members);
  const session = openEnsemble(panel, members, choice);
  const [first] = spans;
  yield* session.crossFit(first.measured);
  let learned = session.learn(first.measured);
  let { state } = going;
  for (const [i, { fromMs, measured }] of spans.entries()) {
    yield;
    if (i > 0) learned = session.learn(measured);
    const untilMs = i + 1 < spans.length ? spans[i + 1].fromMs : Infinity;
    yield;
    state = session.run(learned, { fromMs, untilMs, state, onBar });
  }
  const result = session.result();
  const shown = (i: number): readonly Forecast[] => {
    if (i === 0) return result.forecasts;
    const later = openEnsemble(panel, members, choice);
    finish(later.crossFit(spans[i].measured));
    return later.result().forecasts;
  };
  return { ...result, shown, learned, state };
}

interface CombineOptions {
  readonly spans: readonly EnsembleSpan[];
  /** Of the bar before the first span; absent: the weights begin as learned. */
  readonly state?: EnsembleState | undefined;
  readonly onBar?: OnBar | undefined;
}

/** Baselines, where there is nothing else, are not weighed against each other. */
export const isPlain = ({ method }: EnsembleChoice, voters: readonly MemberFacts[]): boolean =>
  method.plain === true || voters.every(({ kind }) => kind === 'baseline');

function plainMean(panel: Panel, members: readonly EnsembleMember[]): Combined {
  const forecasts = panel.series.map((_, s) => forecastEnsemble(members.map((one) => one.forecasts[s])));
  const even = (): Float64Array => new Float64Array(members.length).fill(1 / members.length);
  return {
    forecasts,
    shown: () => forecasts,
    shares: panel.series.map((_, s) =>
      members.map(({ forecasts }) =>
        forecasts[s].position.map((at, row) => {
          const speaking = members.filter((one) => !Number.isNaN(one.forecasts[s].position[row])).length;
          return Number.isNaN(at) ? 0 : 1 / speaking;
        }),
      ),
    ),
    learned: {
      horizonBars: commonHorizon(members),
      members: members.map(factsOf),
      coefficients: even().fill(NaN),
      isVoter: new Uint8Array(members.length).fill(1),
      usualConfidence: even().fill(1),
      weights: even(),
      weighing: {},
      likeness: undefined,
      leftOut: [],
    },
    state: undefined,
  };
}

/** The later bars of a session: what was learned when it began, and the state of the bar before. */
export function continueEnsemble(
  panel: Panel,
  members: readonly EnsembleMember[],
  choice: EnsembleChoice,
  going: {
    readonly learned: LearnedEnsemble;
    readonly fromMs: number;
    readonly state: EnsembleState | undefined;
    readonly onBar?: OnBar | undefined;
  },
): Combined {
  if (isPlain(choice, members)) return plainMean(panel, members);
  const session = openEnsemble(panel, members, choice);
  const state = session.run(going.learned, { ...going, untilMs: Infinity });
  const result = session.result();
  return { ...result, shown: () => result.forecasts, learned: going.learned, state };
}

interface RunOptions {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly state?: EnsembleState | undefined;
  readonly onBar?: OnBar | undefined;
  /** Weights stay as learned. */
  readonly still?: boolean;
}

function openEnsemble(panel: Panel, members: readonly EnsembleMember[], { method, params }: EnsembleChoice) {
  const { series } = panel;
  const barMs = barMsOf(panel);
  const horizonBars = commonHorizon(members);
  const raw = members.map(({ forecasts }) => forecasts.map(statementOf));
  const stated = method.votes ? raw.map((columns) => columns.map((column) => column.map(Math.sign))) : raw;
  const isReturn = members.map(
    ({ forecasts: [one] }) =>
      one.expectedReturn !== undefined && one.horizonBars === horizonBars && !method.votes,
  );
  const market = alignMarket(
    series.map(({ candles }) => candles),
    panel.timeframe,
  );
  const rowAt = market.rows.map((rows) => {
    const places = new Int32Array(market.time.length).fill(-1);
    rows.forEach((place, row) => (places[place] = row));
    return places;
  });
  const { volatility } = marketVolatility(panel);
  const metaRow = new Float64Array(members.length);
  const blank = (s: number): Float64Array => new Float64Array(series[s].candles.time.length).fill(NaN);
  const columns = series.map((_, s) => ({
    position: blank(s),
    confidence: blank(s),
    probabilityUp: blank(s),
    expectedReturn: blank(s),
    shares: members.map(() => blank(s)),
  }));

  function learn(measured: Span, isKept?: (timeMs: number) => boolean): LearnedEnsemble {
    const rows = shownRows(panel, measured, horizonBars);
    const found = stated.map((column) => calibrate(column, rows, { horizonBars, barMs, isKept }));
    const isSkilled = found.some(({ believed }) => believed > 0);
    const isVoter = Uint8Array.from(found, ({ believed }) => (isSkilled && believed === 0 ? 0 : 1));
    // Where nobody has skill, the size of what is said makes no difference; its side must stay.
    const coefficients = Float64Array.from(found, ({ slope, believed }, m) =>
      isSkilled ? believed : isReturn[m] ? 1 : Math.abs(slope ?? NaN),
    );
    const voters = members.flatMap((_, m) => (isVoter[m] === 1 ? [m] : []));
    const shown = completeRows(
      voters.map((m) => stated[m].map((column) => ({ column, scale: coefficients[m] }))),
      rows,
      isKept,
    );
    const { weights: own, ...weighing } = method.weigh(params, {
      voters: voters.map((m) => members[m]),
      evidence: voters.map((m) => {
        // What only the first bars hold shows best there: at the horizon that the model itself names, which nothing chose.
        const own = members[m].forecasts[0].horizonBars;
        if (own >= horizonBars) return found[m].t;
        const first = { horizonBars: own, barMs, isKept };
        return calibrate(stated[m], shownRows(panel, measured, own), first).t;
      }),
      ...shown,
    });
    const weights = new Float64Array(members.length);
    voters.forEach((m, k) => (weights[m] = own[k]));
    return {
      horizonBars,
      members: members.map(factsOf),
      coefficients,
      isVoter,
      usualConfidence: Float64Array.from(members, ({ forecasts }) =>
        usualConfidence(forecasts, rows, isKept),
      ),
      weights,
      weighing,
      likeness: weighing.sharesVotes
        ? spreadOut(correlations(shown.stated), voters, members.length)
        : undefined,
      leftOut: found.flatMap(({ slope }, m) =>
        isVoter[m] === 1
          ? []
          : [
              {
                id: members[m].id,
                reason:
                  slope === undefined
                    ? 'too few opinions on bars it was not fitted on'
                    : 'no skill on bars it was not fitted on',
              },
            ],
      ),
    };
  }

  function run(learned: LearnedEnsemble, options: RunOptions): EnsembleState | undefined {
    const { fromMs, untilMs, onBar, still = false } = options;
    const { isVoter, likeness, weighing } = learned;
    const n = members.length;
    const follows = still ? undefined : weighing.follows;
    const state = follows && resumed(options.state, members, follows.kind, learned.weights, fromMs);
    const decay = follows?.kind === 'sharpe' ? 0.5 ** (barMs / (follows.halfLifeDays * 86_400_000)) : 1;
    const base = Float64Array.from(learned.weights);
    const weights = new Float64Array(n);
    const earned = new Float64Array(n);
    const share = new Float64Array(n);
    const hedged = state?.hedge && Float64Array.from(state.hedge);
    const end = lowerBound(market.time, untilMs);
    for (let i = lowerBound(market.time, fromMs); i < end; i++) {
      if (state !== undefined && observe(i, state.sinceMs, earned, follows?.kind === 'hedge')) {
        if (state.performance !== undefined) recordStep(state.performance, earned, decay);
        if (hedged !== undefined && follows?.kind === 'hedge') {
          hedgeStep(hedged, earned, follows);
          state.hedge = [...hedged];
        }
      }
      if (state?.performance !== undefined)
        adaptiveWeights(state.performance, learned.weights, isVoter, base);
      else if (hedged !== undefined) for (let m = 0; m < n; m++) base[m] = isVoter[m] * hedged[m];
      shareVotes(base, likeness, weights);
      for (let s = 0; s < series.length; s++) {
        const row = rowAt[s][i];
        if (row >= 0) combineRow(s, row, weights, learned, share);
      }
      onBar?.(market.time[i], weights, state && structuredClone(state));
    }
    return state;
  }

  /** What each member's side, stated two bars ago, has earned between the opens since; false: nothing is known. */
  function observe(i: number, sinceMs: number, earned: Float64Array, asLoss: boolean): boolean {
    let any = false;
    for (let m = 0; m < earned.length; m++) {
      let [sum, count] = [0, 0];
      for (let s = 0; s < series.length; s++) {
        const row = rowAt[s][i];
        if (row < 2) continue;
        const { time, open } = series[s].candles;
        if (time[row] - time[row - 2] !== 2 * barMs || time[row - 2] < sinceMs) continue;
        const side = Math.sign(stated[m][s][row - 2]);
        if (Number.isNaN(side)) continue;
        const gain = side * (open[row] / open[row - 1] - 1);
        if (asLoss) {
          const spread = 3 * volatility[s][row - 2];
          sum += spread > 0 ? 0.5 - 0.5 * Math.max(-1, Math.min(1, gain / spread)) : 0.5;
        } else sum += gain;
        count++;
      }
      earned[m] = count > 0 ? sum / count : NaN;
      any ||= count > 0;
    }
    return any;
  }

  function combineRow(
    s: number,
    row: number,
    weights: Float64Array,
    { weighing, coefficients, isVoter, usualConfidence: usual }: LearnedEnsemble,
    share: Float64Array,
  ): void {
    const { asFitted = false, byConfidence = false, meta } = weighing;
    const into = columns[s];

    let [total, unsure, all] = [0, 0, 0];
    for (let m = 0; m < members.length; m++) {
      const { position, confidence } = members[m].forecasts[s];
      const silent = isVoter[m] === 0 || Number.isNaN(position[row]);
      all += Math.abs(weights[m]);
      share[m] = silent ? 0 : weights[m] * (byConfidence ? confidence[row] / usual[m] : 1);
      if (silent) continue;
      total += Math.abs(share[m]);
      unsure += Math.abs(weights[m]);
    }
    if (unsure === 0) return;
    let [position, conviction, probability, stating, expected, known] = [0, 0, 0, 0, 0, 0];
    for (let m = 0; m < members.length; m++) {
      const forecast = members[m].forecasts[s];
      const silent = isVoter[m] === 0 || Number.isNaN(forecast.position[row]);
      // Where nobody is sure of anything, the weights alone count.
      const part = silent ? 0 : total > 0 ? share[m] / total : weights[m] / unsure;
      into.shares[m][row] = part;
      if (part === 0) continue;
      const at = method.votes ? Math.sign(forecast.position[row]) : forecast.position[row];
      position += part * at;
      conviction += part * Math.sign(at) * forecast.confidence[row];
      const up = forecast.probabilityUp?.[row] ?? NaN;
      if (!Number.isNaN(up)) {
        probability += part * up;
        stating += part;
      }
      const gain = coefficients[m] * stated[m][s][row];
      if (!Number.isNaN(gain)) {
        expected += part * gain;
        known += Math.abs(part);
      }
    }
    if (meta !== undefined) {
      let asked = 0;
      for (let m = 0; m < members.length; m++)
        if (isVoter[m] === 1) metaRow[asked++] = coefficients[m] * stated[m][s][row] || 0;
      const up = meta.probability(metaRow.subarray(0, asked));
      const lean = 2 * up - 1;
      into.position[row] = Math.sign(lean);
      into.confidence[row] = Math.abs(lean);
      into.probabilityUp[row] = up;
      into.expectedReturn[row] = (lean / 2) * meta.worth;
      return;
    }
    into.position[row] = Math.max(-1, Math.min(1, position));
    into.confidence[row] = Math.min(1, Math.abs(conviction));
    if (stating > 0) into.probabilityUp[row] = Math.max(0, Math.min(1, probability / stating));
    if (known > 0) into.expectedReturn[row] = (expected / known) * (asFitted ? all : 1);
  }

  return {
    learn,
    run,
    *crossFit(measured: Span): Steps<void> {
      for (const { fromMs, untilMs, isKept } of crossParts(measured, horizonBars, barMs)) {
        run(learn(measured, isKept), { fromMs, untilMs, still: true });
        yield;
      }
    },
    result: (): Pick<Combined, 'forecasts' | 'shares'> => ({
      forecasts: series.map(({ symbol }, s) => {
        const { shares: _, probabilityUp, expectedReturn, ...stating } = columns[s];
        const says = (column: Float64Array): boolean => column.some((value) => !Number.isNaN(value));
        return {
          symbol,
          horizonBars,
          ...stating,
          ...(says(probabilityUp) && { probabilityUp }),
          ...(says(expectedReturn) && { expectedReturn }),
        };
      }),
      shares: columns.map(({ shares }) => shares),
    }),
  };
}

/** Without what it said: what was learned is kept for long. */
const factsOf = ({ id, kind }: MemberFacts): MemberFacts => ({ id, kind });

/** The lower median of the horizons of those that state a belief, else of all. */
function commonHorizon(members: readonly EnsembleMember[]): number {
  const stating = members.filter(
    ({ forecasts: [one] }) => (one.expectedReturn ?? one.probabilityUp) !== undefined,
  );
  const bars = (stating.length > 0 ? stating : members).map(({ forecasts: [one] }) => one.horizonBars);
  return bars.toSorted((a, b) => a - b)[Math.floor((bars.length - 1) / 2)];
}

/** A state that fits these members, or a new one. */
function resumed(
  state: EnsembleState | undefined,
  members: readonly MemberFacts[],
  kind: 'sharpe' | 'hedge',
  weights: Float64Array,
  sinceMs: number,
): EnsembleState {
  const ids = members.map(({ id }) => id);
  const fits =
    state !== undefined &&
    state.members.join(' ') === ids.join(' ') &&
    (kind === 'sharpe' ? state.performance : state.hedge) !== undefined;
  if (fits) return structuredClone(state);
  return {
    members: ids,
    sinceMs,
    ...(kind === 'sharpe' ? { performance: noPerformance(ids.length) } : { hedge: evenWhereNone(weights) }),
  };
}

/** A forecaster whose weight is 0 could never earn one under multiplication: it begins with a hundredth. */
const evenWhereNone = (weights: Float64Array): number[] =>
  Array.from(weights, (weight) => 0.99 * weight + 0.01 / weights.length);

/** Rows in which every voter and the outcome are known, all symbols one after another. */
function completeRows(
  voters: readonly (readonly { readonly column: Float64Array; readonly scale: number }[])[],
  rows: readonly ShownRows[],
  isKept?: (timeMs: number) => boolean,
): { readonly stated: readonly Float64Array[]; readonly realised: Float64Array } {
  const stated: number[][] = voters.map(() => []);
  const realised: number[] = [];
  rows.forEach((shown, s) => {
    for (let i = 0; i < shown.realised.length; i++) {
      if (Number.isNaN(shown.realised[i]) || isKept?.(shown.time[i]) === false) continue;
      const row = shown.from + i;
      if (voters.some((columns) => Number.isNaN(columns[s].column[row] * columns[s].scale))) continue;
      voters.forEach((columns, k) => stated[k].push(columns[s].column[row] * columns[s].scale));
      realised.push(shown.realised[i]);
    }
  });
  return { stated: stated.map((column) => Float64Array.from(column)), realised: Float64Array.from(realised) };
}

function usualConfidence(
  forecasts: readonly Forecast[],
  rows: readonly ShownRows[],
  isKept?: (timeMs: number) => boolean,
): number {
  let [sum, count] = [0, 0];
  rows.forEach(({ time, from }, s) => {
    for (let i = 0; i < time.length; i++) {
      const confidence = forecasts[s].confidence[from + i];
      if (Number.isNaN(confidence) || isKept?.(time[i]) === false) continue;
      sum += confidence;
      count++;
    }
  });
  return sum > 0 ? sum / count : 1;
}

/** Positive part of the correlations about zero. */
function correlations(columns: readonly Float64Array[]): readonly Float64Array[] {
  const products = columns.map((a) =>
    Float64Array.from(columns, (b) => a.reduce((sum, value, i) => sum + value * b[i], 0)),
  );
  return products.map((row, m) =>
    row.map((value, k) =>
      m === k ? 1 : Math.max(0, value / Math.sqrt(products[m][m] * products[k][k])) || 0,
    ),
  );
}

function spreadOut(
  matrix: readonly Float64Array[],
  voters: readonly number[],
  n: number,
): readonly Float64Array[] {
  const whole = Array.from({ length: n }, () => new Float64Array(n));
  voters.forEach((m, a) => voters.forEach((k, b) => (whole[m][k] = matrix[a][b])));
  return whole;
}

/**
 * Two models that say the same get together what one of them had: each weight is multiplied by its own part of the
 * weights of all that are like it.
 */
function shareVotes(
  base: Float64Array,
  likeness: readonly Float64Array[] | undefined,
  into: Float64Array,
): void {
  let total = 0;
  for (let m = 0; m < base.length; m++) {
    let like = base[m];
    if (likeness !== undefined) {
      const row = likeness[m];
      like = 0;
      for (let k = 0; k < base.length; k++) like += row[k] * base[k];
    }
    into[m] = base[m] === 0 ? 0 : (base[m] * base[m]) / like;
    total += into[m];
  }
  if (likeness !== undefined && total > 0) for (let m = 0; m < base.length; m++) into[m] /= total;
}
