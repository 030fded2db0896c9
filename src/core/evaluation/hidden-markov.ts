import { createRandom } from '../foundation/random.ts';

/** Hidden states that follow each other by chance and show values of a normal distribution each. */
export interface GaussianHmm {
  readonly states: number;
  /** Numbers in one observation; in each state they are independent of each other. */
  readonly width: number;
  /** [states] */
  readonly start: readonly number[];
  /** [states][states]: from, to. */
  readonly transitions: readonly (readonly number[])[];
  /** [states][width] */
  readonly means: readonly (readonly number[])[];
  /** [states][width] */
  readonly variances: readonly (readonly number[])[];
}

export interface HmmFit {
  readonly model: GaussianHmm;
  readonly logLikelihood: number;
  /** Schwarz 1978; lower is better. */
  readonly bic: number;
  readonly iterations: number;
}

const LEAST_VARIANCE = 1e-12;

/**
 * Expectation-maximisation of Baum, Petrie, Soules & Weiss 1970 with scaled probabilities (Rabiner 1989, section V.A), from
 * `begin`, until the log likelihood gains less than `tolerance` or after `iterations`. `observations` is [rows, width].
 */
export function baumWelch(
  observations: Float64Array,
  begin: GaussianHmm,
  { iterations = 200, tolerance = 1e-4 }: { readonly iterations?: number; readonly tolerance?: number } = {},
): HmmFit {
  let model = begin;
  let pass = expectation(observations, model);
  let done = 0;
  while (done < iterations) {
    const next = maximisation(observations, model, pass);
    const after = expectation(observations, next);
    const gain = after.logLikelihood - pass.logLikelihood;
    [model, pass] = [next, after];
    done++;
    if (gain < tolerance) break;
  }
  const { states, width } = model;
  const free = states - 1 + states * (states - 1) + 2 * states * width;
  const rows = observations.length / width;
  const { logLikelihood } = pass;
  return { model, logLikelihood, bic: free * Math.log(rows) - 2 * logLikelihood, iterations: done };
}

/**
 * The model with as many states, of 1 to `most`, as the Bayesian information criterion asks for: for each number the likeliest
 * of several fits that begin from states drawn among the observations. States are in order of their first mean.
 */
export function fitHmm(
  observations: Float64Array,
  width: number,
  { most, seed, starts = 4 }: { readonly most: number; readonly seed: number; readonly starts?: number },
): HmmFit {
  let best: HmmFit | undefined;
  for (let states = 1; states <= most; states++) {
    let own: HmmFit | undefined;
    for (let attempt = 0; attempt < (states === 1 ? 1 : starts); attempt++) {
      const begin = drawnModel(observations, width, states, seed + 1000 * states + attempt);
      const fit = baumWelch(observations, begin);
      if (Number.isFinite(fit.logLikelihood) && (own === undefined || fit.logLikelihood > own.logLikelihood))
        own = fit;
    }
    if (own !== undefined && (best === undefined || own.bic < best.bic)) best = own;
  }
  if (best === undefined) throw new Error('no hidden Markov model could be fitted to these observations');
  return { ...best, model: inOrder(best.model) };
}

/** Probability of every state at every row, [rows, states], from the observations up to that row alone. */
export function filteredStates(observations: Float64Array, model: GaussianHmm): Float64Array {
  return forward(observations, model).alpha;
}

function drawnModel(observations: Float64Array, width: number, states: number, seed: number): GaussianHmm {
  const random = createRandom(seed);
  const rows = observations.length / width;
  const column = (f: number): number[] =>
    Array.from({ length: rows }, (_, row) => observations[row * width + f]);
  const spread = Array.from({ length: width }, (_, f) => {
    const values = column(f);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
  });
  const picked = Array.from({ length: states }, () => Math.floor(random() * rows));
  return {
    states,
    width,
    start: picked.map(() => 1 / states),
    transitions: picked.map((_, i) =>
      picked.map((_to, j) => (states === 1 ? 1 : i === j ? 0.9 : 0.1 / (states - 1))),
    ),
    means: picked.map((row) => Array.from({ length: width }, (_, f) => observations[row * width + f])),
    // Calm ones and wild ones: markets differ in spread more than in mean.
    variances: picked.map((_, i) =>
      spread.map((value) => Math.max(LEAST_VARIANCE, value * 4 ** (i - (states - 1) / 2))),
    ),
  };
}

