import { erfc } from '../foundation/special-functions.ts';

/** What is known of a forecast as a signal: it reverts to zero as a first-order autoregression. */
export interface SignalProcess {
  /** First-order autocorrelation from bar to bar, in [0, 1). */
  readonly persistence: number;
  /** Standard deviation of the expected return per bar, as a fraction. */
  readonly deviation: number;
}

/**
 * Where a position is left alone because the trade would cost more than it gains. With a signal `f` (expected return
 * per bar), risk aversion A, variance v per bar and proportional cost c, a position x earns `f x - A v x^2 / 2` per bar.
 * Each slice of the position at level x is then a switch of its own that earns `f - A v x` while it is held and costs c
 * to open and c to close, so the region follows from one-dimensional switching problems, solved on a grid of signals:
 * buy the slice when the signal is at or above `enter`, sell it when it is at or below `leave`, else keep what is held.
 * Proportional costs give a region of no trade (Davis & Norman 1990, Portfolio Selection with Transaction Costs); a
 * signal that decays makes it wide (Garleanu & Pedersen 2013, Dynamic Trading with Predictable Returns and Transaction
 * Costs).
 */
export interface NoTradeRegion {
  /** Largest slice level `A v x` worth buying at signal `f`; both per bar, as fractions. */
  readonly buyUpTo: (f: number) => number;
  /** Smallest slice level worth keeping at signal `f`: what lies above is sold. */
  readonly sellDownTo: (f: number) => number;
  /** The signal from which the first slice is worth buying; `Infinity`: none is. */
  readonly opensAt: number;
}

/** Slice levels of the table, in deviations of the signal; beyond the last the boundaries run on straight. */
const LEVELS = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4.5, 6];
const LIMIT = 10;
const NODES = 121;
const STEP = (2 * LIMIT) / (NODES - 1);
/** The next bar counts this much less: where a signal all but never pays the cost, rounding would decide otherwise. */
const DISCOUNT = 1e-9;

/** The region for trades that cost `cost` of their value one way. A signal that never moves is never traded. */
export function noTradeRegion({ persistence, deviation }: SignalProcess, cost: number): NoTradeRegion {
  if (!(deviation > 0)) return { buyUpTo: () => -Infinity, sellDownTo: () => Infinity, opensAt: Infinity };
  const transitions = transitionsOf(persistence);
  const value = Float64Array.from({ length: NODES }, (_, i) => signalAt(i));
  const solved = LEVELS.map((level, k) => {
    // Begins from the level below, which is nearly it.
    for (let i = 0; i < NODES; i++) value[i] -= level - (LEVELS[k - 1] ?? 0);
    return boundaries(level, { value, cost: cost / deviation, transitions });
  });
  // The problem is symmetric: a slice below zero is the mirror image of one above.
  const below = solved.slice(1).map(({ leave }) => -leave);
  const levels = [
    ...LEVELS.slice(1)
      .map((level) => -level)
      .reverse(),
    ...LEVELS,
  ];
  const enter = [...below.reverse(), ...solved.map((one) => one.enter)];
  const buyUpTo = (f: number): number => deviation * levelAt(enter, levels, f / deviation);
  return { buyUpTo, sellDownTo: (f) => -buyUpTo(-f), opensAt: deviation * solved[0].enter };
}

/**
 * The largest level with a bound at or below `f` (bounds increase with the level), between two levels interpolated and
 * beyond the last run on straight; next to an infinite bound the level that is certain.
 */
function levelAt(bounds: readonly number[], levels: readonly number[], f: number): number {
  const last = bounds.length - 1;
  let i = 0;
  while (i < last && bounds[i + 1] <= f) i++;
  if (i === last) i--;
  const rise = bounds[i + 1] - bounds[i];
  if (Number.isFinite(rise)) return levels[i] + ((levels[i + 1] - levels[i]) * (f - bounds[i])) / rise;
  return bounds[i] <= f ? levels[i] : -Infinity;
}

interface Boundaries {
  readonly enter: number;
  readonly leave: number;
}

/**
 * Signals at which a slice that pays `f - level` per bar is bought and sold, in deviations. The value D(f) of holding it
 * over not holding it solves `D(f) = f - level + E clip(D(f'), -cost, cost)`; policy iteration on the signals at which
 * nothing is done, which are neighbours, as D increases.
 */
