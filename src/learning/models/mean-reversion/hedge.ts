import { RollingMoments } from '../../../core/features/kernels/rolling.ts';

/** Spread of ln y on ln x at each row, from that row and the past only; `NaN` while it is not known. */
export interface Spread {
  readonly hedgeRatio: Float64Array;
  /** Deviation from the fitted line in standard deviations. */
  readonly score: Float64Array;
}

/** Least squares over the last `window` rows; the score is the last residual over the residuals' deviation. */
export function rollingHedge(y: Float64Array, x: Float64Array, window: number): Spread {
  const rows = y.length;
  const hedgeRatio = new Float64Array(rows).fill(NaN);
  const score = new Float64Array(rows).fill(NaN);
  let [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let row = window - 1; row < rows; row++) {
    if ((row + 1) % window === 0) {
      // Anew once per window, so that rounding cannot pile up.
      [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
      for (let i = row - window + 1; i <= row; i++) {
        meanX += x[i] / window;
        meanY += y[i] / window;
      }
      for (let i = row - window + 1; i <= row; i++) {
        xx += (x[i] - meanX) ** 2;
        xy += (x[i] - meanX) * (y[i] - meanY);
        yy += (y[i] - meanY) ** 2;
      }
    } else {
      const [newX, newY, oldX, oldY] = [x[row], y[row], x[row - window], y[row - window]];
      const [stepX, stepY] = [(newX - oldX) / window, (newY - oldY) / window];
      const [beforeX, beforeY] = [meanX, meanY];
      meanX += stepX;
      meanY += stepY;
      xx += (newX - oldX) * (newX - meanX + oldX - beforeX);
      yy += (newY - oldY) * (newY - meanY + oldY - beforeY);
      xy += (newX - oldX) * (newY - meanY) + (oldX - beforeX) * (newY - oldY);
    }
    if (!(xx > 1e-14)) continue;
    const slope = xy / xx;
    const residual = y[row] - meanY - slope * (x[row] - meanX);
    const variance = (yy - slope * xy) / (window - 2);
    hedgeRatio[row] = slope;
    score[row] = variance > 1e-16 ? residual / Math.sqrt(variance) : 0;
  }
  return { hedgeRatio, score };
}

/**
 * Intercept and slope as a random walk followed by a Kalman filter (Chan 2013, Algorithmic Trading, chapter 3):
 * `drift` is the variance of a step of each coefficient over the variance of an observation. The score is the
 * innovation over the deviation of the last `window` innovations.
 */
export function kalmanHedge(
  y: Float64Array,
  x: Float64Array,
  { drift, window }: { drift: number; window: number },
): Spread {
  const rows = y.length;
  const hedgeRatio = new Float64Array(rows).fill(NaN);
  const score = new Float64Array(rows).fill(NaN);
  const innovations = new RollingMoments(window);
  let [intercept, slope] = [0, 0];
  // Diffuse: the first observations decide.
  let [p00, p01, p11] = [1e3, 0, 1e3];
  for (let row = 0; row < rows; row++) {
    p00 += drift;
    p11 += drift;
    const towards0 = p00 + p01 * x[row];
    const towards1 = p01 + p11 * x[row];
    const variance = towards0 + towards1 * x[row] + 1;
    const innovation = y[row] - intercept - slope * x[row];
    intercept += (towards0 / variance) * innovation;
    slope += (towards1 / variance) * innovation;
    p00 -= (towards0 * towards0) / variance;
    p01 -= (towards0 * towards1) / variance;
    p11 -= (towards1 * towards1) / variance;
    innovations.push(innovation);
    if (row < 2 * window) continue;
    hedgeRatio[row] = slope;
    score[row] = innovations.squares === 0 ? 0 : innovation / innovations.deviation;
  }
  return { hedgeRatio, score };
}