function inOrder(model: GaussianHmm): GaussianHmm {
  const order = model.means.map((_, state) => state).sort((a, b) => model.means[a][0] - model.means[b][0]);
  return {
    ...model,
    start: order.map((state) => model.start[state]),
    transitions: order.map((from) => order.map((to) => model.transitions[from][to])),
    means: order.map((state) => model.means[state]),
    variances: order.map((state) => model.variances[state]),
  };
}

/** Densities of each row in each state, each row divided by its largest, and the sum of the logarithms of those. */
function densities(observations: Float64Array, { states, width, means, variances }: GaussianHmm) {
  const rows = observations.length / width;
  const values = new Float64Array(rows * states);
  let logScale = 0;
  for (let row = 0; row < rows; row++) {
    let top = -Infinity;
    for (let s = 0; s < states; s++) {
      let log = 0;
      for (let f = 0; f < width; f++) {
        const variance = variances[s][f];
        const distance = observations[row * width + f] - means[s][f];
        log -= 0.5 * (Math.log(2 * Math.PI * variance) + (distance * distance) / variance);
      }
      values[row * states + s] = log;
      top = Math.max(top, log);
    }
    for (let s = 0; s < states; s++) values[row * states + s] = Math.exp(values[row * states + s] - top);
    logScale += top;
  }
  return { values, logScale };
}

function forward(observations: Float64Array, model: GaussianHmm) {
  const { states, start, transitions, width } = model;
  const rows = observations.length / width;
  const { values, logScale } = densities(observations, model);
  const alpha = new Float64Array(rows * states);
  const scale = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < states; s++) {
      let before = start[s];
      if (row > 0) {
        before = 0;
        for (let from = 0; from < states; from++)
          before += alpha[(row - 1) * states + from] * transitions[from][s];
      }
      alpha[row * states + s] = before * values[row * states + s];
      scale[row] += alpha[row * states + s];
    }
    for (let s = 0; s < states; s++) alpha[row * states + s] /= scale[row];
  }
  const logLikelihood = scale.reduce((sum, value) => sum + Math.log(value), logScale);
  return { alpha, scale, densities: values, logLikelihood };
}

/** Posterior probabilities of states, [rows, states], and expected transitions, [states, states]. */
function expectation(observations: Float64Array, model: GaussianHmm) {
  const { states, transitions, width } = model;
  const rows = observations.length / width;
  const { alpha, scale, densities: values, logLikelihood } = forward(observations, model);
  const posterior = alpha.slice();
  const moves = new Float64Array(states * states);
  let beta = new Float64Array(states).fill(1);
  for (let row = rows - 2; row >= 0; row--) {
    const next = new Float64Array(states);
    for (let from = 0; from < states; from++) {
      for (let to = 0; to < states; to++) {
        const flow = (transitions[from][to] * values[(row + 1) * states + to] * beta[to]) / scale[row + 1];
        next[from] += flow;
        moves[from * states + to] += alpha[row * states + from] * flow;
      }
      posterior[row * states + from] *= next[from];
    }
    beta = next;
  }
  return { posterior, moves, logLikelihood };
}

function maximisation(
  observations: Float64Array,
  { states, width }: GaussianHmm,
  { posterior, moves }: ReturnType<typeof expectation>,
): GaussianHmm {
  const rows = observations.length / width;
  const all = Array.from({ length: states }, (_, s) => s);
  const weight = all.map((s) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += posterior[row * states + s];
    return sum;
  });
  const meanOf = (s: number, f: number, of: (value: number) => number): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++)
      sum += posterior[row * states + s] * of(observations[row * width + f]);
    return sum / weight[s];
  };
  const columns = Array.from({ length: width }, (_, f) => f);
  const means = all.map((s) => columns.map((f) => meanOf(s, f, (value) => value)));
  return {
    states,
    width,
    start: all.map((s) => posterior[s]),
    transitions: all.map((from) => {
      const out = all.reduce((sum, to) => sum + moves[from * states + to], 0);
      return all.map((to) => (out > 0 ? moves[from * states + to] / out : Number(from === to)));
    }),
    means,
    variances: all.map((s) =>
      columns.map((f) =>
        Math.max(
          LEAST_VARIANCE,
          meanOf(s, f, (value) => (value - means[s][f]) ** 2),
        ),
      ),
    ),
  };
}