function boundaries(
  level: number,
  {
    value,
    cost,
    transitions,
  }: {
    /** Where it begins, and what it comes to. */
    readonly value: Float64Array;
    readonly cost: number;
    readonly transitions: readonly Float64Array[];
  },
): Boundaries {
  if (cost === 0) return { enter: level, leave: level };
  for (let round = 0; round < 100; round++) {
    let from = 0;
    while (from < NODES && value[from] <= -cost) from++;
    let to = from;
    while (to < NODES && value[to] < cost) to++;
    const earned = (i: number): number => {
      const below = transitions[i];
      return signalAt(i) - level + cost * (below[NODES] - below[to] - below[from]);
    };
    const idle = solveIdle({ from, to, earned, transitions });
    for (let k = 0; k < idle.length; k++) idle[k] = Math.max(-cost, Math.min(cost, idle[k]));
    let change = 0;
    for (let i = 0; i < NODES; i++) {
      let next = earned(i);
      const below = transitions[i];
      for (let k = 0; k < idle.length; k++) next += (below[from + k + 1] - below[from + k]) * idle[k];
      change = Math.max(change, Math.abs(next - value[i]));
      value[i] = next;
    }
    if (change < 1e-9 * cost) break;
  }
  return { enter: crossing(value, cost), leave: crossing(value, -cost) };
}

/** Values of the nodes at which nothing is done when all others are switched: a linear system. */
function solveIdle({
  from,
  to,
  earned,
  transitions,
}: {
  readonly from: number;
  readonly to: number;
  /** What a node has without the values of these. */
  readonly earned: (node: number) => number;
  readonly transitions: readonly Float64Array[];
}): Float64Array {
  const n = to - from;
  const matrix: Float64Array[] = [];
  for (let k = 0; k < n; k++) {
    const below = transitions[from + k];
    const line = new Float64Array(n + 1);
    for (let j = 0; j < n; j++) line[j] = (j === k ? 1 : 0) - (below[from + j + 1] - below[from + j]);
    line[n] = earned(from + k);
    matrix.push(line);
  }
  // Rows of `1 - P` are diagonally dominant: elimination needs no pivots.
  for (let k = 0; k < n; k++) {
    const pivot = matrix[k];
    for (let i = k + 1; i < n; i++) {
      const line = matrix[i];
      const factor = line[k] / pivot[k];
      for (let j = k; j <= n; j++) line[j] -= factor * pivot[j];
    }
  }
  const solved = new Float64Array(n);
  for (let k = n - 1; k >= 0; k--) {
    let sum = matrix[k][n];
    for (let j = k + 1; j < n; j++) sum -= matrix[k][j] * solved[j];
    solved[k] = sum / matrix[k][k];
  }
  return solved;
}

const signalAt = (node: number): number => -LIMIT + node * STEP;

/** Where the increasing `value` passes `bound`; infinite when it stays on one side. */
function crossing(value: Float64Array, bound: number): number {
  if (value[0] >= bound) return -Infinity;
  for (let i = 1; i < NODES; i++)
    if (value[i] >= bound)
      return signalAt(i - 1) + (STEP * (bound - value[i - 1])) / (value[i] - value[i - 1]);
  return Infinity;
}

/** Of the persistence that was asked for last: symbols that cost differently share it. */
let known: { readonly persistence: number; readonly transitions: readonly Float64Array[] } | undefined;

/** From each node of signals, the weight of the next bar's nodes below node k, at k; a value between two nodes is interpolated. */
function transitionsOf(persistence: number): readonly Float64Array[] {
  if (known?.persistence === persistence) return known.transitions;
  const deviation = Math.sqrt(1 - persistence * persistence);
  const transitions = Array.from({ length: NODES }, (_, i) => {
    const mean = persistence * signalAt(i);
    const below = new Float64Array(NODES + 1);
    let above = expectedAbove(signalAt(0), mean, deviation);
    for (let k = 1; k < NODES; k++) {
      const next = expectedAbove(signalAt(k), mean, deviation);
      below[k] = (1 - (above - next) / STEP) * (1 - DISCOUNT);
      above = next;
    }
    below[NODES] = 1 - DISCOUNT;
    return below;
  });
  known = { persistence, transitions };
  return transitions;
}

/** `E max(x - at, 0)` of a normal `x`. */
function expectedAbove(at: number, mean: number, deviation: number): number {
  const z = (mean - at) / deviation;
  return (
    ((mean - at) * erfc(-z * Math.SQRT1_2)) / 2 +
    (deviation * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
  );
}
