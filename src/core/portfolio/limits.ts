import { UserError } from '../foundation/errors.ts';
import { type Constraint, solveQuadratic } from './quadratic.ts';

export interface Group {
  readonly name: string;
  /** Indices of assets. */
  readonly members: readonly number[];
  readonly min: number;
  readonly max: number;
}

/** What weights may be; they always sum to 1. Fractions of the capital. */
export interface Limits {
  /** One an asset; negative: it may be sold short. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly groups: readonly Group[];
  /** Largest sum of absolute changes from what is held; `undefined`: any. */
  readonly maxTurnover: number | undefined;
  /** At least so many assets with `leastWeight` each; 0: any number. */
  readonly minAssets: number;
  readonly leastWeight: number;
}

/** Long only, fully invested, nothing else. */
export const openLimits = (assets: number): Limits => ({
  min: new Float64Array(assets),
  max: new Float64Array(assets).fill(1),
  groups: [],
  maxTurnover: undefined,
  minAssets: 0,
  leastWeight: 0.01,
});

/**
 * The limits as constraints on the weights, and, where turnover is limited or costs something, on one more variable an asset:
 * its absolute change. `size`: number of variables in a row.
 */
export function limitConstraints(
  limits: Limits,
  symbols: readonly string[],
  size: number,
  current: Float64Array,
): Constraint[] {
  const n = limits.min.length;
  const unit = (entries: readonly (readonly [number, number])[]): Float64Array => {
    const row = new Float64Array(size);
    for (const [i, value] of entries) row[i] = value;
    return row;
  };
  const constraints: Constraint[] = [
    { name: 'the weights sum to 1', kind: 'equal', row: new Float64Array(size).fill(1, 0, n), bound: 1 },
  ];
  const atLeast = (name: string, row: Float64Array, bound: number): void =>
    void constraints.push({ name, kind: 'at-least', row, bound });
  const least = limits.min.reduce((sum, value) => sum + value, 0);
  for (let i = 0; i < n; i++) {
    if (limits.min[i] > -Infinity)
      atLeast(`${symbols[i]} at least ${percent(limits.min[i])}`, unit([[i, 1]]), limits.min[i]);
    // What the others hold at least may leave no more than that: then it goes without saying, and the solver is spared a row.
    if (limits.max[i] < Infinity && !(limits.max[i] >= 1 - (least - limits.min[i])))
      atLeast(`${symbols[i]} at most ${percent(limits.max[i])}`, unit([[i, -1]]), -limits.max[i]);
  }
  for (const { name, members, min, max } of limits.groups) {
    if (min > -Infinity)
      atLeast(`group "${name}" at least ${percent(min)}`, unit(members.map((i) => [i, 1] as const)), min);
    if (max < Infinity)
      atLeast(`group "${name}" at most ${percent(max)}`, unit(members.map((i) => [i, -1] as const)), -max);
  }
  if (size > n) {
    for (let i = 0; i < n; i++) {
      atLeast(
        `bought ${symbols[i]}`,
        unit([
          [i, -1],
          [n + i, 1],
        ]),
        -current[i],
      );
      atLeast(
        `sold ${symbols[i]}`,
        unit([
          [i, 1],
          [n + i, 1],
        ]),
        current[i],
      );
    }
    if (limits.maxTurnover !== undefined)
      atLeast(
        `turnover at most ${percent(limits.maxTurnover)}`,
        new Float64Array(size).fill(-1, n),
        -limits.maxTurnover,
      );
  }
  return constraints;
}

/** The same limits for y = k w with any k >= 0: since weights sum to 1, a'w >= b becomes (a - b 1)'y >= 0. */
export const homogeneous = (constraints: readonly Constraint[], assets: number): Constraint[] =>
  constraints
    .filter(({ kind }) => kind !== 'equal')
    .map((one) => {
      const row = Float64Array.from(one.row);
      for (let i = 0; i < assets; i++) row[i] -= one.bound;
      return { ...one, row, bound: 0 };
    });

/** Throws `UserError` with the limits that cannot hold together, none of which could be left out of the conflict. */
export function requireFeasible(limits: Limits, symbols: readonly string[], current: Float64Array): void {
  const n = limits.min.length;
  if (limits.minAssets > n)
    throw new UserError(`At least ${limits.minAssets} assets are asked for, and there are ${n}.`, {
      hint: 'Lower --min-assets or name more symbols.',
    });
  const size = limits.maxTurnover === undefined ? n : 2 * n;
  const constraints = limitConstraints(limits, symbols, size, current);
  if (holds(constraints, size)) return;
  // What is left when every limit that the conflict does not need has been taken away (Chinneck 2008, deletion filter).
  let left = constraints;
  for (const one of constraints) {
    const without = left.filter((other) => other !== one);
    if (!holds(without, size)) left = without;
  }
  const names = left.map(({ name }) => name).filter((name) => !/^(bought|sold) /.test(name));
  throw new UserError(`These limits cannot hold together: ${summarise(names).join('; ')}.`, {
    hint: `Relax one of them: ${hintFor(left)}`,
  });
}

/** Many single limits of one kind and size read as one. */
function summarise(names: readonly string[]): readonly string[] {
  const alike = new Map<string, string[]>();
  for (const name of names) {
    const match = /^(\S+) (at (?:least|most) .*)$/.exec(name);
    const [symbol, rule] = match === null ? ['', name] : [match[1], match[2]];
    alike.set(rule, [...(alike.get(rule) ?? []), symbol]);
  }
  return [...alike].map(([rule, symbols]) => (symbols[0] === '' ? rule : `${symbols.join(', ')} ${rule}`));
}

function hintFor(conflict: readonly Constraint[]): string {
  const bounds = conflict.filter(({ name }) => / at most /.test(name) && !name.startsWith('turnover'));
  const total = bounds.reduce((sum, { bound }) => sum - bound, 0);
  if (bounds.length === conflict.length - 1 && total < 1)
    return `the largest weights sum to ${percent(total)}, and all of the capital has to go somewhere.`;
  return 'every limit named here is part of the conflict.';
}

/** The point of the constraints that lies nearest to the origin, if there is one. */
function holds(constraints: readonly Constraint[], size: number): boolean {
  const hessian = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size);
    row[i] = 1;
    return row;
  });
  return solveQuadratic({ hessian, linear: new Float64Array(size), constraints }) !== undefined;
}

/** Whether weights keep within the limits, but for rounding. */
export function isWithin(limits: Limits, weights: Float64Array, current: Float64Array): boolean {
  const slack = 1e-9;
  const turnover = weights.reduce((sum, weight, i) => sum + Math.abs(weight - current[i]), 0);
  const held = weights.filter((weight) => Math.abs(weight) >= limits.leastWeight - slack).length;
  return (
    weights.every((weight, i) => weight >= limits.min[i] - slack && weight <= limits.max[i] + slack) &&
    limits.groups.every(({ members, min, max }) => {
      const sum = members.reduce((total, i) => total + weights[i], 0);
      return sum >= min - slack && sum <= max + slack;
    }) &&
    turnover <= (limits.maxTurnover ?? Infinity) + slack &&
    held >= limits.minAssets
  );
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;
