import { RollingMoments } from '../../../core/features/kernels/rolling.ts';

/** Spread of ln y on ln x at the close of each bar, from it and the past only: read the fields after `push`; `NaN` while not known. */
export interface Hedge {
  hedgeRatio: number;
  /** Deviation from the fitted line in standard deviations. */
  score: number;
  push(y: number, x: number): void;
}

/** Least squares over the last `window` rows; the score is the last residual over the residuals' deviation. */
export function followLine(window: number): Hedge {
  const [lastY, lastX] = [new Float64Array(window), new Float64Array(window)];
  let row = -1;
  let [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
  const hedge: Hedge = { hedgeRatio: NaN, score: NaN, push };
  return hedge;

  function push(newY: number, newX: number): void {
    row++;
    const at = row % window;
    const [oldY, oldX] = [lastY[at], lastX[at]];
    lastY[at] = newY;
    lastX[at] = newX;
    hedge.hedgeRatio = hedge.score = NaN;
    if (row < window - 1) return;
    if (at === window - 1) {
      // Anew once per window, so that rounding cannot pile up.
      [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
      for (let i = 0; i < window; i++) {
        meanX += lastX[i] / window;
        meanY += lastY[i] / window;
      }
      for (let i = 0; i < window; i++) {
        xx += (lastX[i] - meanX) ** 2;
        xy += (lastX[i] - meanX) * (lastY[i] - meanY);
        yy += (lastY[i] - meanY) ** 2;
      }
    } else {
      const [stepX, stepY] = [(newX - oldX) / window, (newY - oldY) / window];
      const [beforeX, beforeY] = [meanX, meanY];
      meanX += stepX;
      meanY += stepY;
      xx += (newX - oldX) * (newX - meanX + oldX - beforeX);
      yy += (newY - oldY) * (newY - meanY + oldY - beforeY);
      xy += (newX - oldX) * (newY - meanY) + (oldX - beforeX) * (newY - oldY);
    }
    if (!(xx > 1e-14)) return;
    const slope = xy / xx;
    const residual = newY - meanY - slope * (newX - meanX);
    const variance = (yy - slope * xy) / (window - 2);
    hedge.hedgeRatio = slope;
    hedge.score = variance > 1e-16 ? residual / Math.sqrt(variance) : 0;
  }
}

/**
 * Intercept and slope as a random walk followed by a Kalman filter (Chan 2013, Algorithmic Trading, chapter 3):
 * `drift` is the variance of a step of each coefficient over the variance of an observation. The score is the
 * innovation over the deviation of the last `window` innovations.
 */
export function followKalman({ drift, window }: { drift: number; window: number }): Hedge {
  const innovations = new RollingMoments(window);
  let [intercept, slope] = [0, 0];
  // Diffuse: the first observations decide.
  let [p00, p01, p11] = [1e3, 0, 1e3];
  let row = -1;
  const hedge: Hedge = { hedgeRatio: NaN, score: NaN, push };
  return hedge;

  function push(y: number, x: number): void {
    row++;
    p00 += drift;
    p11 += drift;
    const towards0 = p00 + p01 * x;
    const towards1 = p01 + p11 * x;
    const variance = towards0 + towards1 * x + 1;
    const innovation = y - intercept - slope * x;
    intercept += (towards0 / variance) * innovation;
    slope += (towards1 / variance) * innovation;
    p00 -= (towards0 * towards0) / variance;
    p01 -= (towards0 * towards1) / variance;
    p11 -= (towards1 * towards1) / variance;
    innovations.push(innovation);
    if (row < 2 * window) return;
    hedge.hedgeRatio = slope;
    hedge.score = innovations.squares === 0 ? 0 : innovation / innovations.deviation;
  }
}
