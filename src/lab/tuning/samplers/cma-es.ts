import { normal } from '../../../core/foundation/random.ts';
import { atUnit, drawn, fill, isSingle, type Space, unitOf } from '../space.ts';
import { finished, type Sampler, type Trial } from '../trial.ts';

interface State {
  readonly mean: Float64Array;
  readonly deviation: number;
  readonly covariance: readonly Float64Array[];
  readonly conjugatePath: Float64Array;
  readonly path: Float64Array;
  readonly generation: number;
}

/**
 * Covariance matrix adaptation evolution strategy (Hansen 2016, "The CMA evolution strategy: a tutorial", its default
 * weights and rates) over the numbers that every trial has, each on its scale from 0 to 1; choices and conditional
 * parameters are drawn at random. The state is computed anew from finished trials in the order of their numbers, a
 * generation after the other, so that a study can be gone on with from its journal alone.
 */
export const createCmaEs = ({
  initialDeviation = 1 / 6,
}: { readonly initialDeviation?: number } = {}): Sampler => ({
  suggest(space, trials, { random }) {
    const names = Object.keys(space).filter(
      (name) =>
        space[name].kind !== 'categorical' && space[name].when === undefined && !isSingle(space[name]),
    );
    if (names.length === 0) return fill(space, (_name, dimension) => drawn(dimension, random));
    const state = stateAfter(space, names, finished(trials), initialDeviation);
    const { values, vectors } = eigen(state.covariance);
    let point = new Float64Array(names.length);
    for (let attempt = 0; attempt < 100; attempt++) {
      const z = values.map((value) => Math.sqrt(Math.max(value, 0)) * normal(random));
      point = state.mean.map(
        (mean, i) => mean + state.deviation * vectors[i].reduce((sum, entry, k) => sum + entry * z[k], 0),
      );
      if (point.every((x) => x >= 0 && x <= 1)) break;
    }
    return fill(space, (name, dimension) => {
      const axis = names.indexOf(name);
      return axis < 0
        ? drawn(dimension, random)
        : atUnit(dimension, Math.min(Math.max(point[axis], 0), 1 - 1e-12));
    });
  },
});

function stateAfter(
  space: Space,
  names: readonly string[],
  trials: readonly Trial[],
  deviation: number,
): State {
  const n = names.length;
  const size = 4 + Math.floor(3 * Math.log(n));
  const parents = Math.floor(size / 2);
  const raw = Array.from({ length: parents }, (_, i) => Math.log((size + 1) / 2) - Math.log(i + 1));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  const weights = raw.map((weight) => weight / sum);
  const effective = 1 / weights.reduce((total, weight) => total + weight ** 2, 0);
  const ofConjugate = (effective + 2) / (n + effective + 5);
  const damping = 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (n + 1)) - 1) + ofConjugate;
  const ofPath = (4 + effective / n) / (n + 4 + (2 * effective) / n);
  const rankOne = 2 / ((n + 1.3) ** 2 + effective);
  const rankMany = Math.min(1 - rankOne, (2 * (effective - 2 + 1 / effective)) / ((n + 2) ** 2 + effective));
  const expectedLength = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n ** 2));

  let state: State = {
    mean: new Float64Array(n).fill(0.5),
    deviation,
    covariance: Array.from({ length: n }, (_, i) =>
      Float64Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)),
    ),
    conjugatePath: new Float64Array(n),
    path: new Float64Array(n),
    generation: 0,
  };
  for (let start = 0; start + size <= trials.length; start += size) {
    const best = [...trials.slice(start, start + size)]
      .sort((a, b) => lossOf(a) - lossOf(b))
      .slice(0, parents);
    const steps = best.map(({ params }) =>
      Float64Array.from(
        names,
        (name, i) => (unitOf(space[name], params[name]) - state.mean[i]) / state.deviation,
      ),
    );
    const step = state.mean.map((_, i) =>
      weights.reduce((total, weight, k) => total + weight * steps[k][i], 0),
    );
    const { values, vectors } = eigen(state.covariance);
    const whitened = state.mean.map((_, i) =>
      vectors[i].reduce((total, entry, k) => {
        const along = step.reduce((part, value, j) => part + vectors[j][k] * value, 0);
        return total + (entry * along) / Math.sqrt(Math.max(values[k], 1e-20));
      }, 0),
    );
    const generation = state.generation + 1;
    const conjugatePath = state.conjugatePath.map(
      (value, i) =>
        (1 - ofConjugate) * value + Math.sqrt(ofConjugate * (2 - ofConjugate) * effective) * whitened[i],
    );
    const length = Math.hypot(...conjugatePath);
    const isShort =
      length / Math.sqrt(1 - (1 - ofConjugate) ** (2 * generation)) < (1.4 + 2 / (n + 1)) * expectedLength;
    const path = state.path.map(
      (value, i) =>
        (1 - ofPath) * value + (isShort ? Math.sqrt(ofPath * (2 - ofPath) * effective) * step[i] : 0),
    );
    const stays = 1 - rankOne - rankMany + (isShort ? 0 : rankOne * ofPath * (2 - ofPath));
    state = {
      generation,
      mean: state.mean.map((mean, i) => mean + state.deviation * step[i]),
      deviation: Math.min(
        state.deviation * Math.exp((ofConjugate / damping) * (length / expectedLength - 1)),
        1e3,
      ),
      conjugatePath,
      path,
      covariance: state.covariance.map((row, i) =>
        row.map(
          (value, j) =>
            stays * value +
            rankOne * path[i] * path[j] +
            rankMany * weights.reduce((total, weight, k) => total + weight * steps[k][i] * steps[k][j], 0),
        ),
      ),
    };
  }
  return state;
}

/** Pruned and infeasible trials stand behind all others. */
const lossOf = ({ values, violation }: Trial): number =>
  violation > 0 ? 1e300 + violation : (values[0] ?? 1e299);

/** Eigenvalues of a symmetric matrix, and its eigenvectors as columns (Jacobi's rotations). */
function eigen(matrix: readonly Float64Array[]): {
  readonly values: number[];
  readonly vectors: readonly Float64Array[];
} {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p][q] ** 2;
    if (off < 1e-24) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p][q] === 0) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++)
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++)
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (const row of vectors) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
      }
    }
  }
  return { values: a.map((row, i) => row[i]), vectors };
}
