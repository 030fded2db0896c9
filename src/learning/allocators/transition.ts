/**
 * What trading leaves of the capital: the fixed point of Jiang, Xu and Liang 2017, equation 14, with one cost `rate` for buying
 * and selling. `before` and `wanted` are weights [1 + assets], cash first, as prices left them and as they are to be.
 */
export function remainderFactor(before: ArrayLike<number>, wanted: ArrayLike<number>, rate: number): number {
  const both = 2 * rate - rate * rate;
  let left = 1 - both;
  for (let step = 0; step < 100; step++) {
    let sold = 0;
    for (let i = 1; i < before.length; i++) sold += Math.max(before[i] - left * wanted[i], 0);
    const next = (1 - rate * before[0] - both * sold) / (1 - rate * wanted[0]);
    if (Math.abs(next - left) < 1e-15) return next;
    left = next;
  }
  return left;
}

/**
 * One bar: `wanted` is bought at its start, `relatives` (next prices over prices, 1 for cash) move it, and `held` becomes what it weighs then.
 * All are [1 + assets], cash first. Returns what is left of the capital after costs, times its growth.
 */
export function passBar(
  before: ArrayLike<number>,
  wanted: ArrayLike<number>,
  relatives: ArrayLike<number>,
  rate: number,
  held: Float32Array,
): number {
  let growth = 0;
  for (let i = 0; i < wanted.length; i++) growth += wanted[i] * relatives[i];
  const left = remainderFactor(before, wanted, rate);
  for (let i = 0; i < wanted.length; i++) held[i] = (wanted[i] * relatives[i]) / growth;
  return left * growth;
}
