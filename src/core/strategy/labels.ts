import { cholesky, solveLower } from '../foundation/linear-algebra.ts';
import { type Edge, measureEdge, shrinkage } from './edge.ts';
import type { Situation } from './strategy.ts';

/**
 * A second model over the first: the probability that the side which a forecaster takes is right, given how far it leans,
 * how sure it is and how wild the market is (meta-labelling: Lopez de Prado 2018, Advances in Financial Machine Learning, 3.6).
 */
export interface MetaLabels {
  /** Logistic regression on the inputs, standardised. */
  readonly intercept: number;
  readonly weights: readonly number[];
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  /** Share of sides that were right. */
  readonly base: number;
  /** Mean absolute return over the horizon: what a bar that is right brings, and a wrong one takes. */
  readonly meanMove: number;
  /** Of probabilities that each half of the bars was given by the other, less the base, against what happened. */
  readonly edge: Edge;
}

/** A bar with a side and a known outcome. */
export interface Labelled {
  readonly time: number;
  /** Which symbol, and which row of it. */
  readonly s: number;
  readonly inputs: readonly number[];
  /** Return over the horizon. */
  readonly realised: number;
  readonly side: number;
}

/** What the second model looks at; `NaN` where it cannot say. */
export function labelInputs({
  expectedReturn,
  confidence,
  volatility,
  horizonBars,
}: Pick<Situation, 'expectedReturn' | 'confidence' | 'volatility' | 'horizonBars'>): readonly number[] {
  const deviation = volatility * Math.sqrt(horizonBars);
  return [Math.abs(expectedReturn) / deviation, confidence, Math.log(volatility), Math.sign(expectedReturn)];
}

/** Fewer labelled bars teach nothing. */
const LEAST = 400;
const PENALTY = 0.01;

/** Fitted on bars that the forecaster was not fitted on; `undefined` below 400 of them, or when all sides were alike right. */
export function fitLabels(
  rows: readonly Labelled[],
  { horizonBars, barMs }: { readonly horizonBars: number; readonly barMs: number },
): MetaLabels | undefined {
  const known = rows.filter(({ inputs, realised }) => inputs.every(Number.isFinite) && realised !== 0);
  if (known.length < LEAST) return undefined;
  const whole = fit(known);
  if (whole === undefined) return undefined;
  // Halves in time, the rows between them whose horizons overlap left out.
  const times = known.map(({ time }) => time).sort((a, b) => a - b);
  const middle = times[times.length >> 1];
  const gap = (horizonBars + 1) * barMs;
  const halves = [
    { of: known.filter(({ time }) => time < middle), from: known.filter(({ time }) => time >= middle + gap) },
    { of: known.filter(({ time }) => time >= middle), from: known.filter(({ time }) => time < middle - gap) },
  ];
  const judged = halves.flatMap(({ of, from }) => {
    const other = fit(from);
    return other === undefined
      ? []
      : of.map((row) => ({
          ...row,
          stated: probabilityRight(other, row.inputs) - other.base,
          base: other.base,
        }));
  });
  const symbols = [...new Set(judged.map(({ s }) => s))];
  const edge = measureEdge(
    symbols.map((s) => {
      const own = judged.filter((row) => row.s === s).sort((a, b) => a.time - b.time);
      return {
        time: Float64Array.from(own, ({ time }) => time),
        stated: Float64Array.from(own, ({ stated }) => stated),
        realised: Float64Array.from(own, (row) => (isRight(row) ? 1 : 0) - row.base),
      };
    }),
    { horizonBars, barMs },
  );
  if (edge === undefined) return undefined;
  const meanMove = known.reduce((sum, { realised }) => sum + Math.abs(realised), 0) / known.length;
  return { ...whole, meanMove, edge };
}

const isRight = ({ side, realised }: Labelled): boolean => side * realised > 0;

type Fit = Omit<MetaLabels, 'meanMove' | 'edge'>;

/** Between 0 and 1, before any shrinkage. */
export function probabilityRight(
  { intercept, weights, means, deviations }: Fit,
  inputs: readonly number[],
): number {
  let margin = intercept;
  for (let i = 0; i < inputs.length; i++)
    margin += weights[i] * limited((inputs[i] - means[i]) / deviations[i]);
  return 1 / (1 + Math.exp(-margin));
}

/** The same, moved towards the base as far as its own skill out of sample demands. */
export const believedRight = (labels: MetaLabels, inputs: readonly number[]): number =>
  labels.base + shrinkage(labels.edge) * (probabilityRight(labels, inputs) - labels.base);

const limited = (value: number): number => Math.max(-5, Math.min(5, value));

/** Penalised logistic regression by Newton's method. */
function fit(rows: readonly Labelled[]): Fit | undefined {
  if (rows.length < LEAST / 4) return undefined;
  const width = rows[0].inputs.length;
  const mean = (of: (row: Labelled) => number): number =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const base = mean((row) => (isRight(row) ? 1 : 0));
  if (base === 0 || base === 1) return undefined;
  const means = Array.from({ length: width }, (_, i) => mean(({ inputs }) => inputs[i]));
  const deviations = means.map(
    (centre, i) => Math.sqrt(mean(({ inputs }) => (inputs[i] - centre) ** 2)) || 1,
  );
  const beta = new Float64Array(width + 1);
  beta[0] = Math.log(base / (1 - base));
  const x = new Float64Array(width + 1);
  for (let round = 0; round < 25; round++) {
    const gradient = new Float64Array(width + 1);
    const hessian = Array.from({ length: width + 1 }, () => new Float64Array(width + 1));
    for (const row of rows) {
      x[0] = 1;
      for (let i = 0; i < width; i++) x[i + 1] = limited((row.inputs[i] - means[i]) / deviations[i]);
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * beta[i], 0)));
      for (let i = 0; i <= width; i++) {
        gradient[i] += ((isRight(row) ? 1 : 0) - p) * x[i];
        for (let j = 0; j <= width; j++) hessian[i][j] += p * (1 - p) * x[i] * x[j];
      }
    }
    for (let i = 0; i <= width; i++) {
      const ridge = i === 0 ? 1e-9 : PENALTY;
      gradient[i] -= ridge * rows.length * beta[i];
      hessian[i][i] += ridge * rows.length;
    }
    const lower = cholesky(hessian);
    if (lower === undefined) return undefined;
    const step = solveLower(lower, gradient);
    for (let i = 0; i <= width; i++) beta[i] += step[i];
    if (Math.max(...step.map(Math.abs)) < 1e-10) break;
  }
  return { intercept: beta[0], weights: [...beta.subarray(1)], means, deviations, base };
}
