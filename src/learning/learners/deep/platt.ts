/** Probability = 1 / (1 + exp(-(slope logit + offset))). */
export interface PlattScaling {
  readonly slope: number;
  readonly offset: number;
}

/**
 * Platt's scaling of a classifier's logits by Newton's method with his smoothed targets: Platt 1999; Lin, Lin &
 * Weng 2007. Without skill the slope tends to 0 or below, which would turn chance into the opposite signal:
 * it is kept in [0, 20], and at 0 the probability is the base rate.
 */
export function fitPlatt(logits: Float32Array, positive: readonly boolean[]): PlattScaling {
  const positives = positive.filter(Boolean).length;
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (logits.length - positives + 2)];
  const targets = positive.map((is) => (is ? high : low));
  const fitted = newton(logits, targets);
  if (fitted.slope > 0) return { slope: Math.min(fitted.slope, 20), offset: fitted.offset };
  const base = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  return { slope: 0, offset: Math.log(base / (1 - base)) };
}

export const plattProbability = ({ slope, offset }: PlattScaling, logit: number): number =>
  1 / (1 + Math.exp(-(slope * logit + offset)));

function newton(logits: Float32Array, targets: readonly number[]): PlattScaling {
  let scaling = { slope: 1, offset: 0 };
  let loss = crossEntropy(scaling, logits, targets);
  for (let round = 0; round < 100; round++) {
    // A ridge keeps the Hessian invertible when all logits are equal.
    const h = { ss: 1e-9, so: 0, oo: 1e-9 };
    const g = { slope: 0, offset: 0 };
    for (let i = 0; i < logits.length; i++) {
      const p = plattProbability(scaling, logits[i]);
      const weight = p * (1 - p);
      h.ss += weight * logits[i] ** 2;
      h.so += weight * logits[i];
      h.oo += weight;
      g.slope += (p - targets[i]) * logits[i];
      g.offset += p - targets[i];
    }
    if (Math.abs(g.slope) < 1e-8 && Math.abs(g.offset) < 1e-8) break;
    const determinant = h.ss * h.oo - h.so * h.so;
    const dSlope = (h.oo * g.slope - h.so * g.offset) / determinant;
    const dOffset = (h.ss * g.offset - h.so * g.slope) / determinant;
    let size = 1;
    const moved = (): PlattScaling => ({
      slope: scaling.slope - size * dSlope,
      offset: scaling.offset - size * dOffset,
    });
    while (size > 1e-10 && crossEntropy(moved(), logits, targets) > loss) size /= 2;
    if (size <= 1e-10) break;
    scaling = moved();
    loss = crossEntropy(scaling, logits, targets);
  }
  return scaling;
}

function crossEntropy(scaling: PlattScaling, logits: Float32Array, targets: readonly number[]): number {
  return targets.reduce((sum, target, i) => {
    const z = scaling.slope * logits[i] + scaling.offset;
    return sum + Math.max(z, 0) - z * target + Math.log1p(Math.exp(-Math.abs(z)));
  }, 0);
}
