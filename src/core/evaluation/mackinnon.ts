import { normalCdf } from '../foundation/special-functions.ts';

/** Deterministic terms of the (cointegrating) regression: none, constant, with trend, with squared trend. */
export type Trend = 'n' | 'c' | 'ct' | 'ctt';

/**
 * Approximate p-value of a Dickey-Fuller tau statistic for `series` integrated series (1: a unit-root test,
 * 2: the residual of a regression of one on another, at most 6). MacKinnon 1994, tables 3 and 4, with the
 * coefficients of statsmodels' `adfvalues`.
 */
export function mackinnonP(tau: number, trend: Trend, series: number): number {
  const { star, least, most, left, right } = SURFACES[trend];
  const row = series - 1;
  if (tau > most[row]) return 1;
  if (tau < least[row]) return 0;
  if (tau <= star[row]) {
    const [c0, c1, c2] = left[row];
    return normalCdf(c0 + c1 * tau + 0.01 * c2 * tau * tau);
  }
  const [c0, c1, c2, c3] = right[row];
  return normalCdf(c0 + 0.1 * c1 * tau + 0.1 * c2 * tau * tau + 0.01 * c3 * tau ** 3);
}

interface Surface {
  /** Where the left-tail polynomial ends, and outside which p is 0 or 1; one entry a number of series. */
  readonly star: readonly number[];
  readonly least: readonly number[];
  readonly most: readonly number[];
  readonly left: readonly (readonly number[])[];
  readonly right: readonly (readonly number[])[];
}

// prettier-ignore
const SURFACES: Readonly<Record<Trend, Surface>> = {
  n: {
    star: [-1.04, -1.53, -2.68, -3.09, -3.07, -3.77],
    least: [-19.04, -19.62, -21.21, -23.25, -21.63, -25.74],
    most: [Infinity, 1.51, 0.86, 0.88, 1.05, 1.24],
    left: [[0.6344, 1.2378, 3.2496], [1.9129, 1.3857, 3.5322], [2.7648, 1.4502, 3.4186], [3.4336, 1.4835, 3.19], [4.0999, 1.5533, 3.59], [4.5388, 1.5344, 2.9807]],
    right: [[0.4797, 9.3557, -0.6999, 3.3066], [1.5578, 8.558, -2.083, -3.3549], [2.2268, 6.8093, -3.2362, -5.4448], [2.7654, 6.4502, -3.0811, -4.4946], [3.2684, 6.8051, -2.6778, -3.4972], [3.7268, 7.167, -2.3648, -2.8288]],
  },
  c: {
    star: [-1.61, -2.62, -3.13, -3.47, -3.78, -3.93],
    least: [-18.83, -18.86, -23.48, -28.07, -25.96, -23.27],
    most: [2.74, 0.92, 0.55, 0.61, 0.79, 1],
    left: [[2.1659, 1.4412, 3.8269], [2.92, 1.5012, 3.9796], [3.4699, 1.4856, 3.164], [3.9673, 1.4777, 2.6315], [4.5509, 1.5338, 2.9545], [5.1399, 1.6036, 3.4445]],
    right: [[1.7339, 9.3202, -1.2745, -1.0368], [2.1945, 6.4695, -2.9198, -4.2377], [2.5893, 4.5168, -3.6529, -5.0074], [3.0387, 4.5452, -3.3666, -4.1921], [3.5049, 5.2098, -2.9158, -3.3468], [3.9489, 5.8933, -2.5359, -2.721]],
  },
  ct: {
    star: [-2.89, -3.19, -3.5, -3.65, -3.8, -4.36],
    least: [-16.18, -21.15, -25.37, -26.63, -26.53, -26.18],
    most: [0.7, 0.63, 0.71, 0.93, 1.19, 1.42],
    left: [[3.2512, 1.6047, 4.9588], [3.6646, 1.5419, 3.6448], [4.0983, 1.5173, 2.9898], [4.5844, 1.5338, 2.8796], [5.0722, 1.5634, 2.9472], [5.53, 1.5914, 3.0392]],
    right: [[2.5261, 6.1654, -3.7956, -6.0285], [2.85, 5.272, -3.6622, -5.1695], [3.221, 5.255, -3.2685, -4.1501], [3.652, 5.9758, -2.7483, -3.2081], [4.0712, 6.6428, -2.3464, -2.546], [4.4735, 7.1757, -2.0681, -2.1196]],
  },
  ctt: {
    star: [-3.21, -3.51, -3.81, -3.83, -4.12, -4.63],
    least: [-17.17, -21.1, -24.33, -24.03, -24.33, -28.22],
    most: [0.54, 0.79, 1.08, 1.43, 3.49, 1.92],
    left: [[4.0003, 1.658, 4.8288], [4.3534, 1.6016, 3.7947], [4.7343, 1.5768, 3.2396], [5.214, 1.6077, 3.3449], [5.6481, 1.6274, 3.3455], [5.9296, 1.5929, 2.8223]],
    right: [[3.0778, 4.9529, -4.1477, -5.9359], [3.4713, 5.967, -3.2507, -4.2286], [3.8637, 6.7852, -2.6286, -3.1381], [4.2736, 7.6199, -2.1534, -2.4026], [4.6679, 8.2618, -1.822, -1.9147], [5.0009, 8.3735, -1.6994, -1.6928]],
  },
};
