/**
 * First and second derivatives of a row as one exact integer in a float64, `gradient * base + hessian`, in units
 * of which all rows together fill 26 bits each: an average row of 20 000 has 3 300 steps. A histogram cell then
 * takes one addition, sums are exact whatever their order, and a parent's histogram minus one child's is the
 * other's to the bit. Quantised training: Shi et al. 2022, arXiv:2207.09682.
 */
export interface Packing {
  /** By row. */
  readonly packed: Float64Array;
  /** A power of two, and the values of one unit of each. */
  readonly base: number;
  readonly gradientUnit: number;
  readonly hessianUnit: number;
}

/** Below it, quotients would leave the normal numbers and their bits. */
const SMALLEST_UNIT = 1e-300;

/** Packs rows `sample` into `packed`, an array for all rows. */
export function packDerivatives(
  { gradients, hessians }: { gradients: Float64Array; hessians: Float64Array },
  sample: Int32Array,
  packed: Float64Array,
): Packing {
  let gradientSum = 0;
  let hessianSum = 0;
  let least = Infinity;
  let most = 0;
  for (let i = 0; i < sample.length; i++) {
    const hessian = hessians[sample[i]];
    gradientSum += Math.abs(gradients[sample[i]]);
    hessianSum += hessian;
    if (hessian < least) least = hessian;
    if (hessian > most) most = hessian;
  }
  // Equal hessians only need to be counted.
  const counts = least === most;
  const hessianBits = counts ? Math.ceil(Math.log2(sample.length + 1)) : 26;
  const base = 2 ** hessianBits;
  // Rounding adds at most half a unit a row.
  const hessianUnit = counts ? most : hessianSum / (base - sample.length);
  const gradientUnit = Math.max(SMALLEST_UNIT, gradientSum / (2 ** (52 - hessianBits) - sample.length));
  for (let i = 0; i < sample.length; i++) {
    const row = sample[i];
    packed[row] = Math.round(gradients[row] / gradientUnit) * base + Math.round(hessians[row] / hessianUnit);
  }
  return { packed, base, gradientUnit, hessianUnit };
}

/** The sums that a sum of packed values stands for. */
export function unpack(sum: number, { base, gradientUnit, hessianUnit }: Packing): [number, number] {
  const gradient = Math.floor(sum / base);
  return [gradient * gradientUnit, (sum - gradient * base) * hessianUnit];
}
