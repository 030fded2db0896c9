/** A stream of uniform numbers in [0, 1). Every piece of chance in the program is such an argument. */
export type Random = () => number;

/** A stream from one number: xoshiro128** with its state expanded from `seed` by SplitMix32. */
export const createRandom = (seed: number): Random => xoshiro128(stateOf(seed));

function stateOf(seed: number): readonly [number, number, number, number] {
  let mix = seed >>> 0;
  const next = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  return [next(), next(), next(), next()];
}

/**
 * xoshiro128** (Blackman & Vigna 2018, https://prng.di.unimi.it/xoshiro128starstar.c), 32 bits of
 * resolution. The same state gives the same stream on every platform.
 */
export function xoshiro128(state: readonly [number, number, number, number]): Random {
  let [a, b, c, d] = state;
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d, 11);
    return scrambled / 4294967296;
  };
}

/**
 * Fills places `from` to `until` with ones and zeros, two from each number of `createRandom(seed)`: its lower 16 bits, then
 * its upper ones, are below `threshold` or not. The generator stands here again, with its state in the loop's own
 * variables: four times as fast as a call a number, and masks are a tenth of a training step.
 */
export function fillMask(
  values: Float32Array | Uint8Array,
  options: {
    readonly from: number;
    readonly until: number;
    readonly seed: number;
    readonly threshold: number;
  },
): void {
  const { from, until, seed, threshold } = options;
  let [a, b, c, d] = stateOf(seed);
  for (let i = from; i < until;) {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotateLeft(d, 11);
    values[i++] = (scrambled & 0xffff) < threshold ? 1 : 0;
    if (i < until) values[i++] = scrambled >>> 16 < threshold ? 1 : 0;
  }
}

/** An independent seed for a named part of a run, so that adding a part leaves the others' streams alone. */
export function deriveSeed(seed: number, label: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** A standard normal draw (Box-Muller; one of the pair is discarded so that the stream stays simple). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Puts `values` into a random order (Fisher and Yates 1938), and gives them back. */
export function shuffle<Values extends Float64Array | Float32Array | Int32Array>(
  values: Values,
  random: Random,
): Values {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}
