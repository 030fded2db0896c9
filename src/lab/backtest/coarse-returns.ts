import { z } from 'zod';

/** Returns over wide steps that start at multiples of their width: enough to see which strategies are the same bet. */
export const CoarseReturns = z.object({
  stepMs: z.number().positive(),
  /** Number of the first step since 1970. */
  first: z.int(),
  logReturns: z.array(z.number()),
});
export type CoarseReturns = z.output<typeof CoarseReturns>;

/** At most this many steps for one strategy. */
const MOST_STEPS = 512;

/** Bar returns summed over steps of `barMs` times a power of two. */
export function coarsen(time: Float64Array, returns: Float64Array, barMs: number): CoarseReturns {
  let stepMs = barMs;
  const span = time.length === 0 ? 0 : time[time.length - 1] - time[0];
  while (span / stepMs >= MOST_STEPS - 1) stepMs *= 2;
  const first = time.length === 0 ? 0 : Math.floor(time[0] / stepMs);
  const logReturns: number[] = [];
  time.forEach((opened, row) => {
    const at = Math.floor(opened / stepMs) - first;
    while (logReturns.length <= at) logReturns.push(0);
    logReturns[at] += Math.log1p(Math.max(returns[row], -1 + 1e-12));
  });
  return { stepMs, first, logReturns: logReturns.map((value) => Number(value.toPrecision(6))) };
}

/** Correlation over the steps that both have; `undefined` for fewer than 10 of them or one that never varies. */
export function correlation(a: CoarseReturns, b: CoarseReturns): number | undefined {
  const stepMs = Math.max(a.stepMs, b.stepMs);
  const [x, y] = [widen(a, stepMs), widen(b, stepMs)];
  const from = Math.max(x.first, y.first);
  const until = Math.min(x.first + x.logReturns.length, y.first + y.logReturns.length);
  const count = until - from;
  if (count < 10) return undefined;
  let [sumX, sumY, squaresX, squaresY, product] = [0, 0, 0, 0, 0];
  for (let step = from; step < until; step++) {
    const u = x.logReturns[step - x.first];
    const v = y.logReturns[step - y.first];
    sumX += u;
    sumY += v;
    squaresX += u * u;
    squaresY += v * v;
    product += u * v;
  }
  const [varianceX, varianceY] = [squaresX - (sumX * sumX) / count, squaresY - (sumY * sumY) / count];
  if (!(varianceX > 1e-18 && varianceY > 1e-18)) return undefined;
  return (product - (sumX * sumY) / count) / Math.sqrt(varianceX * varianceY);
}

function widen(returns: CoarseReturns, stepMs: number): CoarseReturns {
  const factor = Math.round(stepMs / returns.stepMs);
  if (factor === 1) return returns;
  const first = Math.floor(returns.first / factor);
  const logReturns: number[] = [];
  returns.logReturns.forEach((value, i) => {
    const at = Math.floor((returns.first + i) / factor) - first;
    logReturns[at] = (logReturns[at] ?? 0) + value;
  });
  return { stepMs, first, logReturns };
}
